import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { liveEntries } from "../../components/backup/index/live.js";
import { readIndex } from "../../components/backup/index/store.js";
import { listBackups } from "../../components/backup/list.js";
import { lossInWords, lossOf } from "../../components/backup/loss.js";
import { isProven, parseManifest } from "../../components/backup/manifest.js";
import { verifyBackup } from "../../components/backup/verify.js";
import { encodings } from "../../components/runtime/encodings.js";
import { type BackupRun, BackupWorld, PLANTED_KEY, QDRANT_IMAGE, randomPoints } from "../support/backup.js";
import { dockerAnswers } from "../support/docker.js";
import { mustRun, run } from "../support/processes.js";
import type { TestQdrant } from "../support/qdrant.js";
import { seeded } from "../support/random.js";

const UPLOADS = `cd /data; mkdir -p 'a/b c' empty; head -c 700000 /dev/urandom > 'a/b c/ä ü.bin'; printf x > a/one; : > zero; ln -s a/one link; ln a/one hard
printf y > "$(printf 'not-utf8-\\377\\376')"; d=$(printf 'l%.0s' $(seq 120)); mkdir -p "$d/$d"; printf z > "$d/$d/deep"; chmod 600 a/one; chown -R 1000:1000 .; chown 12:34 zero`;

/** The two commands of the user's document, with this stack's names. */
const RESTORE = (volume: string, backup: string, archive: string, image: string): string =>
  `docker run --rm \\
  -v ${volume}:/data \\
  -v $(pwd)/${backup}:/backup \\
  ${image} tar xzf /backup/${archive} -C /data`;

describe("e2e: a backup", function () {
  this.timeout(180_000);
  let world: BackupWorld;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
  });

  beforeEach(() => {
    world = new BackupWorld();
  });

  afterEach(() => world.dispose());

  const made = (ended: BackupRun): string => {
    assert.equal(ended.exitCode, 0, ended.all);
    assert.ok(ended.outcome !== null && ended.outcome.backup !== "", ended.all);
    assert.equal(ended.stdout.trim().split("\n").length, 1, "standard output is one line");
    return path.join(world.backups, ended.outcome.backup);
  };

  const none = (ended: BackupRun, reason: RegExp): void => {
    assert.equal(ended.exitCode, 0, ended.all);
    assert.equal(ended.outcome?.backup, "");
    assert.match(ended.outcome.reason, reason);
    assert.deepEqual(world.directories, []);
  };

  /** Two collections, three indexes, two aliases, and files of every kind. */
  async function fill(): Promise<TestQdrant> {
    const random = seeded("data", Number(process.env.PBJRAG_SEED ?? 4711));
    const qdrant = await world.startQdrant();
    await qdrant.create("chunks", { size: 32, distance: "Dot" });
    await qdrant.create("files", { size: 8, distance: "Cosine" });
    await qdrant.upsert("chunks", randomPoints(random, 1200, 32));
    await qdrant.upsert("files", randomPoints(random, 150, 8));
    for (const [field, schema] of [["city", "keyword"], ["n", "integer"]] as const) await qdrant.index("chunks", field, schema);
    await qdrant.index("files", "city", "keyword");
    await qdrant.alias("current", "chunks");
    await qdrant.alias("all-files", "files");
    await world.inVolume(world.uploadsVolume, UPLOADS);
    return qdrant;
  }

  it("holds every point and file, and the user's own two commands bring them back", async () => {
    const qdrant = await fill();
    const before = await qdrant.dump();
    const uploads = await world.listing(world.uploadsVolume);

    const ended = await world.run({ kind: "pre-rollback" });
    const directory = made(ended);

    // Only read.
    assert.deepEqual(await qdrant.dump(), before);
    assert.equal(await world.listing(world.uploadsVolume), uploads);
    for (const name of ["chunks", "files"]) assert.deepEqual(await qdrant.snapshots(name), []);
    assert.deepEqual([await world.scratches(), world.marks], [[], []]);

    // What it says of itself.
    assert.match(path.basename(directory), /^pre-rollback-\d{8}-\d{6}$/);
    assert.deepEqual({ ...ended.outcome, tookMs: 0, bytes: 0, backup: "" }, {
      backup: "", reason: "", qdrantVersion: "1.19.0", collections: { chunks: 1200, files: 150 }, files: 6, bytes: 0, tookMs: 0, proven: true, paused: null,
    });
    const manifest = parseManifest(readFileSync(path.join(directory, "manifest.json"), "utf8"));
    assert.deepEqual(manifest.qdrant?.aliases, [{ alias: "all-files", collection: "files" }, { alias: "current", collection: "chunks" }]);
    assert.deepEqual(Object.keys(manifest.qdrant.collections.chunks?.payloadSchema ?? {}).sort(), ["city", "n"]);
    assert.notEqual(manifest.qdrant.commit, "");
    assert.equal(manifest.qdrant.writesDuringBackup, false);
    assert.deepEqual(manifest.proof, { restored: true, counted: true, sampled: true, read: true });
    const sampled = Object.values(manifest.qdrant.collections).map(({ sampled: compared }) => compared);
    assert.deepEqual(sampled, [{ points: 200, changed: 0, queries: 3 }, { points: 150, changed: 0, queries: 3 }]);
    assert.deepEqual(readdirSync(directory).sort(), ["git-commit.txt", "git-tag.txt", "index.ndjson.gz", "manifest.hmac", "manifest.json", "manifest.sha256", "qdrant-data.tar.gz", "stack-config.json", "uploads.tar.gz"]);
    for (const [name, { size, sha256 }] of Object.entries(manifest.files)) {
      const content = readFileSync(path.join(directory, name));
      assert.deepEqual([content.length, createHash("sha256").update(content).digest("hex")], [size, sha256], name);
    }
    assert.deepEqual(["git-tag.txt", "git-commit.txt"].map((name) => readFileSync(path.join(directory, name), "utf8")), ["v1.0.0\n", `${"1".repeat(40)}\n`]);
    assert.deepEqual((await listBackups({ backups: world.backups })).map(({ name, problem, of }) => [name, problem, of]), [[path.basename(directory), "", "v1.0.0"]]);

    assert.deepEqual((await verifyBackup(directory)).problems, []);

    // What it lists, and what going back to it would lose.
    const index = await collect(readIndex(directory));
    for (const [name, { points }] of Object.entries(before.collections)) {
      const from = index.findIndex((entry) => entry.type === "collection" && entry.name === name) + 1;
      const listed = index.slice(from, from + points.length).map((entry) => (entry.type === "point" ? entry.id : ""));
      assert.deepEqual(listed, points.map(({ id }) => String(id)), name);
    }
    const listed = index.filter((entry) => entry.type === "file");
    assert.equal(listed.length, 7, "six files and a symbolic link");
    assert.equal(listed.find(({ path: file }) => file === "zero")?.content, createHash("sha256").digest("hex"));
    const lossNow = async () => lossOf(readIndex(directory), liveEntries(await world.client(), manifest.index?.details ?? {}, await world.uploads()));
    assert.deepEqual(lossInWords(await lossNow()), []);

    // The manual restore, into empty volumes, with Qdrant stopped.
    const image = await imageWithTar();
    const restored = { qdrant: `${world.stack}_qdrant_restored`, uploads: `${world.stack}_uploads_restored` };
    for (const volume of Object.values(restored)) await world.inVolume(volume, "true");
    const relative = path.relative(world.dataDir, directory);
    await mustRun("sh", ["-c", RESTORE(restored.qdrant, relative, "qdrant-data.tar.gz", image)], { cwd: world.dataDir });
    await mustRun("sh", ["-c", RESTORE(restored.uploads, relative, "uploads.tar.gz", image)], { cwd: world.dataDir });
    const again = await world.startQdrant(restored.qdrant, `pbjrag-${world.stack}-qdrant-restored`);
    assert.deepEqual(await again.dump(), before);
    assert.equal(await world.listing(restored.uploads), uploads);
    const found = await again.send<{ id: number }[]>("POST", "/collections/current/points/search", { vector: before.collections.chunks?.points[17]?.vector, limit: 3 });
    const expected = await qdrant.send<{ id: number }[]>("POST", "/collections/current/points/search", { vector: before.collections.chunks?.points[17]?.vector, limit: 3 });
    assert.deepEqual(found, expected);

    // What it would lose once there is something to lose.
    const points = before.collections.chunks?.points ?? [];
    await qdrant.send("POST", "/collections/chunks/points/delete?wait=true", { points: [3, 5, 7] });
    await qdrant.send("POST", "/collections/chunks/points/payload?wait=true", { points: [8], payload: { city: "Bergen" } });
    await qdrant.send("PUT", "/collections/chunks/points/vectors?wait=true", { points: [{ id: 9, vector: points[10]?.vector }] });
    await qdrant.send("PUT", "/collections/chunks/points?wait=true", { points: ["f47ac10b-58cc-4372-a567-0e02b2c3d479", 9_007_199_254_740_991].map((id) => ({ id, vector: points[0]?.vector, payload: {} })) });
    await qdrant.send("POST", "/collections/aliases", { actions: [{ delete_alias: { alias_name: "current" } }] });
    await qdrant.create("later", { size: 4, distance: "Dot" });
    await world.inVolume(world.uploadsVolume, "cd /data; printf Y > a/one; rm zero; printf n > 'a/b.new'");
    assert.deepEqual(lossInWords(await lossNow()), [
      "collection chunks: 2 points added, 2 changed, 3 deleted since the backup; different: alias current",
      "collection later: 0 points added, 0 changed, 0 deleted since the backup, the collection is not in the backup",
      "uploads: 1 file added, 1 changed, 1 deleted since the backup",
    ]);
  });

  it("is readable by its owner only, whatever the umask, and holds no key", async () => {
    await fill();
    const umask = process.umask(0);
    let ended: BackupRun;
    try {
      ended = await world.run();
    } finally {
      process.umask(umask);
    }
    const directory = made(ended);
    for (const above of [directory, world.backups, path.dirname(world.backups)]) assert.equal(statSync(above).mode & 0o777, 0o700, above);
    const files = readdirSync(world.dataDir, { recursive: true, encoding: "utf8" }).map((name) => path.join(world.dataDir, name)).filter((name) => statSync(name).isFile());
    const forms = encodings(PLANTED_KEY);
    const clean = (what: string, content: string): void => forms.forEach((form) => assert.ok(!content.includes(form), `the key is in ${what}`));
    for (const file of files) {
      assert.equal(statSync(file).mode & 0o777, 0o600, file);
      const content = readFileSync(file);
      clean(file, content.toString("latin1"));
      if (file.endsWith(".gz")) clean(`${file}, unpacked`, gunzipSync(content).toString("latin1"));
    }
    clean("its output", ended.all);
  });

  it("is not made where there is nothing, whatever says so", async () => {
    none(await world.run(), /volumes are empty/);
    const qdrant = await world.startQdrant();
    await world.inVolume(world.uploadsVolume, "true");
    none(await world.run(), /volumes are empty/);
    await world.docker.getContainer(world.container).stop();
    none(await world.run(), /volumes are empty/);
    await world.docker.getContainer(world.container).start();
    await (await world.connect()).create("a", { size: 4, distance: "Dot" });
    none(await world.run({ skipReason: "hurry" }), /^hurry$/);
    assert.ok(qdrant);
  });

  it("holds both archives also where there are only files or only points", async () => {
    await world.inVolume(world.uploadsVolume, "printf x > /data/f");
    const files = made(await world.run());
    const qdrant = await world.startQdrant();
    await qdrant.create("a", { size: 4, distance: "Dot" });
    await world.inVolume(world.uploadsVolume, "rm /data/f");
    const points = made(await world.run());
    for (const [directory, archive] of [[files, "qdrant-data.tar.gz"], [points, "uploads.tar.gz"]] as const) {
      await mustRun("tar", ["tzf", path.join(directory, archive)], { cwd: world.dataDir });
      await mustRun("docker", ["run", "--rm", "-v", `${directory}:/backup`, await imageWithTar(), "tar", "xzf", `/backup/${archive}`, "-C", "/tmp"], { cwd: world.dataDir });
    }
    assert.equal(parseManifest(readFileSync(path.join(files, "manifest.json"), "utf8")).qdrant, null);
    assert.equal(parseManifest(readFileSync(path.join(points, "manifest.json"), "utf8")).uploads.files, 0);
  });

  it("copies the volume, untouched, where no Qdrant is left to use it", async () => {
    const qdrant = await fill();
    const before = await qdrant.dump();
    await world.docker.getContainer(world.container).remove({ force: true });
    const storage = await world.listing(world.qdrantVolume);
    const directory = made(await world.run());
    assert.equal(await world.listing(world.qdrantVolume), storage);
    const manifest = parseManifest(readFileSync(path.join(directory, "manifest.json"), "utf8"));
    assert.deepEqual([manifest.qdrant?.source, manifest.proof.sampled, isProven(manifest)], ["copy", false, true]);
    const restored = `${world.stack}_qdrant_restored`;
    await world.inVolume(restored, "true");
    await mustRun("sh", ["-c", RESTORE(restored, path.relative(world.dataDir, directory), "qdrant-data.tar.gz", await imageWithTar())], { cwd: world.dataDir });
    assert.deepEqual(await (await world.startQdrant(restored, `pbjrag-${world.stack}-qdrant-restored`)).dump(), before);
    assert.deepEqual(await world.scratches(), []);
  });

  it("is taken while something writes, and says so", async () => {
    const random = seeded("writer", 7);
    const qdrant = await world.startQdrant();
    await qdrant.create("a", { size: 256, distance: "Dot" });
    await qdrant.upsert("a", randomPoints(random, 3000, 256));
    const points = randomPoints(random, 20, 256);
    let acknowledged = 3000;
    let writing = true;
    const writer = (async () => {
      for (; writing; acknowledged += points.length) await qdrant.upsert("a", points.map((point) => ({ ...point, id: acknowledged + point.id })));
    })();
    const ended = await world.run();
    writing = false;
    await writer;
    const manifest = parseManifest(readFileSync(path.join(made(ended), "manifest.json"), "utf8"));
    const saved = manifest.qdrant?.collections.a;
    assert.ok(saved !== undefined && saved.points >= saved.live.before && saved.points <= saved.live.after, JSON.stringify(saved?.live));
    assert.equal(manifest.qdrant?.writesDuringBackup, true);
    assert.deepEqual(saved.sampled, { points: 200, changed: 0, queries: 3 }, "points are added, and none is changed");
    assert.equal((await qdrant.points("a")).length, acknowledged, "no acknowledged write is lost");
  });

  it("compares what was left alone, while something else is rewritten all the time", async () => {
    const qdrant = await world.startQdrant();
    const points = randomPoints(seeded("rewriter", 8), 400, 64);
    await qdrant.create("a", { size: 64, distance: "Dot" });
    await qdrant.upsert("a", points);
    let writing = true;
    const writer = (async () => {
      for (let round = 0; writing; round += 1) await qdrant.upsert("a", points.slice(0, 200).map((point) => ({ ...point, payload: { round } })));
    })();
    const ended = await world.run();
    writing = false;
    await writer;
    const manifest = parseManifest(readFileSync(path.join(made(ended), "manifest.json"), "utf8"));
    const { points: same = 0, changed = 0, queries = 0 } = manifest.qdrant?.collections.a?.sampled ?? {};
    assert.ok(same + changed === 200 && same > 0 && changed > 0 && queries === 3, JSON.stringify({ same, changed, queries }));
    assert.equal(manifest.proof.sampled, true);
  });

  it("does not take another's place: two in one second are two", async () => {
    await world.inVolume(world.uploadsVolume, "printf x > /data/f");
    const first = made(await world.run());
    const taken = Array.from({ length: 120 }, (_, second) => new Date(Date.now() + second * 1000));
    for (const at of taken) {
      const stamp = `${at.getFullYear()}${String(at.getMonth() + 1).padStart(2, "0")}${String(at.getDate()).padStart(2, "0")}-${at.toTimeString().slice(0, 8).replaceAll(":", "")}`;
      mkdirSync(path.join(world.backups, `pre-deploy-${stamp}`), { recursive: true });
      writeFileSync(path.join(world.backups, `pre-deploy-${stamp}`, "mine"), "x");
    }
    const second = made(await world.run());
    assert.notEqual(first, second);
    assert.match(second, /-2$/);
  });
});

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const one of all) result.push(one);
  return result;
}

/** The document's image where it is to be had; else a local one that has tar. */
async function imageWithTar(): Promise<string> {
  const here = await run("docker", ["image", "inspect", "alpine"], { cwd: process.cwd() });
  return here.exitCode === 0 ? "alpine" : QDRANT_IMAGE;
}
