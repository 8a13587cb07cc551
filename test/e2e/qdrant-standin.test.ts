import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { QdrantClient } from "@qdrant/js-client-rest";
import axios from "axios";
import Docker from "dockerode";
import { dockerAnswers, removeStack } from "../support/docker.js";
import { freePort, stackName } from "../support/names.js";
import { mustRun } from "../support/processes.js";
import { fromSeed } from "../support/random.js";
import { waitFor } from "../support/wait.js";

const IMAGE = "qdrant/qdrant:v1.19.0";
const KEY = "stand-in-test-key";
const PROJECT = path.resolve(__dirname, "../../..");
const HTTP = { headers: { "api-key": KEY }, proxy: false, validateStatus: () => true } as const;

/** What is under test is the stand-in: with the real image here there is nothing to test. */
async function hasStandIn(): Promise<boolean> {
  if (!(await dockerAnswers())) return false;
  return new Docker().getImage(IMAGE).inspect().then(({ Config }) => Config.Labels["pbjrag.standin"] === "true", () => false);
}

describe("e2e: the stand-in for Qdrant", function () {
  this.timeout(120_000);
  const docker = new Docker();
  const stack = stackName("standin");
  const labels = { "pbjrag.stack": stack };
  const random = fromSeed(Number(process.env.PBJRAG_SEED ?? 4711));
  const vector = (size = 8): number[] => Array.from({ length: size }, () => random.int(-1000, 1000) / 1000);

  before(async function () {
    if (!(await hasStandIn())) this.skip();
  });

  after(() => removeStack(stack));

  /** A server on a volume; one container after the other may use the same. */
  async function server(volume: string): Promise<{ url: string; client: QdrantClient; container: Docker.Container }> {
    const port = await freePort();
    await docker.createVolume({ Name: `${stack}-${volume}`, Labels: labels });
    const container = await docker.createContainer({
      Image: IMAGE, Labels: labels, Env: [`QDRANT__SERVICE__API_KEY=${KEY}`], ExposedPorts: { "6333/tcp": {} },
      HostConfig: { PortBindings: { "6333/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }] }, Binds: [`${stack}-${volume}:/qdrant/storage`] },
    });
    await container.start();
    const url = `http://127.0.0.1:${port}`;
    await waitFor(`${url} is ready`, async () => (await axios.get(`${url}/readyz`, { proxy: false })).status === 200);
    return { url, client: new QdrantClient({ url, apiKey: KEY, checkCompatibility: false }), container };
  }

  async function filled(volume: string): Promise<Awaited<ReturnType<typeof server>>> {
    const started = await server(volume);
    await started.client.createCollection("docs", { vectors: { size: 8, distance: "Cosine" } });
    const points = Array.from({ length: 500 }, (_, id) => ({ id, vector: vector(), payload: { n: id, file: `f${id % 5}` } }));
    await started.client.upsert("docs", { wait: true, points });
    await started.client.createPayloadIndex("docs", { wait: true, field_name: "file", field_schema: "keyword" });
    await started.client.updateCollectionAliases({ actions: [{ create_alias: { alias_name: "live", collection_name: "docs" } }] });
    return started;
  }

  const all = async (client: QdrantClient, name = "docs"): Promise<unknown> =>
    (await client.scroll(name, { limit: 10_000, with_payload: true, with_vector: true })).points;

  const upload = (url: string, name: string, content: Buffer, query = ""): Promise<{ status: number; data: { status?: { error?: string } } }> => {
    const form = new FormData();
    form.append("snapshot", new Blob([new Uint8Array(content)]), "given.snapshot");
    return axios.post(`${url}/collections/${name}/snapshots/upload?priority=snapshot&wait=true${query}`, form, HTTP);
  };

  it("answers Qdrant's JavaScript client", async () => {
    const { client } = await filled("js");
    assert.equal((await client.versionInfo()).version, "1.19.0");
    assert.equal((await client.getCollection("docs")).status, "green");
    assert.equal((await client.count("live", { exact: true })).count, 500);
    const [seven] = await client.retrieve("docs", { ids: [7], with_vector: true });
    const nearest = await client.query("docs", { query: seven?.vector, limit: 3, with_payload: true });
    assert.deepEqual(nearest.points[0]?.payload, { n: 7, file: "f2" });
    const filter = { must: [{ key: "file", match: { value: "f1" } }, { key: "n", range: { lt: 50 } }] };
    assert.equal((await client.count("docs", { filter, exact: true })).count, 10);
    const found = await client.search("docs", { vector: seven?.vector as number[], filter, limit: 100 });
    assert.equal(found.length, 10);
    await client.delete("docs", { wait: true, filter });
    assert.equal((await client.count("docs", { exact: true })).count, 490);
    assert.deepEqual((await client.getCollections()).collections, [{ name: "docs" }]);
    await assert.rejects(client.getCollection("nothing"), /Not Found/);
  });

  it("answers Qdrant's Python client", async () => {
    const { container } = await server("python");
    const check = path.join(PROJECT, "test/offline/qdrant_client_check.py");
    // In the sample app's image, which has the client: its layers are in the cache wherever a release of it was made.
    const image = `pbjrag-${stack}:client`;
    const repo = path.join(mkdtempSync(path.join(tmpdir(), "standin-")), "repo");
    await mustRun("offline/sample-app/make-repo.sh", [repo], { cwd: PROJECT });
    await mustRun("sh", ["-c", `git archive v3.0.0 | docker build -q -t ${image} -`], { cwd: repo, env: { DOCKER_BUILDKIT: "0" } });
    rmSync(path.dirname(repo), { recursive: true });
    const { stdout } = await mustRun("docker", [
      "run", "--rm", "--label", `pbjrag.stack=${stack}`, "--network", `container:${container.id}`, "-v", `${check}:/check.py:ro`, image,
      "python", "/check.py", "http://localhost:6333", KEY,
    ], { cwd: PROJECT });
    assert.equal(stdout.match(/^ok /gm)?.length, 12, stdout);
  });

  it("asks for the key everywhere but at the health paths and the root", async () => {
    const { url } = await server("key");
    for (const open of ["/", "/healthz", "/livez", "/readyz"]) assert.equal((await axios.get(url + open, { proxy: false })).status, 200);
    const status = async (headers: Record<string, string>): Promise<number> => (await axios.get(`${url}/collections`, { ...HTTP, headers })).status;
    assert.equal(await status({}), 401);
    assert.equal(await status({ "api-key": "wrong" }), 401);
    assert.equal(await status({ "api-key": KEY }), 200);
    assert.equal(await status({ Authorization: `Bearer ${KEY}` }), 200);
  });

  it("compresses what it is asked to compress, as the real one does: a snapshot's file as well", async () => {
    const { url, client } = await filled("compressed");
    const made = await client.createSnapshot("docs");
    assert.ok(made);
    const get = (path: string, encoding: string): Promise<{ headers: Record<string, unknown>; data: Buffer }> =>
      axios.get(url + path, { ...HTTP, headers: { ...HTTP.headers, "Accept-Encoding": encoding }, responseType: "arraybuffer", decompress: false });
    const file = `/collections/docs/snapshots/${made.name}`;
    const plain = await get(file, "identity");
    assert.deepEqual([plain.headers["content-encoding"], Number(plain.headers["content-length"])], [undefined, made.size]);
    const packed = await get(file, "gzip, compress, deflate, br");
    assert.deepEqual([packed.headers["content-encoding"], packed.headers["content-length"]], ["br", undefined]);
    assert.notEqual(createHash("sha256").update(packed.data).digest("hex"), made.checksum);
    assert.ok(brotliDecompressSync(packed.data).equals(plain.data));
    assert.ok(gunzipSync((await get(file, "br;q=0.5, gzip")).data).equals(plain.data));
    assert.ok(inflateSync((await get(file, "deflate, zstd;q=0")).data).equals(plain.data));
    assert.equal((await get("/collections", "br")).headers["content-encoding"], "br");
    assert.equal((await get("/collections", "br;q=0")).headers["content-encoding"], undefined);
  });

  it("restores a downloaded snapshot elsewhere, and refuses a damaged one", async () => {
    const { url, client } = await filled("snapshot");
    const before = await all(client);
    const made = await client.createSnapshot("live");
    assert.ok(made);
    assert.match(made.name, /^docs-\d+-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.snapshot$/);
    const { data } = await axios.get<ArrayBuffer>(`${url}/collections/docs/snapshots/${made.name}`, { ...HTTP, responseType: "arraybuffer" });
    const content = Buffer.from(data);
    const checksum = createHash("sha256").update(content).digest("hex");
    assert.deepEqual([content.length, checksum], [made.size, made.checksum]);

    const other = await server("restored");
    const wrong = await upload(other.url, "docs", content, `&checksum=${"0".repeat(64)}`);
    assert.deepEqual([wrong.status, (await other.client.getCollections()).collections.length], [400, 0]);
    assert.equal((await upload(other.url, "docs", Buffer.from("no snapshot".repeat(100)))).status, 500);
    assert.equal((await upload(other.url, "docs", content, `&checksum=${checksum}`)).status, 200);
    assert.deepEqual(await all(other.client), before);
    assert.equal((await other.client.getCollection("docs")).payload_schema.file?.points, 500);
    assert.deepEqual((await other.client.getAliases()).aliases, []);

    await other.client.upsert("docs", { wait: true, points: [{ id: 7, vector: vector(), payload: { changed: true } }, { id: 9999, vector: vector() }] });
    const cut = await upload(other.url, "docs", content.subarray(0, content.length / 2));
    assert.deepEqual([cut.status, (await other.client.count("docs", { exact: true })).count], [500, 501]);
    assert.equal((await upload(other.url, "docs", content)).status, 200);
    assert.deepEqual(await all(other.client), before);
    await client.deleteSnapshot("docs", made.name);
    assert.deepEqual(await client.listSnapshots("docs"), []);
  });

  it("has a dirty shard after a restore that did not end, over every restart, until it is restored again", async () => {
    const { url, client, container } = await filled("dirty");
    const before = await all(client);
    const made = await client.createSnapshot("docs");
    assert.ok(made);
    const { data } = await axios.get<ArrayBuffer>(`${url}/collections/docs/snapshots/${made.name}`, { ...HTTP, responseType: "arraybuffer" });
    // What a restore leaves that is killed while it moves the data.
    await mustRun("docker", ["exec", container.id, "touch", "/qdrant/storage/collections/docs/shard_0.initializing"], { cwd: PROJECT });
    for (let round = 0; round < 2; round += 1) {
      await container.kill();
      await container.start();
      await waitFor("it says that it is ready", async () => (await axios.get(`${url}/readyz`, HTTP).catch(() => null))?.status === 200);
      await assert.rejects(client.count("docs", { exact: true }), /Internal Server Error/);
      await assert.rejects(client.upsert("docs", { wait: true, points: [{ id: 1, vector: vector() }] }), /Internal Server Error/);
    }
    assert.equal((await upload(url, "docs", Buffer.from(data))).status, 200);
    assert.deepEqual(await all(client), before);
    await container.restart({ t: 0 });
    await waitFor("it is ready again", async () => (await axios.get(`${url}/readyz`, HTTP).catch(() => null))?.status === 200);
    assert.deepEqual(await all(client), before);
  });

  it("loses no acknowledged write when it is killed", async () => {
    const { client, container } = await filled("killed");
    let acknowledged = 0;
    const writing = (async () => {
      for (let id = 10_000; ; id += 1) {
        await client.upsert("docs", { wait: true, points: [{ id, vector: vector(), payload: { n: id } }] });
        acknowledged = id - 9_999;
      }
    })().catch(() => undefined);
    await waitFor("some writes", () => acknowledged >= 50);
    await container.kill({ signal: "SIGKILL" });
    await writing;
    const again = await server("killed");
    const { count } = await again.client.count("docs", { exact: true });
    assert.ok(count >= 500 + acknowledged && count <= 501 + acknowledged, `${count} points, ${acknowledged} writes acknowledged`);
    assert.deepEqual((await again.client.getAliases()).aliases, [{ alias_name: "live", collection_name: "docs" }]);
    await again.client.setPayload("docs", { wait: true, payload: { after: 1 }, points: [3] });
    assert.deepEqual((await again.client.retrieve("docs", { ids: [3] }))[0]?.payload, { n: 3, file: "f3", after: 1 });
  });

  it("is what its storage directory says: a tar of the stopped one, unpacked into an empty volume, is the same", async () => {
    const { client, container } = await filled("packed");
    const before = await all(client);
    const began = performance.now();
    await container.stop();
    assert.ok(performance.now() - began < 3000, "it stops at SIGTERM");
    await docker.createVolume({ Name: `${stack}-unpacked`, Labels: labels });
    await mustRun("docker", [
      "run", "--rm", "-v", `${stack}-packed:/from:ro`, "-v", `${stack}-unpacked:/to`, "python:3.11-slim",
      "sh", "-c", "tar -czf /tmp/data.tar.gz -C /from . && tar -xzf /tmp/data.tar.gz -C /to",
    ], { cwd: PROJECT });
    const again = await server("unpacked");
    assert.deepEqual(await all(again.client), before);
    assert.equal((await again.client.count("live", { exact: true })).count, 500);
  });
});
