import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import { ReleaseError } from "../../components/runtime/errors.js";
import { startTimeOf, thisHost } from "../../components/runtime/liveness.js";
import { acquire, assertHolds, describeLock, HEARTBEAT_MS, type LockContent } from "../../components/runtime/lock.js";
import { FileLockStore } from "../../components/runtime/lock-store.js";
import { dataPaths, type DataPaths } from "../../components/runtime/paths.js";
import { rounds } from "../support/suite.js";

const CHILD = join(__dirname, "lock-child.js");

function coded(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ReleaseError && error.code === code;
}

describe("runtime/lock", () => {
  let dir: string;
  let paths: DataPaths;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "pbjrag-lock-"));
    paths = dataPaths(dir, "t");
  });

  afterEach(() => {
    for (const child of children.splice(0)) {
      child.kill("SIGKILL");
    }
    rmSync(dir, { recursive: true, force: true });
  });

  function start(roundCount: number): ChildProcess {
    const child = spawn(process.execPath, [CHILD, dir, "t", String(roundCount)], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    return child;
  }

  async function holding(): Promise<ChildProcess> {
    const child = start(0);
    assert.ok(child.stdout);
    await once(child.stdout, "data");
    return child;
  }

  async function kill(child: ChildProcess): Promise<void> {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  const mine = (): ReturnType<typeof acquire> => acquire({ paths, run: "mine", command: "deploy" });

  async function forge(change: Partial<LockContent>): Promise<void> {
    const at = new Date().toISOString();
    const self: LockContent = {
      run: "other", command: "deploy", ...thisHost(), pid: process.pid, startTime: startTimeOf(process.pid), startedAt: at, heartbeatAt: at, released: false,
    };
    await new FileLockStore(paths.lock).create(7, { ...self, ...change });
  }

  it("gives each holder a higher number, and says how it stands", async () => {
    assert.equal(describeLock(paths), null);
    const first = await mine();
    assert.equal(first.token, 1);
    assert.equal(describeLock(paths)?.state, "alive");
    await first.release();
    await first.release();
    assert.equal(describeLock(paths)?.state, "released");
    const second = await mine();
    assert.deepEqual([second.token, second.takenOver], [2, undefined]);
    await second.release();
  });

  it("refuses a second one with exit code 6 and tells who holds it", async () => {
    const first = await mine();
    await assert.rejects(mine(), (error: unknown) => {
      assert.ok(error instanceof ReleaseError);
      assert.deepEqual([error.code, error.exitCode], ["lockHeld", 6]);
      assert.match(error.message, new RegExp(`deploy, run mine \\(pid ${process.pid} on ${hostname()}\\)`));
      return true;
    });
    await first.release();
  });

  it("waits, tells once for whom, and gets it when it is released", async () => {
    const first = await mine();
    const waited: string[] = [];
    const second = acquire({ paths, run: "second", command: "rollback", wait: 10_000, onWait: (holder) => waited.push(holder.run) });
    setTimeout(() => void first.release(), 300);
    assert.equal((await second).token, 2);
    assert.deepEqual(waited, ["mine"]);
    await (await second).release();
  });

  it("lets 20 processes in one at a time", async () => {
    const times = rounds(1, 50);
    for (let time = 0; time < times; time++) {
      writeFileSync(join(dir, "counter"), "0");
      const codes = await Promise.all(Array.from({ length: 20 }, async () => (await once(start(3), "exit"))[0] as number));
      assert.deepEqual(codes, Array<number>(20).fill(0));
      assert.equal(readFileSync(join(dir, "counter"), "utf8"), "60");
    }
    assert.deepEqual(readdirSync(paths.lock).filter((name) => name.startsWith(".")), []);
    assert.ok(readdirSync(paths.lock).length <= 12);
  }).timeout(20_000 + rounds(1, 50) * 20_000);

  it("takes over from a killed process and says from whom", async () => {
    const child = await holding();
    await assert.rejects(mine(), coded("lockHeld"));
    for (const pid of [child.pid, 1]) writeFileSync(join(paths.lock, `.new-${pid}-2`), "");
    await kill(child);
    assert.equal(describeLock(paths)?.state, "dead");
    const lock = await mine();
    assert.deepEqual([lock.token, lock.takenOver?.run, lock.takenOver?.pid], [2, `child-${child.pid}`, child.pid]);
    assert.deepEqual(readdirSync(paths.lock).filter((name) => name.startsWith(".")), [".new-1-2"], "what it was writing is gone, not what another one writes");
    await lock.release();
  });

  it("counts a zombie as dead", async () => {
    const parent = spawn("sh", ["-c", "true & echo $!; exec sleep 30"], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(parent);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    await forge({ pid: Number(line.toString()), startTime: null });
    for (const until = Date.now() + 5000; describeLock(paths)?.state === "alive" && Date.now() < until; ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(describeLock(paths)?.state, "dead");
  });

  it("takes over when the number of the process was given to another one", async () => {
    await forge({ startTime: 1 });
    assert.equal((await mine()).takenOver?.run, "other");
  });

  it("does not take over from a process that it may not signal", async function () {
    // Process 1 belongs to root and lives; as root, the signal is allowed and says the same.
    await forge({ pid: 1, startTime: startTimeOf(1) });
    await assert.rejects(mine(), coded("lockHeld"));
  });

  it("judges a damaged file by its age", async () => {
    await forge({});
    writeFileSync(join(paths.lock, "000000000007"), "{");
    await assert.rejects(mine(), coded("lockHeld"));
  });

  it("gives signs of life until it is released, and none over who took it over", async () => {
    mock.timers.enable({ apis: ["setInterval", "Date"], now: Date.parse("2030-01-01T00:00:00Z") });
    try {
      const beats = async (): Promise<string | undefined> => {
        mock.timers.tick(HEARTBEAT_MS);
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        return describeLock(paths)?.holder.heartbeatAt;
      };
      const lock = await mine();
      assert.equal(await beats(), "2030-01-01T00:00:05.000Z");
      assert.equal(await beats(), "2030-01-01T00:00:10.000Z");
      assert.equal(describeLock(paths)?.holder.startedAt, "2030-01-01T00:00:00.000Z");
      await forge({ run: "thief" });
      await beats();
      await lock.release();
      assert.equal(describeLock(paths)?.holder.run, "thief");
      assert.equal(readFileSync(join(paths.lock, "000000000001"), "utf8").includes('"released":false'), true);
    } finally {
      mock.timers.reset();
    }
  });

  it("keeps its files to their owner", async () => {
    const lock = await mine();
    assert.equal(statSync(paths.lock).mode & 0o777, 0o700);
    assert.equal(statSync(join(paths.lock, "000000000001")).mode & 0o777, 0o600);
    await lock.release();
  });

  describe("assertHolds", () => {
    it("passes for the run whose number is the highest", async () => {
      const lock = await mine();
      assertHolds(paths, { PBJRAG_FENCE: String(lock.token) });
      await lock.release();
      assert.throws(() => assertHolds(paths, { PBJRAG_FENCE: String(lock.token) }), coded("lockLost"));
    });

    it("stops a run that was taken over, and one whose lock is gone", async () => {
      assert.throws(() => assertHolds(paths, { PBJRAG_FENCE: "1" }), coded("lockLost"));
      await kill(await holding());
      const lock = await mine();
      assert.throws(() => assertHolds(paths, { PBJRAG_FENCE: "1" }), /number 2 was given to deploy, run mine/);
      await lock.release();
    });

    it("stops a plain update while a release is under way, and only then", async () => {
      assertHolds(paths, {});
      const child = await holding();
      assert.throws(() => assertHolds(paths, {}), coded("lockHeld"));
      await kill(child);
      assertHolds(paths, {});
    });
  });
});
