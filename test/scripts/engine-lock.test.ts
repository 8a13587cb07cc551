import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { dataPaths } from "../../components/runtime/paths.js";
import { engineLock } from "../../scripts/cli/engine-lock.js";
import { type Running, start } from "../support/processes.js";

const YEAR = 365 * 24 * 3_600_000;

describe("Pulumi's own lock", () => {
  let dir: string;
  let running: Running | undefined;
  beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), "engine-lock-"))));
  afterEach(async () => {
    running?.killTree();
    await running?.ended;
    running = undefined;
    rmSync(dir, { recursive: true });
  });
  /** Whether a lock of this process, taken so long ago by today's clock, counts as held. */
  function alive(pid: number, agoMs: number): boolean | undefined {
    const locks = path.join(dir, ".pulumi/locks/organization/pbjrag/s");
    mkdirSync(locks, { recursive: true });
    writeFileSync(path.join(locks, "a.json"), JSON.stringify({ pid, username: "u", hostname: hostname(), timestamp: new Date(Date.now() - agoMs).toISOString() }));
    const ws = { projectDir: dir, stack: "s", stackFile: "", paths: dataPaths(".", "s", dir), env: { PULUMI_BACKEND_URL: `file://${dir}` } };
    return engineLock(ws)?.alive;
  }

  it("is held by a process that took it after it began", () => {
    assert.equal(alive(process.pid, 0), true);
  });

  it("is not held by a process that only got the number later, nor by none", async () => {
    running = start("sleep", ["60"], { cwd: dir });
    assert.equal(alive(running.pid, YEAR), false);
    running.killTree();
    await running.ended;
    assert.equal(alive(running.pid, 0), false);
  });

  it("stays held when the clock was set a year forward since, or back", () => {
    running = start("sh", ["-c", "sleep 60; :", "up"], { cwd: dir });
    assert.deepEqual([alive(running.pid, YEAR), alive(running.pid, -YEAR)], [true, true]);
  });
});
