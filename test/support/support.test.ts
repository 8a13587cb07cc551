import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { realPulumi } from "./engine.js";
import { freePort, stackName } from "./names.js";
import { lastLineOf, run, start, treeOf, withEnvironment } from "./processes.js";
import { fromSeed } from "./random.js";
import { encodings, leaksBelow, leaksIn, plantedSecret, watchArguments } from "./secrets.js";
import { waitFor } from "./wait.js";

describe("test support: seeded choices", () => {
  const draw = (seed: number): unknown[] => {
    const random = fromSeed(seed);
    return [random.int(1, 1000), random.pick(["a", "b", "c"]), random.bytes(8).toString("hex"), random.shuffled([1, 2, 3, 4, 5])];
  };

  it("repeat with their seed and differ without", () => {
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  it("stay in bounds and reach both ends", () => {
    const random = fromSeed(1);
    const drawn = Array.from({ length: 500 }, () => random.int(3, 6));
    assert.deepEqual([...new Set(drawn)].sort(), [3, 4, 5, 6]);
  });
});

describe("test support: waiting", () => {
  it("returns what the probe gives at last", async () => {
    let left = 3;
    assert.equal(await waitFor("three tries", () => (--left > 0 ? null : "here"), { everyMs: 1 }), "here");
  });

  it("says what did not come, and the last error", async () => {
    await assert.rejects(waitFor("the moon", () => { throw new Error("clouds"); }, { withinMs: 20, everyMs: 5 }), /not within 0.02 s: the moon \(last: clouds\)/);
  });
});

describe("test support: names and ports", () => {
  it("are the test's own", async () => {
    assert.match(stackName("story"), /^t-story-[0-9a-f]{6}$/);
    assert.ok(stackName("a-very-long-description-of-a-test").length <= 31);
    const port = await freePort();
    await assert.rejects(new Promise((resolve, reject) => connect(port, "127.0.0.1", () => resolve(null)).once("error", reject)), /ECONNREFUSED/);
  });
});

describe("test support: processes", function () {
  const cwd = tmpdir();

  it("tell output, last line and exit code", async () => {
    const ended = await run("sh", ["-c", "echo out; echo err >&2; sleep 0.2; printf '\\033[31mdone \\033[0m\\n\\n'; exit 3"], { cwd });
    assert.deepEqual([ended.exitCode, ended.lastLine, ended.stderr, ended.timedOut], [3, "done", "err\n", false]);
    assert.equal(lastLineOf("a\r\nb\n\n"), "b");
  });

  it("are killed with all that they started when their time is up", async () => {
    const mark = stackName("mark");
    const ended = await run("sh", ["-c", "sleep 60 & sleep 60"], { cwd, env: { PBJRAG_TEST_MARK: mark }, timeoutMs: 300 });
    assert.ok(ended.timedOut);
    await waitFor("all to be gone", () => withEnvironment("PBJRAG_TEST_MARK", mark).length === 0, { withinMs: 3000 });
  });

  it("are found by parent and by environment", async () => {
    const mark = stackName("mark");
    const running = start("sh", ["-c", "sleep 60 & sleep 60; :"], { cwd, env: { PBJRAG_TEST_MARK: mark } });
    await waitFor("three processes", () => treeOf(running.pid).length === 3);
    assert.deepEqual(withEnvironment("PBJRAG_TEST_MARK", mark).sort(), treeOf(running.pid).sort());
    running.killTree();
    assert.equal((await running.ended).exitCode, 137);
  });
});

describe("test support: planted secrets", () => {
  const secret = plantedSecret();

  it("are found in each encoding", () => {
    const forms = [
      secret, JSON.stringify({ a: secret }), JSON.stringify(JSON.stringify({ a: secret })), encodeURIComponent(secret), Buffer.from(secret).toString("hex"),
      ...[0, 1, 2, 3, 4].map((n) => Buffer.from(`${"x".repeat(n)}${secret}yyyy`).toString("base64")),
      Buffer.from(secret).toString("base64url"),
    ];
    for (const form of forms) assert.notDeepEqual(leaksIn("here", `before ${form} after`, secret), [], form);
    assert.deepEqual(leaksIn("here", `before ${plantedSecret()} after`, secret), []);
    assert.ok(Object.values(encodings(secret)).every((written) => written.length > 20));
  });

  it("are found in files, archives and names", () => {
    const dir = mkdtempSync(join(tmpdir(), "pbjrag-leak-"));
    try {
      writeFileSync(join(dir, "clean.txt"), "nothing");
      assert.deepEqual(leaksBelow(dir, secret), []);
      writeFileSync(join(dir, "a.tar.gz"), gzipSync(`data ${secret}`));
      writeFileSync(join(dir, Buffer.from(secret).toString("hex")), "x");
      assert.deepEqual(leaksBelow(dir, secret).map(({ encoding }) => encoding).sort(), ["hex", "plain"]);
      assert.deepEqual(leaksBelow(dir, secret, [join(dir, "a.tar")]).map(({ encoding }) => encoding), ["hex"]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("are found in the arguments of processes", async () => {
    const stop = watchArguments(secret);
    await run("sh", ["-c", "sleep 0.2; :", secret], { cwd: tmpdir() });
    assert.notDeepEqual(stop(), []);
  });
});

describe("test support: the engine", () => {
  it("does not take our own wrapper for the real pulumi", () => {
    const dir = mkdtempSync(join(tmpdir(), "pbjrag-engine-"));
    try {
      assert.equal(realPulumi(join(dir, ".release", "bin")), null);
      writeFileSync(join(dir, "pulumi"), "#!/bin/sh\n", { mode: 0o755 });
      assert.equal(realPulumi(`${join(dir, ".release", "bin")}:${dir}`), join(dir, "pulumi"));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
