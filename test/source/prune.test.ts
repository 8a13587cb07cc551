import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { EXPORTS } from "../../components/source/export.js";
import { pruneExports, toPrune } from "../../components/source/prune.js";

const commit = (letter: string): string => letter.repeat(40);
const hour = 3_600_000;

describe("source/prune", () => {
  it("keeps what is referenced, the last used, and what is young", () => {
    const exports = ["a", "b", "c", "d", "e"].map((letter, index) => ({ name: commit(letter), usedAt: index * hour }));
    const rule = { keep: new Set([commit("a")]), spare: 1, minAgeMs: 2 * hour };
    assert.deepEqual(toPrune(exports, rule, 5.5 * hour), [commit("d"), commit("c"), commit("b")]);
  });
  it("removes leftovers of killed runs, and nothing that it does not know", () => {
    const exports = [{ name: ".x.1", usedAt: 0 }, { name: ".y.2", usedAt: 9 * hour }, { name: "notes", usedAt: 0 }];
    assert.deepEqual(toPrune(exports, { keep: new Set(), spare: 0, minAgeMs: hour }, 9.5 * hour), [".x.1"]);
  });
  it("does so on disk, and is content where there is nothing", async () => {
    const project = mkdtempSync(path.join(tmpdir(), "pbjrag-prune-"));
    try {
      const rule = { keep: new Set<string>(), spare: 0, minAgeMs: hour };
      assert.deepEqual(await pruneExports(project, rule), []);
      const dir = path.join(project, EXPORTS, commit("a"));
      mkdirSync(path.join(dir, "sub"), { recursive: true });
      utimesSync(dir, 1000, 1000);
      assert.deepEqual(await pruneExports(project, rule), [commit("a")]);
      assert.equal(existsSync(dir), false);
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  });
});
