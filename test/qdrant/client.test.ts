import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { QdrantClient, QdrantError, type QdrantOptions } from "../../components/qdrant/client.js";

const KEY = "planted-key-0123456789";

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

describe("qdrant/client", () => {
  let server: Server;
  let seen: Seen[];
  let answer: (request: Seen, response: ServerResponse) => void;

  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const one = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
        seen.push(one);
        answer(one, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const client = (options: Partial<QdrantOptions> = {}): QdrantClient =>
    new QdrantClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, apiKey: KEY, timeoutMs: 2_000, ...options });

  const json = (result: unknown) => (_request: Seen, response: ServerResponse) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ result, status: "ok", time: 0 }));
  };

  const failing = async (work: Promise<unknown>): Promise<QdrantError> => {
    const error: unknown = await work.then(
      () => null,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof QdrantError, `expected a QdrantError, got ${String(error)}`);
    assert.ok(!`${error.message}${JSON.stringify(error)}${error.stack}`.includes(KEY), "the key is in the error");
    return error;
  };

  it("sends the key and sorts collections and aliases", async () => {
    answer = json({ collections: [{ name: "b" }, { name: "a" }] });
    assert.deepEqual(await client().collections(), ["a", "b"]);
    assert.equal(seen[0]?.headers["api-key"], KEY);
    answer = json({ aliases: [{ alias_name: "y", collection_name: "a" }, { alias_name: "x", collection_name: "b" }] });
    assert.deepEqual(await client().aliases(), [{ alias: "x", collection: "b" }, { alias: "y", collection: "a" }]);
  });

  it("sends no key where there is none", async () => {
    answer = json({ collections: [] });
    await client({ apiKey: undefined }).collections();
    assert.equal(seen[0]?.headers["api-key"], undefined);
  });

  it("counts exactly, and encodes names that are no path", async () => {
    answer = json({ count: 7 });
    assert.equal(await client().count("a/../b ?"), 7);
    assert.equal(seen[0]?.url, "/collections/a%2F..%2Fb%20%3F/points/count");
    assert.deepEqual(JSON.parse(seen[0]?.body.toString() ?? ""), { exact: true });
  });

  it("asks nothing for no aliases, and sends all others at once", async () => {
    answer = json(true);
    await client().createAliases([]);
    assert.equal(seen.length, 0);
    await client().createAliases([{ alias: "x", collection: "a" }, { alias: "y", collection: "a" }]);
    assert.equal(seen.length, 1);
  });

  it("uploads a stream as one multipart field with its exact length", async () => {
    answer = json(true);
    const content = Buffer.alloc(300_000, "snapshot ");
    const sha256 = createHash("sha256").update(content).digest("hex");
    const body = Readable.from([content.subarray(0, 100_000), content.subarray(100_000)], { objectMode: false });
    await client().uploadSnapshot("a", { body, size: content.length, sha256, timeoutMs: 2_000 });
    const [request] = seen;
    assert.ok(request);
    const url = new URL(request.url, "http://x");
    assert.equal(url.pathname, "/collections/a/snapshots/upload");
    assert.deepEqual(Object.fromEntries(url.searchParams), { priority: "snapshot", checksum: sha256, wait: "true" });
    assert.equal(Number(request.headers["content-length"]), request.body.length);
    const boundary = /boundary=(.+)$/.exec(request.headers["content-type"] ?? "")?.[1] ?? "";
    const text = request.body.toString("latin1");
    assert.ok(text.startsWith(`--${boundary}\r\nContent-Disposition: form-data; name="snapshot"; filename=`));
    assert.ok(text.endsWith(`\r\n--${boundary}--\r\n`));
    assert.ok(request.body.includes(content));
  });

  it("fails an upload whose stream fails", async () => {
    answer = json(true);
    const body = new Readable({ read() { this.destroy(new Error("cut")); } });
    await failing(client().uploadSnapshot("a", { body, size: 10, sha256: "0".repeat(64), timeoutMs: 2_000 }));
  });

  it("hands out a download as a stream, with the announced size", async () => {
    const content = Buffer.alloc(100_000, 7);
    answer = (_request, response) => void response.setHeader("content-length", content.length).end(content);
    const { body, size } = await client().downloadSnapshot("a", "a-1.snapshot", 2_000);
    assert.equal(size, content.length);
    assert.ok((await buffer(body)).equals(content));
  });

  // Qdrant answers in the coding that it is asked for, a snapshot's file as well, whose SHA-256 is that of the bytes as they are.
  it("asks for all answers as they are, none of them compressed", async () => {
    answer = (_request, response) => void response.end("x");
    await buffer((await client().downloadSnapshot("a", "a-1.snapshot", 2_000)).body);
    answer = json({ collections: [] });
    await client().collections();
    await client().read(z.unknown(), "/collections/a/points/scroll", "{}");
    assert.deepEqual(seen.map((request) => request.headers["accept-encoding"]), ["identity", "identity", "identity"]);
  });

  it("ends a download that stops in the middle at its deadline", async () => {
    answer = (_request, response) => void response.setHeader("content-length", 1000).write("x");
    const { body } = await client().downloadSnapshot("a", "a-1.snapshot", 200);
    await assert.rejects(buffer(body));
  });

  it("tells Qdrant's own words when it refuses", async () => {
    answer = (_request, response) => void response.writeHead(404).end(JSON.stringify({ status: { error: "Not found: no such collection" } }));
    const error = await failing(client().collection("a"));
    assert.deepEqual([error.failure, error.status], ["refused", 404]);
    assert.match(error.message, /GET \/collections\/a: 404 .*no such collection/);
  });

  it("tells time-outs, dead servers and stopped runs apart", async () => {
    answer = () => undefined;
    assert.equal((await failing(client({ timeoutMs: 100 }).collections())).failure, "timeout");
    assert.equal((await failing(client({ signal: AbortSignal.abort() }).collections())).failure, "aborted");
    assert.equal((await failing(client({ baseUrl: "http://127.0.0.1:1" }).collections())).failure, "unreachable");
  });

  it("takes nothing for an answer that is none", async () => {
    answer = (_request, response) => void response.end("<html>");
    assert.equal((await failing(client().collections())).failure, "answer");
    answer = json({ count: -1 });
    assert.equal((await failing(client().count("a"))).failure, "answer");
    answer = json({ status: "purple", config: {} });
    assert.equal((await failing(client().collection("a"))).failure, "answer");
  });

  it("uses no proxy from the environment", async () => {
    answer = json({ collections: [] });
    process.env.HTTP_PROXY = "http://127.0.0.1:1";
    try {
      assert.deepEqual(await client().collections(), []);
    } finally {
      delete process.env.HTTP_PROXY;
    }
  });
});
