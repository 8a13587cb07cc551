/** The rooms' Docker helpers on a real daemon, and what they say where there is none. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertDocker, docker, hadOom, hostPort, inspect, inspectOrNull, listByLabels, removeContainer } from "../../components/runtime/docker.js";
import { execIn, logTail, putFiles, readFile } from "../../components/runtime/docker-exec.js";
import { ReleaseError } from "../../components/runtime/errors.js";
import { labels } from "../../components/runtime/labels.js";
import { removeStack } from "../support/docker.js";
import { stackName } from "../support/names.js";
import { waitFor } from "../support/wait.js";

const IMAGE = "python:3.11-slim";

function coded(code: string, words: RegExp = /./): (error: unknown) => boolean {
  return (error) => error instanceof ReleaseError && error.code === code && words.test(error.message);
}

describe("runtime/docker on real Docker", function () {
  this.timeout(60_000);
  const stack = stackName("docker");
  const name = `pbjrag-${stack}-app-1`;

  before(async () => {
    const container = await docker().createContainer({
      name, Image: IMAGE, Labels: labels({ stack, role: "app", revision: "r-1" }), ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
      Cmd: ["sh", "-c", "echo to stdout; echo to stderr >&2; exec sleep 600"],
      HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "0" }] }, Init: true },
    });
    await container.start();
  });
  after(() => removeStack(stack));

  it("finds containers by their labels", async () => {
    assert.deepEqual((await listByLabels({ stack, role: "app" }, { all: false })).map((found) => found.Names), [[`/${name}`]]);
    assert.deepEqual(await listByLabels({ stack, revision: "r-2" }, { all: true }), []);
  });

  it("knows what is there and what is not", async () => {
    assert.equal((await inspect(name)).State.Status, "running");
    assert.equal(await inspectOrNull(`${name}-not`), null);
    await assert.rejects(inspect(`${name}-not`), coded("containerMissing"));
    await removeContainer(`${name}-not`);
  });

  it("tells the host's port of a published one", async () => {
    const port = await hostPort(name, 80);
    assert.ok(port !== null && port > 1024);
    assert.deepEqual([await hostPort(name, 81), await hostPort(name, 82), await hostPort(`${name}-not`, 80)], [null, null, null]);
  });

  it("asks for out-of-memory kills up to the daemon's now, wherever this process's clock is", async () => {
    const real = Date.now;
    try {
      for (const years of [0, 1, -1]) {
        Date.now = () => real() + years * 365 * 24 * 3_600_000;
        assert.equal(await hadOom(name, () => new Date(0).toISOString()), false);
        assert.equal(await hadOom(name, () => new Date().toISOString()), false);
      }
    } finally {
      Date.now = real;
    }
  });

  it("runs a command and keeps its outputs apart", async () => {
    const result = await execIn(name, ["sh", "-c", "echo out; echo err >&2; exit 7"], { timeoutMs: 10_000 });
    assert.deepEqual(result, { exitCode: 7, stdout: "out\n", stderr: "err\n" });
    assert.deepEqual(await execIn(name, ["sh", "-c", 'echo "$A $(id -un)"'], { timeoutMs: 10_000, env: ["A=b c"], user: "nobody" }), { exitCode: 0, stdout: "b c nobody\n", stderr: "" });
  });

  it("hands it a large stdin to its end, and takes a large output", async () => {
    const input = Buffer.alloc(3_000_000, "0123456789ä\n");
    const counted = await execIn(name, ["wc", "-c"], { timeoutMs: 20_000, stdin: input });
    assert.deepEqual([counted.exitCode, Number(counted.stdout)], [0, input.length]);
    const echoed = await execIn(name, ["cat"], { timeoutMs: 20_000, stdin: input });
    assert.equal(echoed.stdout, input.toString("utf8"));
    assert.equal((await execIn(name, ["cat"], { timeoutMs: 20_000, stdin: input, maxBytes: 1000 })).stdout.length, input.subarray(0, 1000).toString("utf8").length);
    assert.equal((await execIn(name, ["cat"], { timeoutMs: 10_000, stdin: "" })).stdout, "");
  });

  it("ends a command that runs too long, and says so", async () => {
    const began = performance.now();
    await assert.rejects(execIn(name, ["sleep", "77"], { timeoutMs: 500 }), coded("execTimeout", /sleep 77: it ran for more than 500 ms and was killed/));
    await assert.rejects(execIn(name, ["sleep", "78"], { timeoutMs: 500, stdin: "x" }), coded("execTimeout"));
    assert.ok(performance.now() - began < 10_000);
    const left = await execIn(name, ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"], { timeoutMs: 10_000 });
    assert.doesNotMatch(left.stdout, /sleep 7[78]/);
  });

  it("says when a command cannot be run at all", async () => {
    const result = await execIn(name, ["no-such-command"], { timeoutMs: 10_000 }).catch((error: unknown) => error);
    // Docker tells it as exit code 126 or 127, or refuses.
    assert.ok(result instanceof ReleaseError || (result as { exitCode: number }).exitCode >= 126);
    await assert.rejects(execIn(`${name}-not`, ["true"], { timeoutMs: 10_000 }), coded("dockerFailed", /No such container/));
  });

  it("writes files with their modes and reads them back", async () => {
    await putFiles(name, "/tmp", [{ name: "a.txt", content: "ä\n" }, { name: "key", content: Buffer.from("secret"), mode: 0o600, uid: 65534, gid: 65534 }]);
    assert.deepEqual([await readFile(name, "/tmp/a.txt"), await readFile(name, "/tmp/key")], ["ä\n", "secret"]);
    assert.match((await execIn(name, ["stat", "-c", "%a %u %n", "/tmp/a.txt", "/tmp/key"], { timeoutMs: 10_000 })).stdout, /^644 0 \/tmp\/a\.txt\n600 65534 \/tmp\/key\n$/);
    assert.deepEqual([await readFile(name, "/tmp/none"), await readFile(name, "/tmp"), await readFile(`${name}-not`, "/tmp/a.txt")], [null, null, null]);
    await assert.rejects(putFiles(name, "/not/there", [{ name: "a", content: "" }]), coded("dockerFailed"));
  });

  it("reads the end of a log, both streams", async () => {
    const log = await waitFor("both lines", async () => {
      const text = await logTail(name, 10);
      return text.includes("stdout") && text.includes("stderr") ? text : null;
    });
    assert.deepEqual(log.trimEnd().split("\n").sort(), ["to stderr", "to stdout"]);
    assert.equal((await logTail(name, 1)).trimEnd().split("\n").length, 1);
    assert.equal(await logTail(`${name}-not`, 10), "");
  });

  it("reads files of a container that has ended", async () => {
    await docker().getContainer(name).kill();
    await waitFor("it to end", async () => (await inspect(name)).State.Status === "exited");
    assert.equal(await readFile(name, "/tmp/a.txt"), "ä\n");
  });
});

describe("runtime/docker without Docker", function () {
  this.timeout(20_000);
  let dir: string;
  const host = process.env.DOCKER_HOST;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "pbjrag-docker-"));
    process.env.DOCKER_HOST = `unix://${dir}/d.sock`;
  });
  afterEach(() => {
    if (host === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = host;
    rmSync(dir, { recursive: true, force: true });
  });

  it("says that it is not there and what to do", async () => {
    await assert.rejects(assertDocker(), coded("dockerUnavailable", /there is no such socket.*Next: run scripts\/setup\.sh/));
    await assert.rejects(inspectOrNull("x"), coded("dockerUnavailable"));
    await assert.rejects(execIn("x", ["true"], { timeoutMs: 1000 }), coded("dockerUnavailable"));
  });

  it("does not wait for a daemon that hangs", async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(`${dir}/d.sock`, resolve));
    await assert.rejects(assertDocker(300), coded("dockerUnavailable", /no answer within 300 ms/));
    server.close();
  });

  it("says that a daemon ended the connection", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(`${dir}/d.sock`, resolve));
    await assert.rejects(inspectOrNull("x"), coded("dockerUnavailable", /ended the connection/));
    server.close();
  });
});
