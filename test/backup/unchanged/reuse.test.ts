import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { FIRST_LINE, renderEntry } from "../../../components/backup/index/format.js";
import type { Manifest } from "../../../components/backup/manifest.js";
import { FILES } from "../../../components/backup/names.js";
import { type Reused, reuseArchive } from "../../../components/backup/unchanged/reuse.js";
import type { Listing } from "../../../components/backup/unchanged/listing.js";
import { dataPaths } from "../../../components/runtime/paths.js";
import { craftBackup, file, packed, sha256 } from "../../support/crafted.js";

const NAMES = ["pre-deploy-20260101-000000", "pre-deploy-20260102-000000"] as const;
const LINE = renderEntry({ type: "file", path: "one", size: 3, content: sha256("one") });
const DIGEST = sha256(`${LINE}\n`);
const then: Listing = { digest: "d".repeat(64), takenAt: 100, newest: 50, volumeCreated: "c" };
const now: Listing = { ...then, takenAt: 200 };

describe("backup/unchanged: an archive that is taken again", () => {
  let root: string;
  let target: string;
  let said: string[];
  let listed: string[];

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "backup-reuse-"));
    target = path.join(root, "backups", "t", "new.partial", FILES.uploads);
    mkdirSync(path.dirname(target), { recursive: true });
    [said, listed] = [[], []];
  });

  afterEach(() => rmSync(root, { recursive: true }));

  async function craft(name: string, change: (manifest: Manifest) => Manifest = (manifest) => manifest): Promise<string> {
    const qdrant = { tar: await packed([file("./a", "x")]), says: { files: 1, bytes: 1 } };
    const uploads = { tar: await packed([file("./one", "one")]), says: { files: 1, bytes: 3 } };
    const at = craftBackup(path.join(root, "backups", "t"), name, { qdrant, uploads, change: (manifest) => change({ ...manifest, uploads: { ...manifest.uploads, listing: then, digest: DIGEST } }) });
    writeFileSync(path.join(at, FILES.index), gzipSync(`${FIRST_LINE}\n["1","x"]\n{"uploads":true}\n${LINE}\n`));
    return at;
  }

  const reuse = (wanted: Partial<{ stack: string; volume: string; listing: Listing }> = {}): Promise<Reused | null> =>
    reuseArchive(
      { paths: dataPaths(root, "t"), signal: AbortSignal.timeout(20_000), say: (message) => void said.push(message) }, { stack: "t", volume: "u", listing: now, ...wanted }, target,
      () => {
        listed = [];
        return Promise.resolve((line) => void listed.push(line));
      },
    );

  const nothing = async (wanted: Parameters<typeof reuse>[0] = {}): Promise<void> => {
    assert.equal(await reuse(wanted), null);
    assert.throws(() => statSync(target), /ENOENT/);
  };

  it("is the same file, with the list of what it holds and the name of who has read it", async () => {
    const at = await craft(NAMES[0]);
    const reused = await reuse();
    assert.deepEqual(reused?.from, NAMES[0]);
    assert.deepEqual(reused.content, { files: 1, bytes: 3, leftOut: 0, digest: DIGEST });
    assert.deepEqual([reused.file.sha256, statSync(target).ino], [sha256(readFileSync(target)), statSync(path.join(at, FILES.uploads)).ino]);
    assert.deepEqual(listed, [LINE]);
    assert.match(said.join(), /unchanged since backup pre-deploy-20260101-000000/);
  });

  it("keeps the name of the first of several", async () => {
    await craft(NAMES[0], (manifest) => ({ ...manifest, uploads: { ...manifest.uploads, from: "pre-deploy-20250101-000000" } }));
    assert.equal((await reuse())?.from, "pre-deploy-20250101-000000");
  });

  it("is none of another stack or volume, of changed files, or of a backup that is not proven or says what its sum does not", async () => {
    await nothing();
    const at = await craft(NAMES[0]);
    for (const wanted of [{ stack: "other" }, { volume: "other" }, { listing: { ...now, digest: "e".repeat(64) } }]) await nothing(wanted);
    writeFileSync(path.join(at, FILES.sum), "x");
    await nothing();
    await craft(NAMES[0], (manifest) => ({ ...manifest, proof: { ...manifest.proof, read: false } }));
    await nothing();
    await craft(NAMES[0], (manifest) => ({ ...manifest, uploads: { ...manifest.uploads, listing: null } }));
    await nothing();
  });

  it("is not taken damaged or with another list, and an older one does instead", async () => {
    await craft(NAMES[0]);
    const newer = await craft(NAMES[1], (manifest) => ({ ...manifest, created: "2026-01-03T00:00:00.000Z" }));
    const archive = path.join(newer, FILES.uploads);
    const content = readFileSync(archive);
    for (const spoil of [
      () => writeFileSync(archive, Buffer.concat([content.subarray(0, 30), Buffer.from([(content[30] ?? 0) ^ 1]), content.subarray(31)])),
      () => writeFileSync(archive, content.subarray(1)),
      () => rmSync(archive),
      () => {
        writeFileSync(archive, content);
        writeFileSync(path.join(newer, FILES.index), gzipSync(`${FIRST_LINE}\n{"uploads":true}\n`));
      },
    ]) {
      spoil();
      assert.equal((await reuse())?.from, NAMES[0]);
      assert.deepEqual(listed, [LINE]);
      assert.match(said.join("\n"), /unchanged since backup pre-deploy-20260102-000000, but its archive cannot be taken again/);
      rmSync(target);
    }
  });
});
