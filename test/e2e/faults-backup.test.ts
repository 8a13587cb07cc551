/** What goes wrong in the backup, seen from `scripts/deploy.sh`: each step of the backup itself is in backup-faults. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { docker } from "../../components/runtime/docker.js";
import { containersOf, dockerAnswers } from "../support/docker.js";
import { LoopDisk } from "../support/loop.js";
import { type Ended, nodeProcess } from "../support/processes.js";
import { hasStrace, interfere } from "../support/strace.js";
import { fullOnly, rounds, suite } from "../support/suite.js";
import { type Before, TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";

const MiB = 1024 * 1024;
/** What a backup of one collection renames: its snapshot's mark, twice, and itself. */
const RENAMES = 3;

describe("e2e: a deploy whose backup fails", function () {
  this.timeout(300_000);
  let tiny: TinyStack;
  let was: Before;
  let number = 1;
  const version = (n: number): string => `v${n}.0.0`;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    tiny = await TinyStack.open("backup", { config: { backup: { scratchCpus: 1, scratchMemory: "256MiB", deadline: "60s" } } });
    tiny.commit(version(1));
    await tiny.released(version(1));
    await tiny.fill();
    tiny.commit(version(2));
    was = await tiny.look();
  });

  after(() => tiny?.remove());

  beforeEach(() => tiny.startProbes());

  /** Exit code 2 with the reason; the old release answered all the time, its data is as it was, and nothing is left. */
  async function refused(ended: Ended, why: RegExp): Promise<void> {
    assert.equal(ended.exitCode, 2, ended.all);
    assert.match(ended.lastLine, /^REFUSED, nothing touched \(exit 2\): .+ Next: .+/);
    assert.match(ended.lastLine, why);
    await tiny.answered(version(number));
    await tiny.assertAsBefore(was);
    assert.deepEqual(tiny.backups(), was.backups, "a directory that could be taken for a backup");
  }

  async function backupFailed(ended: Ended, why: RegExp): Promise<void> {
    const next = version(number + 1).replaceAll(".", "\\.");
    assert.match(ended.lastLine, new RegExp(`The backup before ${next} failed, so nothing was released and what serves is untouched: `));
    await refused(ended, why);
  }

  /** The same command again releases it. In the quick suite once, after the last fault. */
  async function goesThrough(once: "now" | "in the full suite" = "in the full suite"): Promise<void> {
    if (once === "in the full suite" && suite === "quick") return;
    number += 1;
    await tiny.released(version(number));
    const qdrant = await tiny.qdrant();
    assert.deepEqual(await qdrant.snapshots("code"), []);
    const marks = path.join(tiny.project.paths.run, "snapshots");
    assert.deepEqual(existsSync(marks) ? readdirSync(marks) : [], []);
    assert.deepEqual(await containersOf(tiny.project.stack, "scratch"), []);
    assert.equal(tiny.backups().length, was.backups.length + 1);
    tiny.assertNoRemains();
    const { data } = was;
    was = await tiny.look();
    assert.deepEqual(was.data, data);
    tiny.commit(version(number + 1));
  }

  /** Deploys, and does something to the system calls of the backup's process as soon as it is there. */
  async function deployWith(inject: string, meanwhile: () => Promise<unknown> = () => Promise.resolve()): Promise<Ended> {
    const running = tiny.project.startScript("deploy", ["--version", version(number + 1)], { env: { UV_THREADPOOL_SIZE: "1" } });
    const pid = await waitFor("the backup's process", () => nodeProcess("dist/components/backup/main.js", tiny.project.dir), { withinMs: 60_000, everyMs: 5 });
    const tracer = await interfere(pid, inject);
    await meanwhile();
    const ended = await running.ended;
    await tracer.ended;
    return ended;
  }

  const qdrantContainer = () => docker().getContainer(tiny.names.qdrantContainer("0"));

  /** Deploys with a small disk behind `backups/`; what is on it afterwards goes with it. */
  async function onDisk(bytes: number, deploy: (disk: LoopDisk) => Promise<Ended>): Promise<Ended | null> {
    const directory = path.join(tiny.project.dir, "backups");
    mkdirSync(directory, { recursive: true });
    const disk = await LoopDisk.mount(bytes, directory);
    if (disk === null) return null;
    try {
      const ended = await deploy(disk);
      assert.deepEqual(readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => !["ballast", "lost+found", tiny.project.stack].includes(name)), []);
      return ended;
    } finally {
      await disk.dispose();
    }
  }

  it("row 2: the backup's disk is full beforehand", async function () {
    const ended = await onDisk(8 * MiB, () => tiny.deploy(version(number + 1)));
    if (ended === null) return this.skip();
    await refused(ended, /the backup \(in dataDir\) need [\d.]+ MiB, and [\d.]+ MiB is free\. Next: make room/);
    await goesThrough();
  });

  fullOnly(() => {
    it("row 2: the backup's disk fills while it is made", async function () {
      const ended = await onDisk(256 * MiB, async (disk) => {
        const running = await tiny.deployUntil(version(number + 1), ({ phase, message }) => phase === "backup" && message.startsWith("to save:"));
        await disk.fill(0);
        return running.ended;
      });
      if (ended === null) return this.skip();
      await backupFailed(ended, /the backup may need [\d.]+ MiB in .+ and [\d.]+ MiB are free there/);
      await goesThrough();
    });
  });

  it("row 1: it is killed at a rename", async function () {
    if (!(await hasStrace())) this.skip();
    // The last of them gives the finished backup its name.
    for (let at = RENAMES - rounds(1, RENAMES) + 1; at <= RENAMES; at++) {
      tiny.startProbes();
      await backupFailed(await deployWith(`rename,renameat,renameat2:signal=KILL:when=${at}`), /its process ended before it was done/);
    }
    await goesThrough();
  });

  it("row 11: Qdrant is stopped", async () => {
    await qdrantContainer().stop();
    const ended = await tiny.deploy(version(number + 1));
    await qdrantContainer().start();
    await backupFailed(ended, /Qdrant \(container .+\) is not running \(exited, exit code \d+\).+docker start/);
    await goesThrough();
  });

  fullOnly(() => {
    it("row 4: fsync fails", async function () {
      if (!(await hasStrace())) this.skip();
      await backupFailed(await deployWith("fsync,fdatasync:error=EIO"), /could not be written: EIO/);
      await goesThrough();
    });

    it("row 12: Qdrant hangs in a snapshot, which then comes late and is removed by the next deploy", async function () {
      if (!(await hasStrace())) this.skip();
      const marks = path.join(tiny.project.paths.run, "snapshots");
      // The mark is renamed just before the snapshot is asked for: time enough to stop Qdrant in between.
      const ended = await deployWith("rename,renameat,renameat2:delay_exit=4000000:when=1", async () => {
        await waitFor("the snapshot's mark", () => existsSync(marks) && readdirSync(marks).some((name) => name.endsWith(".json")), { withinMs: 50_000, everyMs: 5 });
        await qdrantContainer().pause();
      });
      await qdrantContainer().unpause();
      const qdrant = await tiny.qdrant();
      await waitFor("the late snapshot", async () => (await qdrant.snapshots("code")).length === 1);
      await backupFailed(ended, /it was not finished within 1m/);
      await goesThrough("now");
      const said = tiny.project.journal().filter(({ phase }) => phase === "backup").map(({ message }) => message);
      assert.ok(said.some((message) => /^removed the snapshot code-.+ that an earlier run left in Qdrant$/.test(message)), said.join("\n"));
    });
  });

  it("row 12: Qdrant is paused", async () => {
    await qdrantContainer().pause();
    const ended = await tiny.deploy(version(number + 1));
    await qdrantContainer().unpause();
    await backupFailed(ended, /Qdrant \(container .+\) is paused.+docker unpause/);
    await goesThrough("now");
  });
});
