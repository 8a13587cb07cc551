import assert from "node:assert/strict";
import { assertExportable, isLfsPointer, linkStaysInside, type TreeEntry } from "../../components/source/tree.js";

const entry = (path: string, kind: TreeEntry["kind"] = "file"): TreeEntry => ({ path, kind, id: "0".repeat(40), size: 1 });

describe("source/tree", () => {
  for (const [path, target, inside] of [
    ["a", "b", true], ["a", "./b/c", true], ["d/a", "../b", true], ["d/e/a", "../../b", true],
    ["a", "../b", false], ["d/a", "../../b", false], ["a", "/etc/passwd", false], ["a", "", false],
    // Lexically inside, but x/y may itself be a link to the root.
    ["a", "x/y/..", false], ["d/a", "b/../../c", false],
  ] as const) {
    it(`${path} -> ${JSON.stringify(target)} ${inside ? "stays inside" : "is refused"}`, () => assert.equal(linkStaysInside(path, target), inside));
  }
  for (const path of ["../x", "a/../b", ".git/config", "a/.GIT/x", "a\nb", "a//b", "bad\ufffdname"]) {
    it(`refuses the path ${JSON.stringify(path)}`, () => assert.throws(() => assertExportable([entry(path)], "c".repeat(40)), /paths that cannot be exported/));
  }
  it("refuses a .gitmodules without gitlinks too", () => assert.throws(() => assertExportable([entry(".gitmodules")], "c".repeat(40)), /submodules/));
  it("tells an LFS pointer from a file that only mentions one", () => {
    assert.equal(isLfsPointer(Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")), true);
    assert.equal(isLfsPointer(Buffer.from("see version https://git-lfs.github.com/spec/v1")), false);
    assert.equal(isLfsPointer(Buffer.from(`version https://git-lfs.github.com/spec/v1${"x".repeat(2000)}`)), false);
  });
});
