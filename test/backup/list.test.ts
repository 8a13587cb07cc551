import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readIndex } from "../../components/backup/index/store.js";
import { listBackups, nextNumber } from "../../components/backup/list.js";
import { type CollectionRecord, isProven, type Manifest, manifestSchema, parseManifest, renderManifest, wasSampled } from "../../components/backup/manifest.js";
import { verifyBackup } from "../../components/backup/verify.js";
import { readJson } from "../../components/runtime/whole-file.js";
import { sampleManifest } from "../support/crafted.js";

const manifest = (name: string, created: string): Manifest => sampleManifest(name, { created });

describe("backup/list, backup/manifest", () => {
  let backups: string;

  beforeEach(async () => {
    backups = await mkdtemp(path.join(tmpdir(), "backup-list-"));
  });

  afterEach(() => rm(backups, { recursive: true }));

  const add = async (name: string, text: string): Promise<void> => {
    await mkdir(path.join(backups, name));
    await writeFile(path.join(backups, name, "manifest.json"), text);
  };

  it("is empty where nothing was ever backed up", async () => {
    assert.deepEqual(await listBackups({ backups: path.join(backups, "none") }), []);
  });

  it("tells what the manifests say, oldest first, and leaves out what is no backup", async () => {
    const [older, newer] = ["pre-rollback-20260102-000000", "pre-deploy-20260102-000000-2"];
    await add(newer, renderManifest(manifest(newer, "2026-01-02T00:00:01.000Z")));
    await add(older, renderManifest(manifest(older, "2026-01-02T00:00:00.000Z")));
    await add("pre-deploy-20260103-000000.partial", renderManifest(manifest("x", "2026-01-03T00:00:00.000Z")));
    await mkdir(path.join(backups, "manual"));
    const list = await listBackups({ backups });
    assert.deepEqual(list.map(({ name }) => name), [older, newer]);
    assert.deepEqual(list[0], {
      name: older, kind: "pre-deploy", created: "2026-01-02T00:00:00.000Z", of: "v1", revision: "v1-0", before: "v2", qdrantVersion: "1.19.0",
      collections: { a: 3 }, files: 4, bytes: 30, proven: true, pinned: false, problem: "",
    });
  });

  it("shows what has no whole manifest as such, before all others", async () => {
    const good = "pre-deploy-20260101-000000";
    await add(good, renderManifest(manifest(good, "2026-01-01T00:00:00.000Z")));
    await mkdir(path.join(backups, "pre-deploy-20260105-000000"));
    await add("pre-deploy-20260104-000000", renderManifest(manifest(good, "2026-01-04T00:00:00.000Z")).slice(0, -20));
    const list = await listBackups({ backups });
    assert.deepEqual(list.map(({ name, problem }) => [name, problem !== ""]), [
      ["pre-deploy-20260104-000000", true], ["pre-deploy-20260105-000000", true], [good, false],
    ]);
  });

  it("goes by number, whatever the clock said; those without one come first", async () => {
    const all: [string, number | undefined, string][] = [
      ["pre-deploy-20270101-000000", 1, "2027-01-01T00:00:00.000Z"], ["pre-rollback-20250101-000000", 2, "2025-01-01T00:00:00.000Z"],
      ["pre-deploy-20260101-000000", 3, "2026-01-01T00:00:00.000Z"], ["pre-deploy-20280101-000000", undefined, "2028-01-01T00:00:00.000Z"],
    ];
    assert.equal(await nextNumber({ backups }), 1);
    for (const [name, seq, created] of all) await add(name, renderManifest({ ...manifest(name, created), seq }));
    assert.deepEqual((await listBackups({ backups })).map(({ name }) => name), [3, 0, 1, 2].map((at) => all[at]?.[0]));
    assert.equal(await nextNumber({ backups }), 4);
  });

  it("names what is no regular file, too large, or numbered as no backup can be, and goes on with the rest", async () => {
    const [good, pipe, link, far, last] = ["pre-deploy-20260101-000000", "pre-deploy-20260102-000000", "pre-deploy-20260103-000000", "pre-deploy-20260104-000000", "pre-deploy-20260105-000000"] as const;
    await add(good, renderManifest({ ...manifest(good, "2026-01-01T00:00:00.000Z"), seq: 7 }));
    for (const name of [pipe, link, last]) await mkdir(path.join(backups, name));
    execFileSync("mkfifo", [path.join(backups, pipe, "manifest.json")]);
    await symlink("/dev/zero", path.join(backups, link, "manifest.json"));
    await add(far, renderManifest({ ...manifest(far, "2026-01-04T00:00:00.000Z"), seq: Number.MAX_SAFE_INTEGER }));
    await writeFile(path.join(backups, last, "manifest.json"), "");
    await truncate(path.join(backups, last, "manifest.json"), 65 * 1024 * 1024);
    const problems = Object.fromEntries((await listBackups({ backups })).map(({ name, problem }) => [name, problem]));
    assert.equal(problems[good], "");
    assert.match(problems[pipe] ?? "", /manifest\.json is no regular file/);
    assert.match(problems[link] ?? "", /manifest\.json is a link/);
    assert.match(problems[last] ?? "", /manifest\.json is larger than/);
    assert.match(problems[far] ?? "", /backup number 9007199254740991, which this stack cannot have come to/);
    assert.equal(await nextNumber({ backups }), 8);
    assert.match((await verifyBackup(path.join(backups, pipe))).problems.join(), /no regular file/);
  });

  it("waits for no pipe in the place of an index, a sum or one of its own files of JSON", async () => {
    const at = path.join(backups, "pre-deploy-20260101-000000");
    await mkdir(at);
    for (const name of ["index.ndjson.gz", "manifest.sha256", "state.json"]) execFileSync("mkfifo", [path.join(at, name)]);
    await writeFile(path.join(at, "manifest.json"), renderManifest(manifest(path.basename(at), "2026-01-01T00:00:00.000Z")));
    assert.match((await verifyBackup(at)).problems.join(), /manifest\.sha256 is missing/);
    await assert.rejects(readIndex(at).next(), /no regular file/);
    assert.equal(readJson(path.join(at, "state.json"), manifestSchema), null);
  });

  it("reads its own manifests only", () => {
    const whole = manifest("a", "now");
    assert.deepEqual(parseManifest(renderManifest(whole)), whole);
    assert.throws(() => parseManifest(JSON.stringify({ ...whole, schema: 3 })));
    assert.throws(() => parseManifest("{}"));
    assert.equal(manifestSchema.safeParse({ ...whole, files: { x: { size: 1, sha256: "no" } } }).success, false);
  });

  it("reads manifests of the first version, which promise less", () => {
    const whole = manifest("a", "now");
    const { qdrant } = whole;
    assert.ok(qdrant !== null);
    const storage = { files: 1, bytes: 2, leftOut: 0 };
    const old = { ...whole, schema: 1, index: undefined, qdrant: { ...qdrant, storage }, uploads: { files: 4, bytes: 5, leftOut: 0, volume: "u" }, proof: { restored: true, counted: true } };
    const read = parseManifest(JSON.stringify(old));
    assert.deepEqual(read, {
      ...whole, index: null, qdrant: { ...qdrant, storage: { ...storage, digest: "" } },
      uploads: { files: 4, bytes: 5, leftOut: 0, digest: "", volume: "u", listing: null, from: "" },
      proof: { restored: true, counted: true, sampled: false, read: false },
    });
    assert.deepEqual(parseManifest(JSON.stringify({ ...old, qdrant: null })).qdrant, null);
    assert.throws(() => parseManifest(JSON.stringify({ ...old, uploads: null })));
  });

  it("takes for proven what was restored, counted and read to its end, and for sampled what was compared in every collection", () => {
    const whole = manifest("a", "now");
    const proof = (change: Partial<Manifest["proof"]>) => isProven({ ...whole, proof: { ...whole.proof, ...change } });
    assert.deepEqual([proof({}), proof({ sampled: false }), proof({ read: false }), proof({ counted: false }), proof({ restored: false })], [true, true, false, false, false]);
    const without = { ...whole, qdrant: null, proof: { restored: false, counted: false, sampled: false, read: true } };
    assert.deepEqual([isProven(without), isProven({ ...without, proof: { ...without.proof, read: false } })], [true, false]);
    const { a } = whole.qdrant?.collections ?? {};
    assert.ok(a !== undefined);
    const compared = { ...a, sampled: { points: 3, changed: 0, queries: 1 } };
    const rewritten = { ...a, sampled: { points: 0, changed: 3, queries: 0 } };
    const empty = { ...a, points: 0, sampled: { points: 0, changed: 0, queries: 0 } };
    const all: Record<string, CollectionRecord>[] = [{ compared, empty }, { compared, rewritten }, { a: { ...a, sampled: undefined } }, { a: { ...a, sampled: null } }, { empty }, {}];
    assert.deepEqual(all.map(wasSampled), [true, false, false, false, false, false]);
  });
});
