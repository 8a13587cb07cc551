import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pin, pinnedOf, unpin } from "../../components/backup/pins.js";
import { describe as shown } from "../../scripts/cli/backups/show.js";
import { ageWords, columns } from "../../scripts/cli/backups/words.js";
import { sampleManifest } from "../support/crafted.js";

const NAME = "pre-deploy-20260101-000000";

describe("scripts/backups", () => {
  it("says how old something is", () => {
    const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
    const ages = [0, minute - 1, minute, 59 * minute, hour, 2 * hour - 1, day, 400 * day, -1, NaN];
    assert.deepEqual(ages.map(ageWords), ["under a minute", "under a minute", "1 minute", "59 minutes", "1 hour", "1 hour", "1 day", "400 days", "in the future", "not known"]);
  });

  it("lays out columns", () => {
    assert.deepEqual(columns([["a", "long", "x"], ["bbb", "", "y z"]]), ["a    long  x", "bbb        y z"]);
    assert.deepEqual(columns([]), []);
  });

  it("pins beside the backup, and takes nothing else for a pin", async () => {
    const root = mkdtempSync(path.join(tmpdir(), "pins-"));
    try {
      await pin(root, NAME);
      await pin(root, NAME);
      assert.equal(statSync(path.join(root, `${NAME}.pinned`)).mode & 0o777, 0o600);
      assert.deepEqual(pinnedOf([...readdirSync(root), "x.pinned", ".pinned", NAME, `${NAME}.partial.pinned`]), [NAME]);
      await unpin(root, NAME);
      await unpin(root, NAME);
      assert.deepEqual(readdirSync(root), []);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("tells a manifest in words", () => {
    const manifest = sampleManifest(NAME);
    const text = shown(manifest, true, Date.parse(manifest.created) + 3 * 86_400_000).join("\n");
    assert.match(text, /^pre-deploy-20260101-000000 of stack t, pinned\n/);
    assert.match(text, /\(3 days ago\) before v2 \(d\), by pbjrag-release 0\.1\.0\n/);
    assert.match(text, /data of +v1 \(c\), revision v1-0\nqdrant +1\.19\.0 \(abc\), from volume q, through its snapshots\n {2}a {2}3 points, green, no payload indexes\n/);
    assert.match(text, /uploads +4 files, 5 B, from volume u\nproof +restored into a scratch Qdrant and counted there; 2 points and 1 queries compared with the live one\nfiles +30 B together\n/);
    const bare = shown({ ...manifest, of: null, qdrant: null, uploads: { ...manifest.uploads, leftOut: 2 } }, false, 0).join("\n");
    assert.match(bare, /nothing was released\nqdrant +no data\nuploads.+; 2 devices, pipes or links to outside were left out\nproof +none needed/);
    assert.match(shown({ ...manifest, proof: { ...manifest.proof, read: false, sampled: false } }, false, 0).join("\n"), /counted there; its archives were not read to their end/);
    assert.match(shown({ ...manifest, proof: { ...manifest.proof, counted: false } }, false, 0).join("\n"), /proof +NONE/);
  });
});
