import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";
import { readArchive } from "../../components/backup/archive.js";
import { Gzip } from "../../components/backup/gzip.js";
import { FIRST_LINE } from "../../components/backup/index/format.js";
import type { FileRecord, Manifest } from "../../components/backup/manifest.js";
import { FILES } from "../../components/backup/names.js";
import { assertUsable, verifyBackup } from "../../components/backup/verify.js";
import type { Progress } from "../../components/backup/verify-file.js";
import { ReleaseError } from "../../components/runtime/errors.js";
import { craftBackup, type Crafted, directory, file, indexOf, packed, reseal, sampleManifest, sha256, symlink, writeManifest } from "../support/crafted.js";
import { type Random, seeded } from "../support/random.js";

const NAME = "pre-deploy-20260101-000000";

describe("backup/verify", function () {
  this.timeout(120_000);
  let root: string;
  let good: Crafted;

  before(async () => {
    const random = seeded("contents");
    const qdrant = await packed([directory("./"), directory("./collections/"), file("./collections/a", random.bytes(40_000))]);
    const uploads = await packed([directory("./"), file("./one", random.bytes(9_000)), file("./two", "zwei"), symlink("./link", "one")]);
    good = { qdrant: { tar: qdrant, says: { files: 1, bytes: 40_000 } }, uploads: { tar: uploads, says: { files: 2, bytes: 9_004 } } };
  });

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "backup-verify-"));
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const problemsOf = async (backup: string): Promise<string[]> => (await verifyBackup(backup)).problems;
  const damaged = async (backup: string, why: RegExp): Promise<void> => assert.match((await problemsOf(backup)).join("\n"), why);
  const changing = (change: (manifest: Manifest) => object): Promise<string[]> => problemsOf(craftBackup(root, NAME, { ...good, change }));

  it("finds nothing wrong with a good one, and says how far it is", async () => {
    const seen: Progress[] = [];
    const backup = craftBackup(root, NAME, good);
    const { manifest, problems } = await verifyBackup(backup, { onProgress: (progress) => seen.push({ ...progress }) });
    assert.deepEqual([problems, manifest?.name], [[], NAME]);
    for (const name of [FILES.qdrant, FILES.uploads]) {
      const { size } = statSync(path.join(backup, name));
      assert.deepEqual(seen.findLast((progress) => progress.file === name), { file: name, read: size, size });
    }
    assert.equal((await assertUsable(backup)).name, NAME);
    assert.equal(execFileSync("sha256sum", ["-c", FILES.sum], { cwd: backup, encoding: "utf8" }), "manifest.json: OK\n");
  });

  it("row 5: finds one flipped bit, wherever it is", async () => {
    const random = seeded("flips");
    const backup = craftBackup(root, NAME, good);
    const files = readdirSync(backup).map((name) => ({ name, size: statSync(path.join(backup, name)).size }));
    // By size, and each file a few times as well: most of the bytes are in the archives.
    const total = files.reduce((sum, { size }) => sum + size, 0);
    const places = [...Array.from({ length: 100 }, () => random.int(0, total - 1)), ...files.flatMap((_, at) => Array.from({ length: 10 }, () => -1 - at))];
    for (const place of places) {
      const { name, offset } = place < 0 ? within(random, files[-1 - place]) : locate(files, place);
      const content = readFileSync(path.join(backup, name));
      const before = content[offset] ?? 0;
      content[offset] = before ^ (1 << random.int(0, 7));
      writeFileSync(path.join(backup, name), content);
      assert.notDeepEqual(await problemsOf(backup), [], `${name} at ${offset}`);
      content[offset] = before;
      writeFileSync(path.join(backup, name), content);
    }
    assert.deepEqual(await problemsOf(backup), []);
  });

  it("row 5: finds every file cut anywhere, emptied, or gone", async () => {
    const random = seeded("cuts");
    const backup = craftBackup(root, NAME, good);
    for (const name of readdirSync(backup)) {
      const at = path.join(backup, name);
      const content = readFileSync(at);
      for (const length of new Set([0, 1, content.length - 1, ...Array.from({ length: 15 }, () => random.int(0, content.length - 1))])) {
        truncateSync(at, length);
        assert.notDeepEqual(await problemsOf(backup), [], `${name} cut to ${length}`);
        writeFileSync(at, content);
      }
      renameSync(at, path.join(root, "gone"));
      await damaged(backup, new RegExp(`${name.replace(".", "\\.")} is missing|no manifest\\.json`));
      renameSync(path.join(root, "gone"), at);
    }
  });

  it("row 5: finds swapped archives, with sums of their own as well", async () => {
    const backup = craftBackup(root, NAME, good);
    const [a, b] = [FILES.qdrant, FILES.uploads].map((name) => readFileSync(path.join(backup, name)));
    writeFileSync(path.join(backup, FILES.qdrant), b ?? "");
    writeFileSync(path.join(backup, FILES.uploads), a ?? "");
    await damaged(backup, /qdrant-data\.tar\.gz has \d+ bytes.+\n.*uploads\.tar\.gz has \d+ bytes/);
    const swapped = craftBackup(root, "swapped", { qdrant: { ...good.uploads, says: good.qdrant.says }, uploads: { ...good.qdrant, says: good.uploads.says } });
    await damaged(swapped, /qdrant-data\.tar\.gz is refused.+\n.*uploads\.tar\.gz is refused/);
  });

  it("finds what is no part of it, and what is no file", async () => {
    const backup = craftBackup(root, NAME, good);
    writeFileSync(path.join(backup, "more"), "");
    await damaged(backup, /"more" is no part of it/);
    rmSync(path.join(backup, "more"));
    renameSync(path.join(backup, FILES.uploads), path.join(root, "elsewhere"));
    symlinkSync(path.join(root, "elsewhere"), path.join(backup, FILES.uploads));
    await damaged(backup, /uploads\.tar\.gz is a link/);
    rmSync(path.join(backup, FILES.uploads));
    mkdirSync(path.join(backup, FILES.uploads));
    await damaged(backup, /uploads\.tar\.gz is no regular file/);
    rmSync(path.join(backup, FILES.uploads), { recursive: true });
    execFileSync("mkfifo", [path.join(backup, FILES.uploads)]);
    await damaged(backup, /uploads\.tar\.gz is no regular file/);
  });

  it("takes no manifest of another backup, version or form", async () => {
    assert.match((await changing((manifest) => ({ ...manifest, name: "pre-deploy-20250101-000000" }))).join(), /says it is pre-deploy-20250101-000000/);
    assert.match((await changing((manifest) => ({ ...manifest, schema: 7 }))).join(), /version 7, and this program knows versions 1 and 2/);
    assert.match((await changing((manifest) => ({ ...manifest, proof: { ...manifest.proof, counted: false } }))).join(), /never proven/);
    assert.match((await changing(({ uploads: _, ...manifest }) => manifest)).join(), /is damaged: uploads/);
    assert.match((await changing((manifest) => ({ ...manifest, files: {} }))).join("\n"), /does not have qdrant-data\.tar\.gz/);
    const outside: FileRecord = { size: 1, sha256: sha256("x") };
    assert.match((await changing((manifest) => ({ ...manifest, files: { ...manifest.files, "../../etc/passwd": outside } }))).join(), /no plain name/);
    const backup = craftBackup(root, NAME, good);
    writeManifest(backup, "{");
    await damaged(backup, /is not JSON/);
    rmSync(path.join(backup, "manifest.json"));
    await damaged(backup, /no manifest\.json, so it was never finished/);
    assert.match((await problemsOf(path.join(root, "none"))).join(), /there is no .*none/);
  });

  it("takes what the manifest says of a backup without Qdrant data", async () => {
    const empty = { tar: Buffer.alloc(1024), says: { files: 0, bytes: 0 } };
    assert.deepEqual(await problemsOf(craftBackup(root, NAME, { ...good, qdrant: empty, index: `${FIRST_LINE}\n{"uploads":true}\n`, change: (manifest) => ({ ...manifest, qdrant: null }) })), []);
    rmSync(path.join(root, NAME), { recursive: true });
    assert.match((await problemsOf(craftBackup(root, NAME, { ...good, change: (manifest) => ({ ...manifest, qdrant: null }) }))).join(), /qdrant-data\.tar\.gz is refused/);
  });

  it("finds archives and an index that are not what the manifest says of them, though every sum is right", async () => {
    const said = (digest: string): Crafted => ({ ...good, uploads: { ...good.uploads, says: { ...good.uploads.says, digest } } });
    const { content } = await readArchive(Readable.from([gzipSync(good.uploads.tar)]), null, Gzip.zlib, new AbortController().signal);
    const lines: string[] = [];
    await readArchive(Readable.from([gzipSync(good.uploads.tar)]), null, Gzip.zlib, new AbortController().signal, (line) => void lines.push(line));
    const index = `${indexOf(sampleManifest(NAME))}${lines.join("\n")}\n`;
    assert.deepEqual(await problemsOf(craftBackup(root, NAME, { ...said(content.digest), index })), []);
    await damaged(craftBackup(root, NAME, said("3".repeat(64))), /uploads\.tar\.gz holds files with other names or contents/);
    await damaged(craftBackup(root, NAME, said(content.digest)), /index\.ndjson\.gz lists other uploads/);
    await damaged(craftBackup(root, NAME, { ...good, index: `${FIRST_LINE}\n{"uploads":true}\n` }), /lists no points of collection a, and the manifest says 3/);
    await damaged(craftBackup(root, NAME, { ...good, index: `${indexOf(sampleManifest(NAME))}{"collection":"more","detail":"ids","config":{},"payloadSchema":{},"aliases":[]}\n` }), /lists collection more/);
  });

  it("row 6: refuses a hostile archive whose sums are right", async () => {
    const hostile = await packed([directory("./"), file("../../escaped")]);
    const backup = craftBackup(root, NAME, { ...good, uploads: { tar: hostile, says: { files: 1, bytes: 1 } } });
    await damaged(backup, /uploads\.tar\.gz is refused: entry "\.\.\/\.\.\/escaped" leads out/);
    await assert.rejects(assertUsable(backup), (error: unknown) => error instanceof ReleaseError && error.code === "backupUnusable" && error.exitCode === 2 && /escaped/.test(error.message));
    assert.deepEqual(readdirSync(root), [NAME]);
  });

  it("row 7: reads no further than the manifest's size into a bomb of 10 GB", async () => {
    const backup = craftBackup(root, NAME, good);
    const bomb = path.join(backup, FILES.uploads);
    // Sums and manifest agree on the file; what it unpacks to is said in its header alone.
    const size = 10 * 1024 ** 3;
    const header = (await packed([file("./sparse", "")])).subarray(0, 512);
    header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
    const zeros = function* (): Generator<Buffer> {
      yield reseal(header);
      const piece = Buffer.alloc(1024 * 1024);
      for (let made = 0; made < 64; made++) yield piece;
    };
    await pipeline(Readable.from(zeros()), createGzip({ level: 1 }), createWriteStream(bomb));
    const record = { size: statSync(bomb).size, sha256: sha256(readFileSync(bomb)) };
    const manifest = JSON.parse(readFileSync(path.join(backup, FILES.manifest), "utf8")) as Manifest;
    writeManifest(backup, JSON.stringify({ ...manifest, files: { ...manifest.files, [FILES.uploads]: record } }));
    await damaged(backup, /uploads\.tar\.gz is refused: entry "\.\/sparse" makes more than the 9004 bytes/);
  });

  it("stops when it is told to", async () => {
    const backup = craftBackup(root, NAME, good);
    const ending = new AbortController();
    const reason = new Error("enough");
    await assert.rejects(verifyBackup(backup, { signal: ending.signal, onProgress: () => ending.abort(reason) }), reason);
    await assert.rejects(verifyBackup(backup, { signal: AbortSignal.abort(reason) }), reason);
  });
});

interface Sized {
  name: string;
  size: number;
}

function within(random: Random, file: Sized | undefined): { name: string; offset: number } {
  return { name: file?.name ?? "", offset: random.int(0, (file?.size ?? 1) - 1) };
}

function locate(files: readonly Sized[], place: number): { name: string; offset: number } {
  let offset = place;
  for (const { name, size } of files) {
    if (offset < size) return { name, offset };
    offset -= size;
  }
  throw new RangeError("beyond the end");
}
