import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { commandChannel } from "../../components/notify/hook.js";
import { notifyEventSchema, Refused } from "../../components/notify/model.js";
import { isAlive } from "../../components/runtime/liveness.js";
import { waitFor } from "../support/wait.js";
import { eventOf } from "./sample.js";

describe("notify/hook", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), "hook-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const hook = (script: string): string => {
    writeFileSync(path.join(dir, "hook.sh"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return "./hook.sh";
  };
  const failure = async (file: string, timeoutMs = 5000): Promise<Error> => {
    const error: unknown = await commandChannel(file, timeoutMs, dir).send(eventOf()).then(() => null, (thrown: unknown) => thrown);
    assert.ok(error instanceof Error);
    return error;
  };

  it("gives the event as JSON, and nothing of Pulumi's", async () => {
    process.env["PULUMI_CONFIG_PASSPHRASE"] = "hunter2";
    try {
      await commandChannel(hook("cat > event; env > env"), 5000, dir).send(eventOf());
    } finally {
      delete process.env["PULUMI_CONFIG_PASSPHRASE"];
    }
    assert.deepEqual(notifyEventSchema.parse(JSON.parse(readFileSync(path.join(dir, "event"), "utf8"))), eventOf());
    const env = readFileSync(path.join(dir, "env"), "utf8");
    assert.match(env, /^PATH=/m);
    assert.doesNotMatch(env, /PULUMI|hunter2/);
  });
  it("takes any other exit code than 0 for not sent, with what was said", async () => {
    assert.equal((await failure(hook("echo no >&2; exit 7"))).message, "it ended with 7: no");
    assert.ok((await failure("./nothing-here")) instanceof Refused);
  });
  it("is content with one that does not read", async () => {
    await commandChannel(hook("exit 0"), 5000, dir).send(eventOf({ lines: ["x".repeat(500_000)] }));
  });
  it("ends one that hangs, with what it has started", async () => {
    const began = performance.now();
    assert.match((await failure(hook("sleep 600 & echo $! > pid; wait"), 500)).message, /did not end within 500 ms/);
    assert.ok(performance.now() - began < 5000);
    assert.equal(existsSync(path.join(dir, "pid")), true);
    // It was killed; the system takes a moment to be done with it.
    const started = { pid: Number(readFileSync(path.join(dir, "pid"), "utf8")), startTime: null };
    await waitFor("what it has started is gone", () => !isAlive(started));
  });
});
