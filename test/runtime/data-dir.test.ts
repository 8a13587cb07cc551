import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dataDirProblem } from "../../components/runtime/data-dir.js";
import { dataPaths } from "../../components/runtime/paths.js";

describe("runtime/data-dir", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), "data-dir-"))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const problem = (name: string): string | null => dataDirProblem(dataPaths(path.join(dir, name), "s"));

  it("takes a directory that is there or can be made, and makes none", () => {
    assert.deepEqual([problem("."), problem("a/b")], [null, null]);
    assert.deepEqual(readdirSync(dir), []);
  });

  it("refuses a file in its place, above it and below it", () => {
    writeFileSync(path.join(dir, "file"), "");
    assert.match(problem("file") ?? "", /\/file is no directory$/);
    assert.match(problem("file/below") ?? "", /\/file is no directory$/);
    mkdirSync(path.join(dir, "data"));
    writeFileSync(path.join(dir, "data", "backups"), "");
    assert.match(problem("data") ?? "", /\/data\/backups is no directory$/);
  });

  // Root may write anywhere.
  if (process.getuid?.() !== 0) {
    it("refuses one that this user may not write in", () => {
      mkdirSync(path.join(dir, "closed"));
      chmodSync(path.join(dir, "closed"), 0o555);
      assert.match(problem("closed") ?? "", /this user may not write there/);
    });
  }
});
