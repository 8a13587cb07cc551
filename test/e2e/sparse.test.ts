import assert from "node:assert/strict";
import path from "node:path";
import { readFileSync } from "node:fs";
import { parseManifest } from "../../components/backup/manifest.js";
import { BackupWorld, QDRANT_IMAGE, randomPoints } from "../support/backup.js";
import { dockerAnswers } from "../support/docker.js";
import { mustRun } from "../support/processes.js";
import { fromSeed } from "../support/random.js";
import { imageWithTar, restoreCommands } from "../support/readme.js";

/** Bytes of zeros that stay in files below 64 KiB, which are not worth a process each. */
const SMALL = 512 * 1024;
const SLOWLY = { deadlineMs: 900_000 };

/** Qdrant preallocates sparse files, by far larger than the few points in them: what is made of a backup must not take their zeros' room. */
describe("e2e: holes", function () {
  this.timeout(900_000);
  let world: BackupWorld;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    world = new BackupWorld();
  });
  after(() => world.dispose());

  /** Bytes on the disk, and all that the files say they have. */
  async function sizes(volume: string): Promise<{ disk: number; said: number }> {
    const [disk = NaN, said = NaN] = (await world.inVolume(volume, "du -sB1 /data | cut -f1; du -sb /data | cut -f1")).trim().split("\n").map(Number);
    return { disk, said };
  }

  it("survive a backup, its restore, and a restore by hand", async () => {
    const qdrant = await world.startQdrant();
    for (const name of ["a", "b", "c"]) {
      await qdrant.create(name, { size: 4, distance: "Dot" });
      await qdrant.upsert(name, randomPoints(fromSeed(1), 20, 4));
    }
    await world.inVolume(world.uploadsVolume, "printf x >/data/disk.img; truncate -s 100M /data/disk.img");
    const before = { qdrant: await sizes(world.qdrantVolume), uploads: await sizes(world.uploadsVolume) };
    assert.ok(before.qdrant.said > 10 * before.qdrant.disk, `it has holes: ${JSON.stringify(before)}`);

    const { outcome, all, exitCode } = await world.run(SLOWLY);
    assert.equal(exitCode, 0, all);
    const backup = outcome?.backup ?? "";
    const manifest = parseManifest(readFileSync(path.join(world.backups, backup, "manifest.json"), "utf8"));
    assert.ok((manifest.qdrant?.storage.stored ?? Infinity) <= before.qdrant.disk, `${manifest.qdrant?.storage.stored} of ${before.qdrant.disk}`);
    assert.equal(manifest.uploads.stored, 4096);

    const request = world.restoreRequest("thin", backup, SLOWLY);
    const restored = await world.startRestore(request).ended;
    assert.equal(restored.exitCode, 0, restored.all);
    for (const part of ["qdrant", "uploads"] as const) {
      const { disk, said } = await sizes(request.volumes[part] ?? "");
      assert.ok(disk <= 1.1 * before[part].disk + SMALL && said > 10 * disk, `${part}: ${before[part].disk} before, ${disk} of ${said} after`);
    }
    assert.deepEqual((await world.restored("thin")).points, await qdrant.dump());

    const byHand = { qdrant: `${world.qdrantVolume}-hand`, uploads: `${world.uploadsVolume}-hand`, backup: `backups/${world.stack}/${backup}` };
    for (const volume of [byHand.qdrant, byHand.uploads]) await world.inVolume(volume, "true");
    for (const command of restoreCommands({ ...byHand, image: await imageWithTar() })) {
      await mustRun("sh", ["-ec", command.replace("qdrant/qdrant:v1.19.0", QDRANT_IMAGE)], { cwd: world.dataDir });
    }
    const { disk } = await sizes(byHand.qdrant);
    assert.ok(disk <= 1.1 * before.qdrant.disk + SMALL, `${before.qdrant.disk} before, ${disk} by hand`);
  });

  it("survive the copy of a volume that no Qdrant is left to use", async () => {
    const before = await sizes(world.qdrantVolume);
    await world.docker.getContainer(world.container).remove({ force: true });
    const { outcome, all, exitCode } = await world.run(SLOWLY);
    assert.equal(exitCode, 0, all);
    const request = world.restoreRequest("copy", outcome?.backup ?? "", SLOWLY);
    const restored = await world.startRestore(request).ended;
    assert.equal(restored.exitCode, 0, restored.all);
    const { disk } = await sizes(request.volumes.qdrant ?? "");
    assert.ok(disk <= 1.1 * before.disk + SMALL, `${before.disk} before, ${disk} after`);
  });
});
