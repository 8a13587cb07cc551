/** The gate's whole work on real containers. The front door is a small one of the test's own, which leads by the preview header. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axios from "axios";
import type { GateInputs } from "../../components/gate/model.js";
import { performGate } from "../../components/gate/perform.js";
import { probeOnce } from "../../components/gate/probe-once.js";
import { docker, hostPort, inspect } from "../../components/runtime/docker.js";
import { ReleaseError } from "../../components/runtime/errors.js";
import { readEvents, type JournalEvent } from "../../components/runtime/journal.js";
import { labels } from "../../components/runtime/labels.js";
import { acquire } from "../../components/runtime/lock.js";
import { dataPaths } from "../../components/runtime/paths.js";
import { removeStack } from "../support/docker.js";
import { stackName } from "../support/names.js";
import { mustRun } from "../support/processes.js";
import { waitFor } from "../support/wait.js";

const PORT = 8501;
const KEY = "preview-key";
const API_KEY = "qdrant-key-4711";

/** Answers as Streamlit does. `SCRIPT` is what its script check says. */
const APP = `
import http.server, os, sys
print("serving with " + os.environ["API_KEY"], flush=True)
if os.environ["SCRIPT"] != "ok":
    print("Traceback (most recent call last):\\n  File \\"app.py\\", line 1\\nRuntimeError: broken on purpose", flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        script = self.path == "/_stcore/script-health-check"
        body = os.environ["SCRIPT"] if script else "<html>" if self.path == "/" else "ok"
        self.send_response(503 if script and body != "ok" else 200)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("", ${PORT}), Handler).serve_forever()
`;

describe("gate on real Docker", function () {
  this.timeout(60_000);
  const stack = stackName("gate");
  const prefix = `pbjrag-${stack}`;
  const qdrant = `${prefix}-qdrant-0`;
  let dir: string;
  let front: Server;

  before(async () => {
    front = createServer((incoming, outgoing) => {
      const name = String(incoming.headers["x-release-preview"]);
      void hostPort(name, PORT).then((port) => {
        if (port === null || incoming.headers["x-release-key"] !== KEY) return outgoing.writeHead(503).end();
        return request({ port, path: incoming.url }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502);
          answer.pipe(outgoing);
        }).on("error", () => outgoing.writeHead(503).end()).end();
      });
    });
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
    await start(qdrant, "qdrant", { Image: "qdrant/qdrant:v1.19.0", Env: [`QDRANT__SERVICE__API_KEY=${API_KEY}`] }, 6333);
    const port = await waitFor("Qdrant's port", () => hostPort(qdrant, 6333));
    const client = axios.create({ baseURL: `http://127.0.0.1:${port}`, headers: { "api-key": API_KEY }, proxy: false });
    await waitFor("Qdrant", async () => (await client.get("/collections")).status === 200);
    await client.put("/collections/docs", { vectors: { size: 2, distance: "Dot" } });
    await client.put("/collections/docs/points?wait=true", { points: [1, 2, 3].map((id) => ({ id, vector: [id, 1] })) });
  });
  after(async () => {
    front.close();
    await removeStack(stack);
  });
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "pbjrag-gate-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  async function start(name: string, role: "app" | "qdrant", options: object, port: number, host: object = {}): Promise<void> {
    const container = await docker().createContainer({
      name, Labels: labels({ stack, role }), ExposedPorts: { [`${port}/tcp`]: {} },
      HostConfig: { PortBindings: { [`${port}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: "0" }] }, ...host },
      ...options,
    });
    await container.start();
  }

  async function app(name: string, code: string, script: string, host: object = {}): Promise<string> {
    const container = `${prefix}-app-${name}-1`;
    await start(container, "app", { Image: "python:3.11-slim", Cmd: ["python3", "-c", code], Env: [`SCRIPT=${script}`, "API_KEY=app-key-0815"] }, PORT, host);
    return container;
  }

  const inputs = (container: string, change: Partial<GateInputs> = {}): GateInputs => ({
    stack, revision: "v1-0a1b", tag: "v1.0.0", role: "serving", attempt: "", containers: [container], port: PORT, healthPath: "/_stcore/health",
    scriptPath: "/_stcore/script-health-check", passes: 3, intervalMs: 100, deadlineMs: 20_000, requestTimeoutMs: 2000, secretEnv: [],
    qdrant: { container: qdrant, before: { docs: 3 } }, dataDir: dir, ...change,
  });
  const live = (): Promise<{ baseUrl: string; previewKey: string }> => Promise.resolve({ baseUrl: `http://127.0.0.1:${(front.address() as AddressInfo).port}`, previewKey: KEY });
  const events = (): JournalEvent[] => readEvents(dataPaths(dir, stack));

  async function failing(given: GateInputs): Promise<{ error: ReleaseError; tookMs: number; log: string }> {
    const began = performance.now();
    const error = await performGate(given, live).then(() => assert.fail("it passed"), (thrown: unknown) => thrown);
    assert.ok(error instanceof ReleaseError, String(error));
    const tookMs = performance.now() - began;
    const logs = join(dir, "logs");
    const [file = ""] = readdirSync(logs);
    assert.match(file, /^app-v1-0a1b-\d{8}-\d{6}\.log$/);
    assert.equal(statSync(join(logs, file)).mode & 0o777, 0o600);
    const last = events().at(-1);
    assert.deepEqual([last?.phase, last?.event, last?.data?.code, last?.data?.exitCode], ["gate", "failed", "gateFailed", 3]);
    return { error, tookMs, log: readFileSync(join(logs, file), "utf8") };
  }

  it("passes what is well, waits while it starts, and tells what it measured", async () => {
    const container = await app("well", `import time\ntime.sleep(1)\n${APP}`, "ok");
    const { measured, ...kept } = await performGate(inputs(container), live);
    assert.deepEqual(kept, inputs(container));
    assert.deepEqual(measured.collections, { docs: { status: "green", count: 3 } });
    assert.ok(measured.rounds > 3 && measured.passes === 3 && measured.probes === measured.rounds * 3);
    assert.match(measured.qdrantVersion, /^1\./);
    assert.deepEqual([events()[0]?.event, events().at(-1)?.event], ["start", "done"]);
    const samples = readFileSync(join(dataPaths(dir, stack).run, "gate-v1-0a1b.ndjson"), "utf8").trimEnd().split("\n");
    assert.equal(samples.length, measured.rounds);
    assert.deepEqual(readdirSync(dir), [".release"]);

    const { requestTimeoutMs, healthPath, scriptPath } = inputs(container);
    const once = { stack, port: PORT, healthPath, scriptPath, requestTimeoutMs, secretEnv: [], qdrantContainer: qdrant };
    const [good, bad, none] = await Promise.all([
      probeOnce({ ...once, containers: [container] }, live),
      probeOnce({ ...once, containers: [container, `${container}-not`] }, live),
      probeOnce({ ...once, containers: [container] }, () => Promise.resolve(null)),
    ]);
    assert.deepEqual([good.ok, good.reason], [true, ""]);
    assert.match(bad.reason, /-not is not there/);
    assert.match(none.reason, /front door is not there/);
  });

  it("one look before a warm rollback runs nothing in the containers: a HEALTHCHECK may take as long as it likes", async () => {
    const container = `${prefix}-app-slow-1`;
    const Healthcheck = { Test: ["CMD-SHELL", "sleep 20"], Interval: 3_600_000_000_000, Timeout: 25_000_000_000 };
    await start(container, "app", { Image: "python:3.11-slim", Cmd: ["python3", "-c", APP], Env: ["SCRIPT=ok", "API_KEY=k"], Healthcheck, HostConfig: { PortBindings: { [`${PORT}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: "0" }] } } }, PORT);
    const { healthPath } = inputs(container);
    const look = (): ReturnType<typeof probeOnce> => probeOnce({ stack, port: PORT, containers: [container], healthPath, scriptPath: "", requestTimeoutMs: 5000, secretEnv: [], qdrantContainer: "" }, live);
    await waitFor("the app", async () => (await look()).ok);
    const began = performance.now();
    assert.equal((await look()).ok, true);
    assert.ok(performance.now() - began < 5000, `${performance.now() - began} ms`);
  });

  it("says of an app that listens on 127.0.0.1 only what is wrong with it", async () => {
    const container = await app("loopback", APP.replace('("", ', '("127.0.0.1", '), "ok");
    const { error } = await failing(inputs(container));
    assert.match(error.message, /listens on 127\.0\.0\.1 only, .*--server\.address=0\.0\.0\.0/);
  });

  it("fails a release whose user can work with no upload, and passes it after what it advises", async () => {
    const volume = `${prefix}-uploads-0`;
    await docker().createVolume({ Name: volume, Labels: labels({ stack, role: "data" }) });
    const mounted = { HostConfig: { PortBindings: { [`${PORT}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: "0" }] }, CapDrop: ["ALL"], Mounts: [{ Type: "volume", Source: volume, Target: "/app/uploads" }] } };
    const container = `${prefix}-app-user-1`;
    const Healthcheck = { Test: ["CMD-SHELL", "no-such-tool http://127.0.0.1"], Interval: 3_600_000_000_000 };
    await start(container, "app", { Image: "python:3.11-slim", User: "1000", Cmd: ["python3", "-c", APP], Env: ["SCRIPT=ok", "API_KEY=k"], Healthcheck, ...mounted }, PORT);
    const { error } = await failing(inputs(container));
    assert.match(error.message, /cannot write to \/app\/uploads, where uploads go, as its user 1000:/);
    const [command = ""] = /docker run [^)]*/.exec(error.message) ?? [];
    await mustRun("sh", ["-c", command], { cwd: dir });
    rmSync(join(dir, "logs"), { recursive: true });
    const { measured } = await performGate(inputs(container), live);
    assert.match(measured.notes?.join() ?? "", /the image's HEALTHCHECK fails with exit code 127 \(.*no-such-tool: not found\)/);
    assert.match(events().at(-1)?.message ?? "", /HEALTHCHECK fails/);
    await mustRun("docker", ["exec", "-u", "0", container, "sh", "-c", "mkdir /app/uploads/d && echo x > /app/uploads/d/f && chmod 600 /app/uploads/d/f"], { cwd: dir });
    assert.match((await failing(inputs(container))).error.message, /cannot read .*\/app\/uploads\/d\/f/);
  });

  it("fails a container that exits, at once, with its last words and its log", async () => {
    const container = await app("exits", "import os, sys\nprint('key is', os.environ['API_KEY'])\nprint('no configuration found')\nsys.exit(7)", "ok");
    await waitFor("its end", async () => (await inspect(container)).State.Status === "exited");
    const { error, tookMs, log } = await failing(inputs(container));
    assert.ok(tookMs < 3000, `${tookMs} ms`);
    assert.match(error.message, new RegExp(`^v1\\.0\\.0 \\(v1-0a1b\\) did not pass the gate, no user was sent to it: container ${container} has ended with exit code 7; its log ends with: no configuration found\\. Next: read logs/app-v1-0a1b-`));
    assert.deepEqual(error.lines, ["key is ***", "no configuration found"]);
    assert.equal(log, `==> ${container}\nkey is ***\nno configuration found\n`);
  });

  it("fails a container that Docker restarts again and again", async () => {
    const container = await app("loops", "raise SystemExit(3)", "ok", { RestartPolicy: { Name: "always" } });
    await waitFor("a restart", async () => (await inspect(container)).RestartCount > 0);
    const { error, tookMs } = await failing(inputs(container));
    assert.match(error.message, /crashes again and again|was restarted/);
    assert.ok(tookMs < 5000, `${tookMs} ms`);
  });

  it("fails one whose child ran out of memory, though it goes on with exit code 0", async () => {
    const eater = "import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', 'x = bytearray(200_000_000); x[::4096] = b\"1\" * len(x[::4096])'])\nprint('went on', flush=True)\ntime.sleep(600)";
    const container = await app("memory", eater, "ok", { Memory: 64 * 1024 * 1024, MemorySwap: 64 * 1024 * 1024 });
    const { error } = await failing(inputs(container));
    assert.equal((await inspect(container)).State.ExitCode, 0);
    assert.match(error.message, /ran out of memory: the kernel killed a process in it \(OOMKilled\)/);
  });

  it("fails a script that raises well before the deadline, with the exception", async () => {
    const container = await app("raises", APP, "error");
    const { error, tookMs, log } = await failing(inputs(container, { deadlineMs: 8000 }));
    assert.match(error.message, /its script raises an error \(GET \/_stcore\/script-health-check answered 503\); its log ends with: RuntimeError: broken on purpose\. Next/);
    assert.ok(tookMs < 5000, `${tookMs} ms`);
    assert.match(log, /serving with \*\*\*/);
    assert.ok(events().some(({ event, message }) => event === "progress" && /raises/.test(message)));
  });

  it("fails when a collection lost its points or is gone", async () => {
    const container = await app("store", APP, "ok");
    const { error } = await failing(inputs(container, { qdrant: { container: qdrant, before: { docs: 3, other: 5 } } }));
    assert.match(error.message, /collection other is missing, it had 5 points before the release\. Next: see the container's state/);
  });

  it("does not begin while another release is under way", async () => {
    const lock = await acquire({ paths: dataPaths(dir, stack), run: "other", command: "deploy" });
    await assert.rejects(performGate(inputs("none"), live), (error: unknown) => error instanceof ReleaseError && error.code === "lockHeld");
    assert.deepEqual(events(), []);
    await lock.release();
  });
});
