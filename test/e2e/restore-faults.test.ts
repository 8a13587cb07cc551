/** Rows 4 to 7, 10, 16 and 25 of the fault matrix at a restore: its process alone, on volumes of its own. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import { flip } from "../support/flip.js";
import { BackupWorld, randomPoints } from "../support/backup.js";
import { craftBackup, directory, file, packed, symlink } from "../support/crafted.js";
import { dockerAnswers, keptFor } from "../support/docker.js";
import type { Ended, Running } from "../support/processes.js";
import type { Dump } from "../support/qdrant.js";
import { seeded } from "../support/random.js";
import { hasStrace, interfere } from "../support/strace.js";
import { fullOnly, rounds } from "../support/suite.js";

const MiB = 1024 * 1024;
const KILLS = rounds(2, 12);

describe("e2e: faults of a restore", function () {
  this.timeout(300_000);
  let world: BackupWorld;
  let backup: string;
  let was: { points: Dump; uploads: string };
  let generation = 0;
  let present: string;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    world = new BackupWorld();
    const qdrant = await world.startQdrant();
    await qdrant.create("a", { size: 64, distance: "Dot" });
    await qdrant.upsert("a", randomPoints(seeded("data", 1), 1000, 64));
    await qdrant.index("a", "city", "keyword");
    await qdrant.alias("current", "a");
    // Enough for a restore to have a middle.
    await world.inVolume(world.uploadsVolume, `cd /data; mkdir d; head -c ${40 * MiB} /dev/urandom > d/f; for i in $(seq 200); do printf $i > d/$i; done; ln -s f d/link`);
    was = { points: await qdrant.dump(), uploads: await world.listing(world.uploadsVolume) };
    const ended = await world.run();
    assert.equal(ended.exitCode, 0, ended.all);
    backup = ended.outcome?.backup ?? "";
  });
  beforeEach(() => { present = `r${++generation}`; });
  after(() => world?.dispose());

  const begin = (env: Record<string, string> = {}, onOutput?: (text: string) => void): Running =>
    world.startRestore(world.restoreRequest(present, backup), { env, ...(onOutput === undefined ? {} : { onOutput }) });

  /** The data that serves is as it was. That what a record calls whole is whole, `converges` sees: it is kept then, and compared. */
  async function nothingTouched(): Promise<void> {
    assert.deepEqual(await (await world.connect()).dump(), was.points);
    assert.equal(await world.listing(world.uploadsVolume), was.uploads);
  }

  /** The next run makes the whole generation, and leaves nothing else. */
  async function converges(): Promise<void> {
    const ended = await begin().ended;
    assert.equal(ended.exitCode, 0, ended.all);
    assert.notEqual((await world.restoreRecord(present))?.done ?? null, null);
    const again = await begin().ended;
    assert.match(again.stdout, /"kept":true/, `what is whole is not known as such:\n${again.all}`);
    assert.deepEqual(await world.restored(present), was);
    const { containers } = await keptFor(world.stack);
    assert.deepEqual(containers, [world.container]);
    for (const volume of await world.volumesOf(present)) await world.docker.getVolume(volume).remove();
  }

  const makesNothing = async (): Promise<void> => assert.deepEqual(await world.volumesOf(present), []);

  function failed(ended: Ended, why: RegExp, exitCode: number): void {
    assert.equal(ended.exitCode, exitCode, ended.all);
    assert.equal(ended.stdout, "");
    assert.match(ended.lastLine.startsWith("  |") ? ended.all : ended.lastLine, why);
  }

  it(`row 10: killed at ${KILLS} moments, spread over all of it`, async () => {
    const random = seeded("kills of a restore");
    const whole = await begin().ended;
    assert.equal(whole.exitCode, 0, whole.all);
    let halfway = 0;
    for (let at = 0; at < KILLS; at++) {
      present = `r${++generation}`;
      const part = whole.tookMs / KILLS;
      const running = begin();
      const timer = AbortSignal.timeout(Math.round(at * part + random.int(0, Math.round(part))));
      timer.addEventListener("abort", () => running.killTree());
      const ended = await running.ended;
      if (ended.exitCode !== 0) assert.equal(ended.exitCode, 137, ended.all);
      if ((await world.volumesOf(present)).length > 0) halfway += 1;
      await nothingTouched();
      await converges();
    }
    assert.ok(halfway > 0, "no kill came while there was something half made");
  });

  it("row 10: killed at each rename", async function () {
    if (!(await hasStrace())) this.skip();
    for (let nth = 1; nth <= 2; nth++) {
      present = `r${++generation}`;
      const running = begin({ UV_THREADPOOL_SIZE: "1" });
      await interfere(running.pid, `rename:signal=KILL:when=${nth}`);
      assert.equal((await running.ended).exitCode, 137);
      await nothingTouched();
      await converges();
    }
  });

  fullOnly(() => it("row 4: the disk fails at each fsync", async function () {
    if (!(await hasStrace())) this.skip();
    for (let nth = 1; ; nth++) {
      present = `r${++generation}`;
      const running = begin({ UV_THREADPOOL_SIZE: "1" });
      await interfere(running.pid, `fsync:error=EIO:when=${nth}`);
      const ended = await running.ended;
      if (ended.exitCode === 0) {
        assert.ok(nth > 2, "nothing was asked to be kept");
        break;
      }
      failed(ended, /could not be written: EIO/, 3);
      await nothingTouched();
      await converges();
    }
  }));

  it("row 25: told to stop while it unpacks", async () => {
    let told = false;
    const running: Running = begin({}, (text) => {
      if (!told && text.includes("restoring uploads")) {
        told = true;
        running.signal("SIGTERM");
      }
    });
    const ended = await running.ended;
    assert.ok(told);
    failed(ended, /stopped by SIGTERM/, 130);
    await makesNothing();
    await converges();
  });

  it("row 5: an archive that is damaged beforehand, or once it was verified", async () => {
    for (const moment of ["", "restoring qdrant"]) {
      const archive = path.join(world.backups, backup, "uploads.tar.gz");
      let flipped = moment === "";
      if (flipped) flip(archive, 1000);
      const running = begin({}, (text) => {
        if (!flipped && text.includes(moment)) {
          flipped = true;
          flip(archive, 1000);
        }
      });
      const ended = await running.ended;
      assert.ok(flipped);
      failed(ended, /uploads\.tar\.gz/, moment === "" ? 2 : 3);
      flip(archive, 1000);
      await makesNothing();
      assert.equal(await world.restoreRecord(present), null);
      await converges();
      present = `r${++generation}`;
    }
  });

  it("rows 6 and 7: what would leave the volume, and more than the manifest says, is refused whole", async () => {
    const inside = await packed([directory("."), file("./a", "x")]);
    const hostile: [why: RegExp, uploads: { tar: Buffer; says: { files: number; bytes: number } }][] = [
      [/\.\./, { tar: await packed([file("../../etc/cron.d/x", "x")]), says: { files: 1, bytes: 1 } }],
      [/absolute|\/etc/, { tar: await packed([file("/etc/cron.d/x", "x")]), says: { files: 1, bytes: 1 } }],
      [/link/, { tar: await packed([symlink("./out", "/etc"), file("./out/x", "x")]), says: { files: 1, bytes: 1 } }],
      [/more|holds/, { tar: await packed([file("./large", Buffer.alloc(8 * MiB))]), says: { files: 1, bytes: 1000 } }],
    ];
    for (const [at, [why, uploads]] of hostile.entries()) {
      const name = `pre-deploy-20200101-00000${at}`;
      craftBackup(world.backups, name, { qdrant: { tar: inside, says: { files: 1, bytes: 1 } }, uploads });
      const ended = await world.startRestore(world.restoreRequest(present, name)).ended;
      rmSync(path.join(world.backups, name), { recursive: true });
      failed(ended, why, 2);
      await makesNothing();
      assert.equal(await world.restoreRecord(present), null);
    }
  });

  it("row 16: refuses volumes that hold somebody's data, and leaves them as they are", async () => {
    const volume = `${world.uploadsVolume}-${present}`;
    await world.inVolume(volume, "echo mine > /data/mine");
    const there = await world.listing(volume);
    failed(await begin().ended, /nothing is ever restored over data/, 3);
    assert.equal(await world.listing(volume), there);
    assert.deepEqual(await world.volumesOf(present), [volume]);
    await world.docker.getVolume(volume).remove();
    await converges();
  });

  it("row 16: what was left unfinished and is used by somebody meanwhile is not removed", async () => {
    const running: Running = begin({}, (text) => {
      if (text.includes("restoring uploads")) running.killTree();
    });
    await running.ended;
    const volume = `${world.uploadsVolume}-${present}`;
    const user = await world.docker.createContainer({ name: `${world.stack}-user`, Image: "qdrant/qdrant:v1.19.0", Labels: { "pbjrag.stack": world.stack }, HostConfig: { Binds: [`${volume}:/data`] } });
    failed(await begin().ended, new RegExp(`used by .*${world.stack}-user`), 3);
    assert.ok((await world.volumesOf(present)).includes(volume));
    await user.remove();
    await converges();
  });
});
