import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { listBackups, nextNumber } from "../../components/backup/list.js";
import { manifestBytes } from "../../components/backup/manifest-file.js";
import { FILES } from "../../components/backup/names.js";
import { ensureKey, isKnown, NOT_KNOWN, readKey, sign } from "../../components/backup/origin.js";
import { retention } from "../../components/backup/retention.js";
import { newest } from "../../components/backup/unchanged/reuse.js";
import { verifyBackup } from "../../components/backup/verify.js";
import { readBackupFact } from "../../components/release/facts.js";
import { dataPaths, type DataPaths } from "../../components/runtime/paths.js";
import { craftBackup, type Crafted, directory, file, packed, writeManifest } from "../support/crafted.js";

const [OLD, OWN, PLANTED] = ["pre-deploy-20260101-000000", "pre-deploy-20260102-000000", "pre-deploy-20260103-000000"];

describe("backup/origin", () => {
  let paths: DataPaths;
  let content: Crafted;

  before(async () => {
    const tar = await packed([directory("./"), file("./one", "eins")]);
    content = { qdrant: { tar, says: { files: 1, bytes: 4 } }, uploads: { tar, says: { files: 1, bytes: 4 } } };
  });
  beforeEach(() => (paths = dataPaths(mkdtempSync(path.join(tmpdir(), "pbjrag-origin-")), "t")));
  afterEach(() => rmSync(paths.dataDir, { recursive: true, force: true }));

  const craft = (name: string, seq: number): string => craftBackup(paths.backups, name, { ...content, change: (manifest) => ({ ...manifest, seq }) });
  const problems = async (): Promise<Record<string, string>> => Object.fromEntries((await listBackups(paths)).map(({ name, problem }) => [name, problem]));

  it("makes a key for its owner alone, away from the backups, once, and takes those that were there for its own", async () => {
    craft(OLD, 1);
    const first = await ensureKey(paths);
    assert.deepEqual(first.adopted, [OLD]);
    assert.deepEqual(await ensureKey(paths), { key: first.key, adopted: [] });
    assert.equal(statSync(paths.backupKey).mode & 0o777, 0o600);
    assert.equal(path.relative(paths.backups, paths.backupKey).startsWith(".."), true);
    assert.deepEqual(await problems(), { [OLD]: "" });
  });

  it("knows its own backups from those that somebody else wrote, whatever their sums say", async () => {
    const { key } = await ensureKey(paths);
    await sign(craft(OWN, 1), "t", key);
    const planted = craft(PLANTED, 2);
    // The MAC of another manifest is none of this one.
    cpSync(path.join(paths.backups, OWN, FILES.mac), path.join(planted, FILES.mac));
    assert.deepEqual((await verifyBackup(planted)).problems, []);
    assert.deepEqual(await problems(), { [OWN]: "", [PLANTED]: NOT_KNOWN });
    const fact = readBackupFact(paths, PLANTED);
    assert.deepEqual([fact.problem, /scripts\/backups\.sh accept pre-deploy-20260103-000000/.test(fact.next ?? "")], [NOT_KNOWN, true]);
    assert.equal(readBackupFact(paths, OWN).problem, "");
  });

  it("is no other stack's, and none whose manifest was changed", async () => {
    const { key } = await ensureKey(paths);
    const own = craft(OWN, 1);
    await sign(own, "other", key);
    assert.equal(isKnown(own, "t", key, manifestBytes(own)), false);
    await sign(own, "t", key);
    assert.equal(isKnown(own, "t", key, manifestBytes(own)), true);
    writeManifest(own, readFileSync(path.join(own, FILES.manifest), "utf8").replace('"v1"', '"v9"'));
    assert.equal(isKnown(own, "t", key, manifestBytes(own)), false);
  });

  it("relies on none that it does not know: neither retention, nor the next number, nor unchanged uploads", async () => {
    const { key } = await ensureKey(paths);
    await sign(craft(OWN, 1), "t", key);
    craft(PLANTED, 900_000);
    assert.equal(await nextNumber(paths), 2);
    assert.deepEqual((await newest({ paths })).map((at) => path.basename(at)), [OWN]);
    const kept = retention({ now: Date.parse("2030-01-01"), rules: { keepDays: 1, keepLast: 1 }, backups: await listBackups(paths), ledger: [], images: [], volumes: [] });
    assert.deepEqual(kept.map(({ name, why }) => [name, why.includes("it is the last proven one")]), [[PLANTED, false], [OWN, true]]);
  });

  it("says nothing of any where there is no key, as on a new machine, and refuses a file that is none", async () => {
    craft(OLD, 1);
    assert.equal(readKey(paths), null);
    assert.deepEqual(await problems(), { [OLD]: "" });
    await ensureKey(paths);
    writeFileSync(paths.backupKey, "short\n");
    assert.throws(() => readKey(paths), /is no key/);
    assert.equal(existsSync(`${paths.backupKey}.next`), false);
  });
});
