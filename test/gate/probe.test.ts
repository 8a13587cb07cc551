import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { oomSince, Prober, type Inspection, type ProbeTarget } from "../../components/gate/probe.js";
import type { HttpSample, Inside } from "../../components/gate/model.js";
import { judge } from "../../components/gate/verdict.js";
import { SPEC } from "./samples.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe("gate/probe", () => {
  const servers: Server[] = [];

  async function serve(answer: Answer): Promise<number> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  const inspection = (port: number, change: Partial<Inspection> = {}): Inspection => ({
    Id: "id", Created: "2026-01-01T00:00:00.000Z", RestartCount: 0,
    State: { Status: "running", Running: true, OOMKilled: false, ExitCode: 0, Error: "", Pid: 1, StartedAt: new Date(Date.now() - 5000).toISOString() },
    Config: { Env: ["A=b", "QDRANT__SERVICE__API_KEY=k=1"] },
    NetworkSettings: { Ports: { "6333/tcp": [{ HostPort: String(port) }] }, Networks: {} },
    ...change,
  });

  const target = (port: number, change: Partial<ProbeTarget> = {}): ProbeTarget => ({
    baseUrl: `http://127.0.0.1:${port}`, previewKey: "key", containers: ["app-1", "app-2"], port: 8501, healthPath: "/_stcore/health",
    scriptPath: "/_stcore/script-health-check", requestTimeoutMs: 1500, secretEnv: [], qdrantContainer: "", ...change,
  });

  const well: Answer = (request, response) => response.end(request.url === "/" ? "<html>" : "ok");

  it("asks every container through the front door, with the key, and what it sees passes", async () => {
    const asked: string[] = [];
    const front = await serve((request, response) => {
      asked.push(`${request.url} ${String(request.headers["x-release-preview"])} ${String(request.headers["x-release-key"])}`);
      well(request, response);
    });
    // Long enough for a busy machine: what is asked counts here.
    const prober = new Prober(target(front, { requestTimeoutMs: 10_000 }), () => Promise.resolve(inspection(0)));
    const sample = await prober.sample(() => 7);
    prober.close();
    assert.deepEqual(asked.sort(), ["app-1", "app-2"].flatMap((name) => ["/", "/_stcore/health", "/_stcore/script-health-check"].map((path) => `${path} ${name} key`)).sort());
    assert.equal(sample.at, 7);
    assert.ok(sample.containers.every(({ state }) => state !== null && state.upMs >= 5000 && state.upMs < 60_000));
    assert.equal(judge({ ...SPEC, passes: 1 }, [sample], 0).verdict, "pass");
  });

  it("masks what an answer shows of the app's secrets, also where it is cut", async () => {
    const secret = "not a key by its looks";
    const front = await serve((_request, response) => response.writeHead(500).end(`${"x".repeat(190)}${secret} <b>`));
    const Config = { Env: [`GREETING=${secret}`, "A=b"] };
    const prober = new Prober(target(front, { containers: ["app-1"], secretEnv: ["GREETING"] }), () => Promise.resolve(inspection(0, { Config })));
    const sample = await prober.sample(() => 0);
    prober.close();
    assert.deepEqual(sample.containers[0]?.http.map(({ body }) => body), Array.from({ length: 3 }, () => `${"x".repeat(190)}*** <b>`));
  });

  it("asks for one run of the script at a time, and takes an answer that comes late", async () => {
    let runs = 0;
    const waiting: ServerResponse[] = [];
    const front = await serve((request, response) => {
      if (!request.url?.includes("script")) well(request, response);
      else {
        runs += 1;
        waiting.push(response);
      }
    });
    const prober = new Prober(target(front, { containers: ["app-1"], requestTimeoutMs: 100 }), () => Promise.resolve(inspection(0)));
    const script = async (): Promise<HttpSample | undefined> => (await prober.sample(() => 0)).containers[0]?.http.find(({ probe }) => probe === "script");
    for (let round = 0; round < 3; round++) assert.equal((await script())?.error, "nothing within 100 ms");
    assert.equal(runs, 1);
    waiting[0]?.writeHead(503).end("timeout");
    const late = await script();
    assert.deepEqual([late?.status, late?.body, runs], [503, "timeout", 1]);
    await script();
    assert.equal(runs, 2);
    prober.close();
  });

  it("looks into a container until it was seen with its app answering", async () => {
    let healthy = false;
    const front = await serve((request, response) => (healthy ? well(request, response) : response.writeHead(503).end("<html>")));
    const looks: boolean[] = [];
    const seen: Inside = { listens: ["outside"], packages: {}, user: "0:0", uploads: null, healthcheck: null };
    const prober = new Prober(target(front, { containers: ["app-1"] }), () => Promise.resolve(fixed), (_info, port, settled) => {
      assert.equal(port, 8501);
      looks.push(settled);
      return Promise.resolve(seen);
    });
    const fixed = inspection(0);
    await prober.sample(() => 0);
    healthy = true;
    for (let round = 0; round < 3; round++) assert.deepEqual((await prober.sample(() => 0)).containers[0]?.inside, seen);
    assert.deepEqual(looks, [false, true]);
    prober.close();
  });

  it("uses connections again, and no proxy of the environment", async () => {
    let connections = 0;
    const front = await serve(well);
    servers[0]?.on("connection", () => connections++);
    process.env.HTTP_PROXY = "http://127.0.0.1:9";
    const prober = new Prober(target(front, { containers: ["app-1"] }), () => Promise.resolve(inspection(0)));
    try {
      for (let round = 0; round < 5; round++) {
        const { containers } = await prober.sample(() => 0);
        assert.deepEqual(containers[0]?.http.map(({ status }) => status), [200, 200, 200]);
      }
    } finally {
      delete process.env.HTTP_PROXY;
      prober.close();
    }
    assert.equal(connections, 3);
  });

  it("follows no redirect and keeps only the beginning of an answer", async () => {
    const front = await serve((request, response) => {
      if (request.url === "/") response.writeHead(302, { location: "/other" }).end();
      else response.writeHead(503).end("x".repeat(5000));
    });
    const prober = new Prober(target(front), () => Promise.resolve(inspection(0)));
    const [first] = (await prober.sample(() => 0)).containers;
    prober.close();
    assert.deepEqual(first?.http.map(({ status, body }) => [status, body.length]), [[503, 200], [503, 200], [302, 0]]);
  });

  it("gives up on an answer that does not come, or does not end", async () => {
    const front = await serve((request, response) => {
      if (request.url === "/") response.write("drip");
    });
    const prober = new Prober(target(front), () => Promise.resolve(inspection(0)));
    const began = performance.now();
    const [first] = (await prober.sample(() => 0)).containers;
    prober.close();
    assert.ok(performance.now() - began < 2000);
    assert.deepEqual(first?.http.map(({ status, error }) => [status, error]), Array(3).fill([null, "nothing within 1500 ms"]));
  });

  it("says why there is no answer", async () => {
    const front = await serve(well);
    servers.splice(0).forEach((server) => server.close());
    const prober = new Prober(target(front), () => Promise.resolve(null));
    const [first] = (await prober.sample(() => 0)).containers;
    prober.close();
    assert.match(first?.http[0]?.error ?? "", /ECONNREFUSED/);
    assert.equal(first?.state, null);
  });

  describe("of Qdrant", () => {
    const collections: Record<string, { status: string; count: number | null }> = {
      "strict-400": { status: "green", count: 7 }, "strict-429": { status: "yellow", count: 7 }, "a b": { status: "green", count: 3 }, bad: { status: "red", count: null },
    };

    const qdrant: Answer = (request, response) => {
      const [, name, counting] = /^\/collections\/([^/]+)(\/points\/count)?$/.exec(request.url ?? "") ?? [];
      const known = collections[decodeURIComponent(name ?? "")];
      const reply = (status: number, body: unknown): void => void response.writeHead(status).end(JSON.stringify(body));
      if (request.headers["api-key"] !== "k=1") reply(401, "Must provide an API key");
      else if (request.url === "/") reply(200, { title: "qdrant", version: "1.19.0" });
      else if (request.url === "/collections") reply(200, { result: { collections: Object.keys(collections).map((one) => ({ name: one })) } });
      else if (known !== undefined && counting === undefined) reply(200, { result: { status: known.status, points_count: 41 } });
      else if (name?.startsWith("strict-") === true) reply(Number(name.slice(7)), { status: { error: "refused" } });
      else if (known !== undefined && known.count !== null) reply(200, { result: { count: known.count } });
      else reply(500, { status: { error: "shard is dirty" } });
    };

    async function look(answer: Answer, change: Partial<Inspection> = {}): ReturnType<Prober["sample"]> {
      const port = await serve(answer);
      const prober = new Prober(target(port, { containers: [], qdrantContainer: "q" }), () => Promise.resolve(inspection(port, change)), null, () => Promise.resolve());
      try {
        return await prober.sample(() => 0);
      } finally {
        prober.close();
      }
    }

    it("finds its port and key, and tells each collection's status and count", async () => {
      const { qdrant: seen } = await look(qdrant);
      assert.deepEqual([seen?.error, seen?.version], ["", "1.19.0"]);
      assert.deepEqual(seen?.collections[0], { name: "a b", status: "green", count: 3, error: "" });
      assert.deepEqual([seen?.collections[1]?.status, seen?.collections[1]?.count], ["red", null]);
      assert.match(seen?.collections[1]?.error ?? "", /answered 500 .*shard is dirty/);
    });

    it("takes what a collection says of itself where its strict mode or its rate limit refuses a count", async () => {
      const { qdrant: seen } = await look(qdrant);
      const strict = seen?.collections.filter(({ name }) => name.startsWith("strict-"));
      assert.deepEqual(strict?.map(({ count, error }) => [count, error]), [[41, ""], [41, ""]]);
    });

    it("tells why it cannot be asked", async () => {
      assert.match((await look(qdrant, { Config: { Env: null } })).qdrant?.error ?? "", /answered 401/);
      assert.match((await look((_request, response) => response.end("no JSON"))).qdrant?.error ?? "", /JSON/);
      assert.match((await look(() => undefined)).qdrant?.error ?? "", /nothing within 1500 ms/);
      const nowhere = { NetworkSettings: { Ports: null, Networks: { n: { IPAddress: "" } } } };
      assert.equal((await look(qdrant, nowhere)).qdrant?.error, "it has no address on this host");
    });
  });

  it("counts a want of memory since the container's start, and what ended it before a restart just now", () => {
    const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
    const since = (Created: string, RestartCount: number, StartedAt: string): string => oomSince({ Created, RestartCount, State: { StartedAt } }, Date.parse(at(1000)));
    assert.equal(since(at(0), 0, at(990)), at(990));
    assert.equal(since(at(980), 2, at(990)), at(980));
    assert.equal(since(at(0), 2, at(990)), at(940));
    assert.equal(since(at(0), 2, at(900)), at(900), "one that has recovered");
  });
});
