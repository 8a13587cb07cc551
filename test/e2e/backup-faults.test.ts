import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseManifest } from "../../components/backup/manifest.js";
import { acquire } from "../../components/runtime/lock.js";
import { dataPaths } from "../../components/runtime/paths.js";
import { type BackupRun, BackupWorld, PLANTED_KEY, QDRANT_IMAGE, randomPoints } from "../support/backup.js";
import { dockerAnswers } from "../support/docker.js";
import { LoopDisk } from "../support/loop.js";
import type { Dump, TestQdrant } from "../support/qdrant.js";
import { seeded } from "../support/random.js";
import { hasStrace } from "../support/strace.js";
import { rounds } from "../support/suite.js";
import { waitFor } from "../support/wait.js";

const MiB = 1024 * 1024;

describe("e2e: faults of a backup", function () {
  this.timeout(300_000);
  let world: BackupWorld;
  let qdrant: TestQdrant;
  let was: Dump;
  let uploads: string;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
  });

  beforeEach(async () => {
    world = new BackupWorld();
    qdrant = await world.startQdrant();
    await qdrant.create("a", { size: 16, distance: "Dot" });
    await qdrant.create("b", { size: 16, distance: "Dot" });
    await qdrant.upsert("a", randomPoints(seeded("data", 1), 300, 16));
    await qdrant.alias("current", "a");
    await world.inVolume(world.uploadsVolume, "cd /data; mkdir d; head -c 3000000 /dev/urandom > d/f; printf x > g");
    was = await qdrant.dump();
    uploads = await world.listing(world.uploadsVolume);
  });

  afterEach(() => world.dispose());

  /** Nothing that could be taken for a backup, and the data as it was. */
  async function untouched(): Promise<void> {
    for (const name of world.directories.filter((one) => /^pre-deploy-\d{8}-\d{6}(-\d+)?$/.test(one))) assert.fail(`${name} looks like a backup`);
    assert.deepEqual(await qdrant.dump(), was);
    assert.equal(await world.listing(world.uploadsVolume), uploads);
  }

  /** The next run makes a whole backup and leaves nothing of the last one. */
  async function converges(): Promise<void> {
    const ended = await world.run();
    assert.equal(ended.exitCode, 0, ended.all);
    assert.deepEqual(world.directories, [ended.outcome?.backup]);
    assert.equal(parseManifest(readFileSync(path.join(world.backups, world.directories[0] ?? "", "manifest.json"), "utf8")).qdrant?.collections.a?.points, was.collections.a?.points.length);
    assert.deepEqual(await world.scratches(), []);
    for (const name of await qdrant.collections()) assert.deepEqual(await qdrant.snapshots(name), [], `snapshots of ${name}`);
    assert.deepEqual(world.marks, []);
  }

  async function cleanedUp(): Promise<void> {
    assert.deepEqual(world.directories, []);
    assert.deepEqual(await world.scratches(), []);
  }

  function failed(ended: BackupRun, why: RegExp, cause: string, exitCode = 2): void {
    assert.equal(ended.exitCode, exitCode, ended.all);
    assert.equal(ended.stdout, "");
    assert.match(ended.lastLine, /^backup: The backup before v2\.0\.0 failed, so nothing was released and what serves is untouched: .+ Next: .+/);
    assert.match(ended.lastLine, why);
    const event = world.journal().filter((one) => one.event === "failed").at(-1);
    if (event !== undefined) assert.deepEqual([event.phase, event.data?.code, event.data?.cause], ["backup", "backupFailed", cause]);
  }

  describe("row 1: killed", () => {
    const moments = ["making a snapshot", "compressing the uploads", "to save:", "collection a: 300 points", "compressing Qdrant"];
    for (const moment of moments.slice(0, rounds(2, moments.length))) {
      it(`at "${moment}"`, async () => {
        const ended = await world.until(moment, (running) => running.killTree());
        assert.equal(ended.exitCode, 137);
        await untouched();
        await converges();
      });
    }

    it("at random moments", async () => {
      const random = seeded("kills");
      const whole = await world.run();
      assert.equal(whole.exitCode, 0, whole.all);
      for (let round = rounds(2, 20); round > 0; round--) {
        const running = world.start();
        await delay(random.int(0, Math.round(whole.tookMs)));
        running.killTree();
        await running.finished;
        for (const name of world.directories.filter((one) => !/\.(partial|swept-\w+)$/.test(one))) assert.ok(existsSync(path.join(world.backups, name, "manifest.json")), name);
        assert.deepEqual(await qdrant.dump(), was);
      }
      const ended = await world.run();
      assert.equal(ended.exitCode, 0, ended.all);
      assert.deepEqual([await world.scratches(), world.marks, await qdrant.snapshots("a"), await qdrant.snapshots("b")], [[], [], [], []]);
    });

    it("at each rename", async function () {
      if (!(await hasStrace())) this.skip();
      const count = (await traced("rename,renameat,renameat2")).renames;
      rmSync(world.backups, { recursive: true });
      const moments = Array.from({ length: count }, (_, at) => at + 1).slice(-rounds(2, count));
      for (const when of moments) {
        await traced("rename,renameat,renameat2", `inject=rename,renameat,renameat2:signal=KILL:when=${when}`);
        await untouched();
      }
      await converges();
    });
  });

  describe("row 2: a full disk", () => {
    let disk: LoopDisk | null = null;

    afterEach(async () => {
      await disk?.dispose();
      disk = null;
    });

    it("is refused beforehand, with what is needed and what is free", async function () {
      disk = await LoopDisk.mount(8 * MiB);
      if (disk === null) return this.skip();
      const ended = await world.run({ dataDir: disk.directory });
      failed(ended, /may need [\d.]+ MiB in .+ and [\d.]+ MiB are free there/, "disk-full");
      await untouched();
      assert.deepEqual([await world.scratches(), readdirSync(path.join(disk.directory, "backups", world.stack))], [[], []]);
    });

    const moments = ["compressing the uploads", "making a snapshot", "compressing Qdrant"];
    for (const moment of moments.slice(0, rounds(1, moments.length))) {
      it(`ends it when it fills at "${moment}"`, async function () {
        disk = await LoopDisk.mount(96 * MiB);
        if (disk === null) return this.skip();
        const { directory } = disk;
        await world.inVolume(world.uploadsVolume, "head -c 20000000 /dev/urandom > /data/large");
        uploads = await world.listing(world.uploadsVolume);
        await disk.fill(44 * MiB);
        const ended = await world.until(moment, () => disk?.fill(0), { dataDir: directory });
        failed(ended, /may need [\d.]+ MiB in .+ and [\d.]+ MiB are free there/, "disk-full");
        await untouched();
        assert.deepEqual([await world.scratches(), readdirSync(path.join(directory, "backups", world.stack))], [[], []]);
      });
    }
  });

  describe("row 4: a disk that fails", () => {
    it("fails the backup at every fsync", async function () {
      if (!(await hasStrace())) this.skip();
      const all = (await traced("fsync,fdatasync")).syncs;
      assert.equal(all, 10, "eight files, their directory, the directory above");
      const moments = [10, 9, 1, 2, 3, 4, 5, 6, 7, 8].slice(0, rounds(2, 10));
      for (const when of moments) {
        const kept = world.directories;
        const { ended } = await traced("fsync,fdatasync", `inject=fsync,fdatasync:error=EIO:when=${when}`);
        failed(ended, /could not be written: EIO/, "write");
        assert.deepEqual(world.directories, kept, `fsync ${when}`);
        assert.deepEqual(await world.scratches(), []);
      }
    });

    it("is asked to keep files, then their names, then the new name", async function () {
      if (!(await hasStrace())) this.skip();
      const { lines } = await traced("fsync,rename,openat");
      const opened = new Map<string, string>();
      const story: string[] = [];
      for (const line of lines) {
        const open = /openat\(AT_FDCWD, "([^"]+)".*\) = (\d+)$/.exec(line);
        // Those of its children have numbers of their own.
        if (open?.[1]?.startsWith(world.backups) === true && open[2] !== undefined) opened.set(open[2], open[1]);
        const sync = /fsync\((\d+)\)\s+= 0$/.exec(line);
        if (sync?.[1] !== undefined) story.push(`fsync ${path.relative(world.backups, opened.get(sync[1]) ?? "?")}`);
        const rename = /rename\("([^"]+)", "([^"]+)"\)\s+= 0$/.exec(line);
        if (rename?.[1]?.endsWith(".partial") === true) story.push("rename");
      }
      const [name] = world.directories;
      const files = ["qdrant-data.tar.gz", "uploads.tar.gz", "index.ndjson.gz", "git-commit.txt", "git-tag.txt", "stack-config.json", "manifest.json", "manifest.sha256", "manifest.hmac"];
      assert.deepEqual(story, [...files.map((file) => `fsync ${name}.partial/${file}`), `fsync ${name}.partial`, "rename", "fsync "]);
    });
  });

  it("row 11: Qdrant is stopped", async () => {
    await world.docker.getContainer(world.container).stop();
    failed(await world.run(), /Qdrant \(container .+\) is not running \(exited, exit code \d+\).+docker start/, "qdrant-down");
    await cleanedUp();
    await world.docker.getContainer(world.container).start();
    qdrant = await world.connect();
    await untouched();
    await converges();
  });

  it("row 12: Qdrant is paused", async () => {
    const container = world.docker.getContainer(world.container);
    await container.pause();
    failed(await world.run(), /is paused.+docker unpause/, "qdrant-down");
    await container.unpause();
    await cleanedUp();
    await untouched();
    await converges();
  });

  it("row 12: Qdrant hangs in a snapshot, which then comes late", async () => {
    const random = seeded("big", 2);
    await qdrant.create("big", { size: 384, distance: "Dot" });
    const points = randomPoints(random, 1000, 384);
    for (let from = 0; from < 15_000; from += points.length) await qdrant.upsert("big", points.map((point) => ({ ...point, id: from + point.id })));
    const container = world.docker.getContainer(world.container);
    const ended = await world.until("collection big: making a snapshot", () => container.pause(), { deadlineMs: 25_000 });
    failed(ended, /not finished within|no answer in|answers nothing/, world.journal().at(-1)?.data?.cause === "deadline" ? "deadline" : "qdrant-timeout");
    await cleanedUp();
    assert.equal(world.marks.length, 1);
    await container.unpause();
    // It may have been made just before the pause, or comes now.
    await waitFor("the late snapshot", async () => (await qdrant.snapshots("big")).length === 1);
    const again = await world.run();
    assert.equal(again.exitCode, 0, again.all);
    assert.match(again.all, /removed the snapshot big-.+ that an earlier run left in Qdrant/);
    assert.deepEqual([await qdrant.snapshots("big"), world.marks, await world.scratches()], [[], [], []]);
  });

  it("row 14: a collection appears, once", async () => {
    const ended = await world.until("collection a: making a snapshot", () => qdrant.create("new", { size: 4, distance: "Dot" }));
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.all, /collection new appeared during the backup: beginning again/);
    assert.deepEqual(ended.outcome?.collections, { a: 300, b: 0, new: 0 });
    assert.deepEqual(await world.scratches(), []);
  });

  it("row 14: collections appear all the time", async () => {
    let going = true;
    const making = (async () => {
      for (let n = 0; going; n++) {
        await qdrant.create(`new${n}`, { size: 4, distance: "Dot" });
        await delay(100);
      }
    })();
    const ended = await world.run();
    going = false;
    await making;
    failed(ended, /appeared during the backup.*, in 2 attempts/, "collections-changed");
    await cleanedUp();
  });

  it("row 25: told to stop", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const ended = await world.until("making a snapshot", (running) => running.signal(signal));
      failed(ended, new RegExp(`stopped by ${signal}`), "aborted", 130);
      await cleanedUp();
    }
    await untouched();
    await converges();
  });

  it("row 23: another release is under way, or has taken over", async () => {
    const lock = await acquire({ paths: dataPaths(world.dataDir, world.stack), run: "another", command: "deploy" });
    const ended = await world.run();
    assert.deepEqual([ended.exitCode, ended.stdout], [6, ""]);
    const stale = await world.run({}, { env: { PBJRAG_FENCE: String(lock.token - 1), PBJRAG_RUN: "stale" } });
    assert.notEqual(stale.exitCode, 0);
    assert.match(stale.lastLine, /no longer holds the lock/);
    const holder = await world.run({}, { env: { PBJRAG_FENCE: String(lock.token), PBJRAG_RUN: "another" } });
    assert.equal(holder.exitCode, 0, holder.all);
    await lock.release();
  });

  it("a scratch without enough memory says so, and is gone", async () => {
    failed(await world.run({ scratch: { cpus: 1, memory: 24 * MiB } }), /scratch Qdrant.*(ran out of its 24 MiB of memory|ended with exit code)/, "scratch");
    await cleanedUp();
    await untouched();
  });

  it("another program at the scratch's address, which Docker lost, is told from it, and so is one more", async () => {
    const image = await deafTo(PLANTED_KEY);
    await world.docker.getContainer(world.container).remove({ force: true });
    qdrant = await world.startQdrant(undefined, undefined, image);
    const ended = await world.run();
    failed(ended, /something else answers at the address that Docker gave the scratch Qdrant.*`ps axf`/, "scratch");
    assert.match(ended.all, /making another one beside it/);
    await cleanedUp();
    await untouched();
  });

  /** An image of a Qdrant that knows no other key than this: so does one that is another's scratch. */
  async function deafTo(key: string): Promise<string> {
    const { Config: { Entrypoint, Cmd } } = await world.docker.getImage(QDRANT_IMAGE).inspect();
    const script = `[ "$QDRANT__SERVICE__API_KEY" = "${key}" ] || export QDRANT__SERVICE__API_KEY=another; exec "$@"`;
    const container = await world.docker.createContainer({ Image: QDRANT_IMAGE });
    await container.commit({ repo: `pbjrag-${world.stack}`, tag: "deaf", changes: `ENTRYPOINT ${JSON.stringify(["sh", "-c", script, "sh", ...[Entrypoint ?? [], Cmd].flat()])}` });
    await container.remove();
    return `pbjrag-${world.stack}:deaf`;
  }

  /** Runs a backup under strace. */
  async function traced(calls: string, inject?: string): Promise<{ ended: BackupRun; lines: string[]; syncs: number; renames: number }> {
    const log = path.join(world.dataDir, `strace-${calls.replaceAll(",", "-")}.log`);
    const wrapper = ["strace", "-f", "-qq", "-o", log, "-e", `trace=${calls}`, ...(inject === undefined ? [] : ["-e", inject])];
    // strace counts calls by thread: one thread makes them all.
    const ended = await world.run({}, { wrapper, env: { UV_THREADPOOL_SIZE: "1" } });
    const lines = joined(readFileSync(log, "utf8").split("\n"));
    return { ended, lines, syncs: lines.filter((line) => /\bf(data)?sync\(/.test(line)).length, renames: lines.filter((line) => /\brename(at2?)?\(/.test(line)).length };
  }
});

/** A call that another thread's interrupted comes in two lines: put together where it ends. */
function joined(lines: readonly string[]): string[] {
  const begun = new Map<string, string>();
  return lines.flatMap((line) => {
    const [, thread = "", text = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (text.endsWith("<unfinished ...>")) {
      begun.set(thread, text.slice(0, -"<unfinished ...>".length));
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    return [resumed === null ? text : `${begun.get(thread) ?? ""}${resumed[1] ?? ""}`];
  });
}
