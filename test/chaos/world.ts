/** What is disturbed: a stack's data on a Docker daemon and disks that may fail, and what must be so whatever happens to them. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { isBackup } from "../../components/backup/names.js";
import { verifyBackup } from "../../components/backup/verify.js";
import { BackupWorld, QDRANT_IMAGE, randomPoints } from "../support/backup.js";
import { keptFor } from "../support/docker.js";
import { LoopDisk } from "../support/loop.js";
import { OwnDocker } from "../support/own-docker.js";
import type { Ended, Running } from "../support/processes.js";
import type { Dump } from "../support/qdrant.js";
import type { Random } from "../support/random.js";

const MiB = 1024 * 1024;
/** Images, two Qdrants with their data, and generations that are made. */
const DOCKER_DISK = 2560 * MiB;
/** A few backups. */
const BACKUP_DISK = 320 * MiB;
const POINTS = 2000;
const UPLOADS = 40 * MiB;

export type Job = "backup" | "restore";
export const JOBS: readonly Job[] = ["backup", "restore"];

export interface Attempt {
  readonly job: Job;
  readonly running: Running;
  /** Of a restore: the generation that it makes. */
  readonly generation: string;
}

interface Data {
  points: Dump;
  uploads: string;
}

export class ChaosWorld {
  /** Restores are made from it. */
  private base = "";
  private generation = 0;
  private was: Data = { points: { collections: {}, aliases: [] }, uploads: "" };

  private constructor(readonly own: OwnDocker, readonly backupDisk: LoopDisk, private readonly stack: BackupWorld) {}

  /** @returns null where no file system can be mounted */
  static async open(random: Random): Promise<ChaosWorld | null> {
    const from = process.env.DOCKER_HOST;
    const own = await OwnDocker.start(DOCKER_DISK);
    if (own === null) return null;
    await own.load([QDRANT_IMAGE], from);
    process.env.DOCKER_HOST = own.host;
    const stack = new BackupWorld();
    mkdirSync(stack.backups, { recursive: true, mode: 0o700 });
    const disk = await LoopDisk.mount(BACKUP_DISK, stack.backups);
    if (disk === null) return null;
    const world = new ChaosWorld(own, disk, stack);
    await world.fill(random);
    return world;
  }

  private async fill(random: Random): Promise<void> {
    const qdrant = await this.stack.startQdrant();
    await qdrant.create("a", { size: 64, distance: "Dot" });
    await qdrant.create("b", { size: 8, distance: "Cosine" });
    await qdrant.upsert("a", randomPoints(random, POINTS, 64));
    await qdrant.upsert("b", randomPoints(random, 50, 8));
    await qdrant.index("a", "city", "keyword");
    await qdrant.alias("current", "a");
    await this.stack.inVolume(this.stack.uploadsVolume, `cd /data; mkdir d; head -c ${UPLOADS} /dev/urandom > d/f; for i in $(seq 100); do printf $i > d/$i; done`);
    this.was = { points: await qdrant.dump(), uploads: await this.stack.listing(this.stack.uploadsVolume) };
    const first = await this.stack.run();
    assert.equal(first.exitCode, 0, first.all);
    this.base = first.outcome?.backup ?? "";
  }

  begin(job: Job): Attempt {
    this.generation += 1;
    return this.start(job, `r${this.generation}`);
  }

  /** The same command once more. */
  again({ job, generation }: Attempt): Attempt {
    return this.start(job, generation);
  }

  private start(job: Job, generation: string): Attempt {
    const running = job === "backup" ? this.stack.start() : this.stack.startRestore(this.stack.restoreRequest(generation, this.base));
    return { job, running, generation };
  }

  /** Docker's names of the Qdrants that run now: the live one, and a scratch. */
  async qdrants(): Promise<string[]> {
    const containers = await this.stack.docker.listContainers({ filters: { label: [`pbjrag.stack=${this.stack.stack}`] } });
    return containers.map(({ Names }) => Names[0]?.slice(1) ?? "").filter((name) => name === this.stack.container || name.includes("-scratch-"));
  }

  qdrant(name: string): ReturnType<BackupWorld["docker"]["getContainer"]> {
    return this.stack.docker.getContainer(name);
  }

  /** Everything works again, as an operator would see to it. */
  async repair(): Promise<void> {
    this.backupDisk.empty();
    this.own.disk.empty();
    await this.own.launch();
    const live = this.qdrant(this.stack.container);
    if (!(await live.inspect()).State.Running) await live.start();
    await this.stack.connect();
  }

  /**
   * What calls itself a whole backup is one, and the data that serves is as it was.
   * @returns whether a generation calls itself whole: that is looked into once the next restore has taken it for such, as using it changes it
   */
  async assertNothingHalf({ job, generation }: Attempt, ended: Ended): Promise<boolean> {
    const finished = this.stack.directories.filter(isBackup);
    for (const name of finished.filter((one) => one !== this.base)) {
      assert.deepEqual((await verifyBackup(path.join(this.stack.backups, name))).problems, [], `${name} is taken for a whole backup`);
    }
    if (job === "backup" && ended.exitCode === 0) assert.ok(finished.length > 1, "it said that it made a backup");
    const claimed = job === "restore" && ((await this.stack.restoreRecord(generation))?.done ?? null) !== null;
    if (job === "restore" && ended.exitCode === 0) assert.ok(claimed, "it said that it made a generation");
    assert.deepEqual(await (await this.stack.connect()).dump(), this.was.points);
    assert.equal(await this.stack.listing(this.stack.uploadsVolume), this.was.uploads);
    return claimed;
  }

  /** The command, run again, has worked, and nothing is left of the first. */
  async assertConverged({ job, generation }: Attempt, ended: Ended, claimed: boolean): Promise<void> {
    assert.equal(ended.exitCode, 0, `the next command failed:\n${ended.all}`);
    if (claimed) assert.match(ended.stdout, /"kept":true/, "a whole generation was made again");
    if (job === "restore") {
      assert.deepEqual(await this.stack.restored(generation), this.was);
      for (const volume of await this.stack.volumesOf(generation)) await this.stack.docker.getVolume(volume).remove();
    }
    const unfinished = readdirSync(this.stack.backups).filter((name) => !isBackup(name) && name !== "lost+found");
    // A restore leaves it to the next backup, or the next command of the scripts, to remove what a backup left.
    if (job === "backup") {
      assert.deepEqual(unfinished, []);
      assert.deepEqual(this.stack.marks, []);
      const qdrant = await this.stack.connect();
      for (const name of await qdrant.collections()) assert.deepEqual(await qdrant.snapshots(name), [], `snapshots of ${name}`);
    }
    const { containers, volumes } = await keptFor(this.stack.stack);
    assert.deepEqual(containers, [this.stack.container]);
    assert.deepEqual(volumes, [this.stack.qdrantVolume, this.stack.uploadsVolume].sort());
    for (const name of this.stack.directories.filter((one) => isBackup(one) && one !== this.base)) rmSync(path.join(this.stack.backups, name), { recursive: true });
  }

  async close(): Promise<void> {
    await this.repair();
    await this.backupDisk.dispose();
    await this.stack.dispose();
    await this.own.dispose();
  }
}
