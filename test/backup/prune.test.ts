import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { prune, type Pruning } from "../../components/backup/prune.js";
import type { Retained } from "../../components/backup/retention.js";
import { dataPaths } from "../../components/runtime/paths.js";

const [A, B, C] = ["pre-deploy-20260101-000000", "pre-deploy-20260102-000000", "pre-rollback-20260103-000000"] as const;

describe("backup/prune", () => {
  let root: string;
  let paths: Pruning["paths"];

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "prune-"));
    paths = dataPaths(root, "t");
    for (const name of [A, B, C]) {
      mkdirSync(path.join(paths.backups, name), { recursive: true });
      writeFileSync(path.join(paths.backups, name, "manifest.json"), "{}");
    }
  });

  afterEach(() => rmSync(root, { recursive: true }));

  const backup = (name: string): Retained => ({ kind: "backup", name, bytes: 1, why: [] });
  const pruning = (change: Partial<Pruning> = {}): Pruning => ({ paths, token: "abc", goOn: () => true, assertHolds: () => undefined, ...change });

  it("removes what it is given and nothing else; what is gone already is fine", async () => {
    const { removed, failed } = await prune([backup(A), backup(B), backup("pre-deploy-20250101-000000")], pruning());
    assert.deepEqual([removed.length, failed], [3, []]);
    assert.deepEqual(readdirSync(paths.backups), [C]);
  });

  it("goes on after one that cannot be removed, and says why", async () => {
    // Where its new name is taken by a directory that is not empty, it cannot be renamed.
    mkdirSync(path.join(paths.backups, `${A}.swept-abc`));
    writeFileSync(path.join(paths.backups, `${A}.swept-abc`, "x"), "");
    const { removed, failed } = await prune([backup(A), backup(B)], pruning());
    assert.deepEqual([removed.map(({ name }) => name), failed.map(({ item }) => item.name)], [[B], [A]]);
    assert.match(failed[0]?.why ?? "", /ENOTEMPTY/);
  });

  it("stops where it is asked to, and where the lock is lost", async () => {
    let left = 1;
    assert.deepEqual((await prune([backup(A), backup(B)], pruning({ goOn: () => left-- > 0 }))).removed.map(({ name }) => name), [A]);
    const lost = new Error("lost");
    await assert.rejects(prune([backup(B)], pruning({ assertHolds: () => { throw lost; } })), lost);
    assert.deepEqual(readdirSync(paths.backups), [B, C]);
  });
});
