import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { crc32 } from "node:zlib";
import type { FileRecord } from "../../components/backup/manifest.js";
import { checkFile, type Progress, verifyFile } from "../../components/backup/verify-file.js";
import { seeded } from "../support/random.js";

describe("backup/verify-file", () => {
  let root: string;
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), "pbjrag-verify-file-"));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  /** Several pieces, the last of them no whole one. */
  const content = Buffer.alloc(5_500_000, "0123456789abcdefghijklmnopqrstuvwxyz");
  const bySha: FileRecord = { size: content.length, sha256: createHash("sha256").update(content).digest("hex") };
  const byCrc: FileRecord = { ...bySha, sha256: "0".repeat(64), crc32: crc32(content) };
  const write = (bytes: Buffer): void => writeFileSync(path.join(root, "x"), bytes);

  it("goes by the sum that is quicker, where it is known", async () => {
    write(content);
    assert.deepEqual(await checkFile(root, "x", byCrc, {}), []);
    assert.deepEqual(await checkFile(root, "x", bySha, {}), []);
    assert.deepEqual(await checkFile(root, "x", { ...byCrc, crc32: undefined }, {}), ["x is damaged: its SHA-256 is not the manifest's"]);
    assert.deepEqual(await verifyFile(root, "x", byCrc, null, {}), ["x is damaged: its SHA-256 is not the manifest's"], "a verification never does");
  });

  it("finds one flipped bit anywhere, a cut, and a link", async () => {
    const random = seeded("flipped bits");
    for (let round = 0; round < 50; round += 1) {
      const at = random.int(0, content.length - 1);
      const flipped = Buffer.from(content);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.int(0, 7));
      write(flipped);
      assert.deepEqual(await checkFile(root, "x", byCrc, {}), ["x is damaged: its CRC-32 is not the manifest's"], `byte ${at}`);
    }
    write(content.subarray(1));
    assert.deepEqual(await checkFile(root, "x", byCrc, {}), [`x has ${content.length - 1} bytes, and the manifest says ${content.length}`]);
    symlinkSync("x", path.join(root, "link"));
    assert.deepEqual(await checkFile(root, "link", byCrc, {}), ["link is a link"]);
  });

  it("tells how far it is, and stops when it is told to", async () => {
    write(content);
    const told: Progress[] = [];
    await checkFile(root, "x", byCrc, { onProgress: (progress) => told.push(progress) });
    assert.deepEqual(told.at(-1), { file: "x", read: content.length, size: content.length });
    const stop = new AbortController();
    await assert.rejects(checkFile(root, "x", byCrc, { signal: stop.signal, onProgress: () => stop.abort(new Error("stopped")) }), /stopped/);
  });
});
