/** What a stranger may do at the users' entrance, and what it must not bring about: on a real HAProxy, with harmless requests. */
import assert from "node:assert/strict";
import { connect as dial, type Socket } from "node:net";
import { docker } from "../../components/runtime/docker.js";
import { execIn } from "../../components/runtime/docker-exec.js";
import { parseLines, tally, type LogLine } from "../../components/metrics/log-line.js";
import { cursorAt, readFresh } from "../../components/metrics/traffic-log.js";
import { DEFAULT_OPTIONS, type ProxyOptions } from "../../components/traffic/options.js";
import { entranceOf, prepareFront, readLive, type LiveTraffic } from "../../components/traffic/live.js";
import { FRONT_PORT, previewHeaders, type TrafficRevision } from "../../components/traffic/model.js";
import { rounds } from "../support/suite.js";
import { HOLDS, ProxyStack } from "../support/proxy-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, connect, PAGE } from "./traffic/client.js";

/** Docker's default networks. */
const DOCKER_NETWORKS = ["172.16.0.0/12", "192.168.0.0/16"];

describe("strangers at the proxy", function () {
  this.timeout(300_000);
  let bench: ProxyStack;
  let app: TrafficRevision;
  const held: Socket[] = [];

  before(async () => {
    bench = await ProxyStack.open({ cpus: 1 });
    await prepareFront(bench.stack, HOLDS);
    app = await bench.start("v1.0.0");
    await bench.apply({ serving: app });
  });
  afterEach(async () => {
    for (const socket of held.splice(0)) socket.destroy();
    await options({});
  });
  after(() => bench.close());

  const options = async (more: Partial<ProxyOptions>): Promise<void> => void (await prepareFront(bench.stack, HOLDS, { ...DEFAULT_OPTIONS, ...more }));
  const live = async (): Promise<LiveTraffic> => (await readLive(bench.stack)) ?? assert.fail("no live proxy");
  /** Lines of the log since a moment, once the last of them is there: a HEAD that nobody else sends. */
  const logged = async (since: number): Promise<LogLine[]> => {
    await ask(`${bench.url}/`, { method: "HEAD" });
    const lines = await waitFor("the log", async () => {
      const read = parseLines((await readFresh(bench.stack, cursorAt(since))).texts);
      return read.some(({ method }) => method === "HEAD") ? read : null;
    });
    return lines.filter(({ method }) => method !== "HEAD");
  };
  /**
   * Connections whose request's head has begun and does not end. Resolves when they are open. They go to the container's own address:
   * docker-proxy, which passes on what comes over loopback, has six open files for each, and ends for good when it has too many
   * (20.10.24: at its limit of 20,000 after some 3,300).
   */
  const hold = async (count: number): Promise<void> => {
    const host = new URL((await live()).controlUrl).hostname;
    const one = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = dial(FRONT_PORT, host, () => socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", () => resolve()));
        socket.on("error", reject).resume();
        held.push(socket);
      });
    for (let at = 0; at < count; at += 100) await Promise.all(Array.from({ length: Math.min(100, count - at) }, one));
  };

  it("an upgrade that is no handshake, on any path, is a request like any other and fails nothing", async () => {
    const since = Date.now();
    for (const path of ["/", "/_stcore/stream", "/x"]) {
      for (const headers of [{ Upgrade: "websocket" }, { Upgrade: "websocket", Connection: "Upgrade" }, { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x" }] as Record<string, string>[]) {
        await ask(`${bench.url}${path}`, { headers }).catch(() => undefined);
      }
    }
    const user = await connect(bench.url);
    await user.leave();
    const lines = await waitFor("all to be logged", async () => {
      const all = await logged(since);
      return all.length >= 10 ? all : null;
    });
    assert.deepEqual([...new Set(lines.filter(({ kind }) => kind === "websocket").map(({ backend }) => backend))], [`ws_${app.revision}`]);
    const { errors, socketsFailed, socketsEnded } = tally(lines)[app.revision] ?? assert.fail("nothing was counted");
    assert.deepEqual([errors, socketsFailed, socketsEnded], [0, 0, 1]);
  });

  it("what is the operator's is answered to who has the key alone, and counts in nobody's figures", async () => {
    const since = Date.now();
    const paths = ["/_stcore/script-health-check", "/script-health-check", "/_stcore/script-health-check/", "/%5fstcore/script-health-check?x", "/_stcore/metrics", "/st-metrics"];
    for (const path of paths) {
      const refused = await ask(`${bench.url}${path}`, { headers: { "X-Release-Key": "0".repeat(64) } });
      assert.deepEqual([refused.status, refused.by], [404, ""], path);
    }
    const { previewKey, controlUrl, baseUrl } = await live();
    assert.notEqual(controlUrl, baseUrl);
    for (const url of [controlUrl, baseUrl]) {
      const shown = await ask(`${url}/_stcore/script-health-check`, { headers: previewHeaders(previewKey, app.containers[1] ?? "", app.port) });
      assert.deepEqual([shown.status, shown.by], [200, app.containers[1]]);
    }
    assert.equal((await ask(`${controlUrl}/`, { headers: PAGE })).status, 404, "the operator's entrance is no way in");
    assert.deepEqual(tally(await logged(since)), {});
  });

  it("who fills the users' entrance keeps out neither the operator nor a move of traffic", async () => {
    await options({ connections: 100 });
    await hold(150);
    const other = await bench.start("v2.0.0");
    const { previewKey, controlUrl } = await live();
    const shown = await ask(`${controlUrl}/`, { headers: previewHeaders(previewKey, other.containers[0] ?? "", other.port) });
    assert.equal(shown.by, other.containers[0]);
    const { tookMs } = await bench.apply({ serving: other, former: app });
    process.stdout.write(`    traffic moved in ${tookMs} ms while the users' entrance was full\n`);
    await bench.apply({ serving: app, former: other, abandoned: true });
  });

  it("4,100 held connections leave users their answers, and end by themselves", async () => {
    await hold(4100);
    assert.equal((await ask(`${bench.url}/`, { headers: PAGE })).status, 200);
    const { tookMs } = await bench.apply({ serving: app, former: null });
    assert.equal((await ask(`${bench.url}/`, { headers: PAGE })).status, 200);
    process.stdout.write(`    traffic moved in ${tookMs} ms beside 4,100 held connections\n`);
    await waitFor("all of them to be ended", () => held.every((socket) => socket.closed || socket.readableEnded), { withinMs: 60_000 });
  });

  it("a source has its share of connections, and others have theirs", async () => {
    await options({ connectionsPerSource: 10 });
    const { controlUrl } = await live();
    const host = new URL(controlUrl).hostname;
    const open = `import socket, time
all = []
for n in range(20):
    s = socket.create_connection(("${host}", 8080)); all.append(s)
time.sleep(1)
ended = 0
for s in all:
    s.setblocking(False)
    try:
        if s.recv(100) == b"": ended += 1
    except BlockingIOError: pass
    except ConnectionError: ended += 1
print(ended)`;
    const { stdout } = await execIn(app.containers[0] ?? "", ["python3", "-c", open], { timeoutMs: 30_000 });
    assert.equal(stdout.trim(), "10");
    await Promise.all(Array.from({ length: rounds(15, 30) }, async () => assert.equal((await ask(`${bench.url}/`, { headers: PAGE })).status, 200)));
  });

  it("a head or a body that does not come is not waited for", async () => {
    await options({ timeouts: { ...DEFAULT_OPTIONS.timeouts, headers: 1000 } });
    await hold(3);
    await waitFor("them to be ended", () => held.every((socket) => socket.closed || socket.readableEnded), { withinMs: 10_000 });
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = dial(bench.port, "127.0.0.1", () => socket.write("POST /_stcore/upload_file/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"));
      socket.once("data", (data) => resolve(data.toString("utf8")));
      socket.once("error", reject);
      held.push(socket);
    });
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.equal((await ask(`${bench.url}/_stcore/upload_file/a/b`, { method: "PUT", body: "x".repeat(200_000) })).status, 200);
  });

  it("headers about the client are believed of trusted proxies alone, and tell clients apart", async () => {
    const forged = { "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "https", Forwarded: "for=203.0.113.7", "X-Real-IP": "203.0.113.7" };
    const stranger = await ask(`${bench.url}/`, { headers: forged });
    assert.deepEqual(["x-forwarded-host", "forwarded", "x-real-ip"].map((name) => stranger.given[name]), [undefined, undefined, undefined]);
    assert.match(stranger.given["x-forwarded-for"] ?? "", /^(172|192\.168)\./);
    assert.equal(stranger.given["x-forwarded-proto"], "http");

    await options({ trusted: DOCKER_NETWORKS });
    const since = Date.now();
    for (const ip of ["203.0.113.7", "203.0.113.8", "198.51.100.1, 203.0.113.8"]) {
      const { given } = await ask(`${bench.url}/`, { headers: { ...forged, "X-Forwarded-For": ip } });
      assert.deepEqual([given["x-forwarded-for"], given["x-forwarded-proto"], given["x-real-ip"]], [ip, "https", "203.0.113.7"]);
    }
    const clients = (await logged(since)).map(({ client }) => client);
    assert.ok(clients.every((client) => /^[0-9A-F]{16}$/.test(client)), clients.join());
    assert.equal(new Set(clients).size, 2, "what a client adds before its proxy does not make it another one");
  });

  it("the operator says how long an answer and how large a head may be", async () => {
    const large = { Cookie: `login=${"x".repeat(30_000)}` };
    // 400 of HAProxy 2.6, 431 of 3.2.
    assert.ok([400, 431].includes((await ask(`${bench.url}/`, { headers: large })).status));
    await options({ headerBytes: 48 * 1024, timeouts: { ...DEFAULT_OPTIONS.timeouts, answer: 1000 } });
    assert.equal((await ask(`${bench.url}/`, { headers: large })).status, 200);
    const slow = await bench.start("v1.1.0", 1, 8501, ["DELAY_MS=2500"]);
    await bench.apply({ serving: slow });
    assert.equal((await ask(`${bench.url}/?n=1`)).status, 504);
    await options({ timeouts: { ...DEFAULT_OPTIONS.timeouts, answer: 60_000, idle: 1000 } });
    assert.equal((await ask(`${bench.url}/?n=1`)).status, 200, "a client that waits is not idle");
    await bench.apply({ serving: app });
  });

  it("slow is not dead: replicas whose health checks time out serve on, one that has ended does not", async () => {
    const slow = await bench.start("v1.2.0");
    await bench.apply({ serving: slow });
    const { previewKey, ...front } = await live();
    for (const name of slow.containers) await ask(`${entranceOf({ ...front, previewKey }).baseUrl}/tell?health_ms=20000`, { headers: previewHeaders(previewKey, name, slow.port) });
    const since = Date.now();
    await waitFor("no replica to pass its health check", async () => {
      const answer = await ask(`${bench.url}/`, { headers: PAGE });
      assert.equal(answer.status, 200);
      return (await logged(since)).some(({ backend }) => backend === `failopen_app_${slow.revision}`);
    }, { withinMs: 60_000, everyMs: 500 });
    const user = await connect(bench.url);
    await user.leave();
    const by = await Promise.all(Array.from({ length: 6 }, async () => (await ask(`${bench.url}/`, { headers: PAGE })).by));
    assert.deepEqual([...new Set(by)].sort(), slow.containers);
    await docker().getContainer(slow.containers[1] ?? "").remove({ force: true });
    await waitFor("the ended one to have no share", async () => {
      const answers = await Promise.all(Array.from({ length: 6 }, () => ask(`${bench.url}/`, { headers: PAGE })));
      assert.ok(answers.every(({ status }) => status === 200), "a connection that is refused is tried elsewhere");
      return answers.every((answer) => answer.by === slow.containers[0]);
    }, { withinMs: 30_000 });
    await bench.apply({ serving: app });
  });
});
