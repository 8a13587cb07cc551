import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { isCommit, parseSource, sourceProblem, tagProblem } from "../../components/source/names.js";

describe("source/names", () => {
  for (const tag of ["v3.0.0", "3.0.0", "release/v3.0.0", "v1.0.0-rc.1", "v1.0.0+build.5", "übung", "релиз-1.0.0", "版本/一"]) {
    it(`takes the tag ${tag}`, () => assert.equal(tagProblem(tag), null));
  }
  const hostile = [
    "", "-x", "--upload-pack=touch", "a/../b", "..", "$(id)", "`id`", "a b", "a\nb", "a\tb", "a\u0000b", "v1.lock", "a.lock/b", "a//b", "/a", "a/", ".a", "a/.b", "a.", "@", "a@{1}",
    "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a;b", "a|b", "a&b", "<a>", "a'b", 'a"b', "x".repeat(201), "a\u007fb",
    "v1.0.0\u202e0.9v", "v1.0.0\u200b", "v1\u00a0", "v1\u2028", "\ufeffv1", "v1\ue000", "v1\ud800",
  ];
  for (const tag of hostile) {
    it(`refuses the tag ${JSON.stringify(tag.slice(0, 20))}`, () => assert.notEqual(tagProblem(tag), null));
  }

  it("refuses every tag that git refuses", () => {
    const piece = fc.constantFrom("a", "v1", ".", "/", "..", "@{", "@", "-", "~", "^", ":", " ", ".lock", "\\", "*", "\u0001", "é");
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        const tag = pieces.join("");
        if (spawnSync("git", ["check-ref-format", `refs/tags/${tag}`]).status !== 0) {
          assert.notEqual(tagProblem(tag), null, JSON.stringify(tag));
        }
      }),
      { numRuns: 150 },
    );
  });

  it("knows a full commit ID", () => {
    assert.equal(isCommit("0123456789abcdef0123456789abcdef01234567"), true);
    assert.equal(isCommit("0123456"), false);
    assert.equal(isCommit("0123456789ABCDEF0123456789ABCDEF01234567"), false);
  });

  const addresses: [string, "path" | "remote"][] = [
    [".", "path"], ["../app", "path"], ["/srv/app", "path"], ["./a:b", "path"], ["file:///srv/app", "path"],
    ["https://example.org/team/app.git", "remote"], ["ssh://git@example.org:2222/app.git", "remote"], ["git@example.org:team/app.git", "remote"],
  ];
  for (const [source, kind] of addresses) {
    it(`takes ${source} as ${kind}`, () => {
      const parsed = parseSource(source);
      assert.ok("kind" in parsed);
      assert.equal(parsed.kind, kind);
    });
  }
  const refused = [
    "", " ", "-x", "ext::sh -c id", "fd::3", "http://example.org/app", "git://example.org/app", "ftp://example.org/app", "https://", "a\nb",
    "https://user:secret@example.org/app", "https://token@example.org/app", "ssh://-oProxyCommand=id/x", "-o@host:x", "git@-oProxyCommand=id:x", "host:-x",
  ];
  for (const source of refused) {
    it(`refuses the source ${JSON.stringify(source)}`, () => assert.notEqual(sourceProblem(source), null));
  }

  it("never shows a password", () => {
    const problem = sourceProblem("https://user:hunter2@example.org/app");
    assert.ok(!JSON.stringify(problem).includes("hunter2"));
  });
});
