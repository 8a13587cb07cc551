import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { isAlive, readStat, startTimeOf } from "../../components/runtime/liveness.js";
import { endFormerRuns, endRun, findRun, runEnv } from "../../components/runtime/processes.js";

describe("runtime/processes", () => {
  const children: ChildProcess[] = [];
  const runId = (): string => `test-${randomBytes(4).toString("hex")}`;

  async function start(run: string, script: string, more: Record<string, string> = {}): Promise<ChildProcess> {
    const child = spawn("sh", ["-c", `${script}`], { env: { ...process.env, PBJRAG_RUN: run, ...more }, stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    await once(child.stdout, "data");
    return child;
  }

  afterEach(() => {
    for (const child of children.splice(0)) {
      child.kill("SIGKILL");
    }
  });

  it("finds a run's processes and their children, and ends them", async () => {
    const run = runId();
    await start(run, "sleep 60 & echo ready; wait");
    const other = await start(`${run}0`, "echo ready; exec sleep 60");
    assert.equal(findRun(run).length, 2);
    assert.ok(findRun(run).every((found) => found.command.includes("sleep") && found.startTime !== null));
    const ended = await endRun(run);
    assert.equal(ended.length, 2);
    assert.deepEqual(findRun(run), []);
    assert.equal(findRun(`${run}0`)[0]?.pid, other.pid);
    assert.deepEqual(await endRun(run), []);
  });

  it("ends what all former holders of a lock left, and nobody else's", async () => {
    const lock = `/lock/${runId()}`;
    const sleeper = async (fence: number, of = lock): Promise<number | undefined> => {
      const run = runId();
      return (await start(run, "echo ready; exec sleep 60", runEnv({ run, lock: of, fence }))).pid;
    };
    const former = [await sleeper(2), await sleeper(9)];
    const others = [await sleeper(10), await sleeper(11), await sleeper(3, `${lock}-of-another`)];
    // A preview holds no lock.
    others.push((await start(runId(), "echo ready; exec sleep 60", { PBJRAG_LOCK: lock })).pid);
    const ended = await endFormerRuns({ lock, fence: 10 });
    assert.deepEqual(ended.map(({ pid }) => pid).sort(), former.sort());
    assert.ok(others.every((pid) => pid !== undefined && isAlive({ pid, startTime: null })));
  });

  it("kills what ignores SIGTERM", async () => {
    const run = runId();
    const child = await start(run, "trap '' TERM; echo ready; while :; do sleep 0.1; done");
    const exited = once(child, "exit");
    await endRun(run, { graceMs: 200 });
    assert.deepEqual(await exited, [null, "SIGKILL"]);
  });

  it("spares itself and its ancestors", async () => {
    const run = runId();
    const script = `const { endRun } = require(${JSON.stringify(require.resolve("../../components/runtime/processes.js"))});
      endRun(${JSON.stringify(run)}).then((ended) => console.log("ended", ended.length));`;
    // The shell and the node process in it carry the run's id, as a command of that run would.
    const child = spawn("sh", ["-c", `"${process.execPath}" -e "$SCRIPT"; echo parent lives`], { env: { ...process.env, PBJRAG_RUN: run, SCRIPT: script } });
    children.push(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await once(child, "exit");
    assert.equal(output, "ended 0\nparent lives\n");
  });
});

describe("runtime/liveness", () => {
  it("tells a process from another one with its number", () => {
    const startTime = startTimeOf(process.pid);
    assert.ok(startTime !== null && isAlive({ pid: process.pid, startTime }));
    assert.ok(!isAlive({ pid: process.pid, startTime: startTime - 1 }));
    assert.ok(isAlive({ pid: process.pid, startTime: null }));
    assert.equal(readStat(process.pid)?.parent, process.ppid);
  });

  it("counts what cannot be a process as dead", () => {
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 30]) {
      assert.ok(!isAlive({ pid, startTime: null }));
    }
  });
});
