import assert from "node:assert/strict";
import { auditAnswer, worst } from "../../components/checklist/audit.js";
import { checkChangelog } from "../../components/checklist/changelog.js";
import { commandFor } from "../../components/checklist/commands.js";
import { checkImage } from "../../components/checklist/image.js";
import { checkLinks, localLinks } from "../../components/checklist/links.js";
import { fail, pass, unknown } from "../../components/checklist/model.js";
import { type Checked, openOf, passProblem } from "../../components/checklist/passed.js";
import { itemsIn, ticksFile, ticksIn } from "../../components/checklist/person.js";
import type { Ended } from "../../components/checklist/run-command.js";
import { checkBudget, checkStaging, checkTag } from "../../components/checklist/staging.js";
import { histogramOf } from "../../components/metrics/histogram.js";
import { NO_TRAFFIC } from "../../components/metrics/traffic.js";
import { treeOf } from "./tree.js";

const COMMIT = "a".repeat(40);
const OTHER = "b".repeat(40);

describe("checklist: documents of a tag", () => {
  it("finds links to files that are not there, and leaves the web and examples alone", () => {
    const tree = treeOf({
      "README.md": "[a](docs/a.md) [dir](docs) [b](docs/b.md#part) ![i](<docs/my%20image.png>) [w](https://x.org/y.md) [m](mailto:a@b) [h](#here)\n```\n[x](not/there.md)\n```\n`[y](nor/there.md)`\n",
      "docs/a.md": "[up](../README.md) [gone](gone.md)\n\n[ref]: ../gone.txt\n[root](/docs/a.md)\n", "docs/my image.png": "",
    });
    const answer = checkLinks(tree);
    assert.deepEqual([answer.status, answer.lines], ["fail", ["README.md: docs/b.md#part", "docs/a.md: gone.md", "docs/a.md: ../gone.txt"]]);
    assert.equal(checkLinks(treeOf({ "README.md": "[a](README.md)" })).status, "pass");
    assert.equal(checkLinks(treeOf({ "a.py": "" })).status, "unknown");
    assert.deepEqual(localLinks("~~~\n[a](b)\n~~~\n[c](d 'title')"), ["d"]);
  });
  it("holds tag and changelog against each other", () => {
    const of = (text: string, tag = "v3.0.0"): string => checkChangelog(treeOf({ "CHANGELOG.md": text }), tag).status;
    for (const good of ["# Changes\n\n## [3.0.0] - 2024-05-06\n", "## v3.0.0\n## v2.9.0\n", "# 3.0.0 (2024)\n"]) assert.equal(of(good), "pass", good);
    for (const bad of ["## 2.9.0\n", "## 3.0.0-rc.1\n", "## 3.1.0\n## 3.0.0\n", "## 13.0.0\n", ""]) assert.equal(of(bad), "fail", bad);
    assert.equal(of("## 3.0.0", "nightly"), "unknown");
    assert.equal(checkChangelog(treeOf({}), "v3.0.0").status, "unknown");
  });
});

describe("checklist: commands", () => {
  it("are the operator's, or what the tree says of itself", () => {
    const node = treeOf({ "package.json": '{"scripts":{"test":"x"}}', "package-lock.json": "{}", "tsconfig.json": "{}" });
    assert.deepEqual(commandFor("tests", node, undefined), { argv: ["npm", "run", "--silent", "test"], first: [["npm", "ci", "--no-audit", "--no-fund"]] });
    assert.deepEqual(commandFor("types", node, undefined)?.argv, ["npx", "--no-install", "tsc", "--noEmit"]);
    assert.equal(commandFor("lint", node, undefined), null);
    const python = treeOf({ "tests/test_app.py": "", "pyproject.toml": "[tool.ruff]\n[tool.mypy]\n" });
    assert.deepEqual((["tests", "types", "lint"] as const).map((name) => commandFor(name, python, undefined)?.argv.slice(2)), [["pytest", "-q"], ["mypy", "."], ["ruff", "check", "."]]);
    assert.deepEqual(commandFor("lint", python, "make lint"), { argv: ["bash", "-c", "make lint"], first: [] });
    assert.equal(commandFor("tests", treeOf({ "app.py": "" }), undefined), null);
  });
});

describe("checklist: what others say of holes", () => {
  it("takes npm's list, and says so where there is none", () => {
    const list = (severity: string): string => JSON.stringify({ vulnerabilities: { lodash: { severity, fixAvailable: true } } });
    assert.deepEqual([auditAnswer("x", list("high"), "").status, auditAnswer("x", list("critical"), "").status, auditAnswer("x", list("moderate"), "").status], ["fail", "fail", "pass"]);
    assert.deepEqual(auditAnswer("x", list("high"), "").lines, ["lodash: high"]);
    for (const [text, why, words] of [['{"message":"request failed"}', "", /request failed/], ['{"error":{"code":"ENOLOCK","summary":"no lock"}}', "", /no lock/], ["", "", /no list came/], ["", "it did not end within 5 s", /within 5 s/]] as const) {
      const answer = auditAnswer("x", text, why);
      assert.equal(answer.status, "unknown");
      assert.match(answer.what, words);
    }
  });
  it("lets the gravest decide", () => {
    assert.deepEqual(worst([pass("a"), unknown("b"), fail("c", ["l"])]), fail("c", ["l"]));
    assert.deepEqual(worst([pass("a"), unknown("b"), unknown("c")]), unknown("b; c"));
    assert.deepEqual(worst([pass("a"), pass("b")]), pass("a; b"));
  });
  it("asks the scanner that is there, and tells holes from a scanner that failed", async () => {
    const asked: string[] = [];
    const run = (ends: Partial<Ended>[]) => ([file]: [string, ...string[]]): Promise<Ended> => {
      asked.push(file);
      return Promise.resolve({ exitCode: null, stdout: "", lines: [], why: "", ...ends[asked.length - 1] });
    };
    const answer = async (...ends: Partial<Ended>[]): Promise<string> => {
      asked.length = 0;
      return (await checkImage("app:v1", 1000, run(ends))).status;
    };
    assert.equal(await answer({ exitCode: 10 }), "fail");
    assert.equal(await answer({ exitCode: 0 }), "pass");
    assert.equal(await answer({ exitCode: 1 }), "unknown");
    assert.equal(await answer({ why: "ENOENT" }, { exitCode: 2 }), "fail");
    assert.deepEqual(asked, ["trivy", "grype"]);
    assert.equal(await answer({ why: "ENOENT" }, { why: "ENOENT" }), "unknown");
    assert.equal((await checkImage(null, 1000)).status, "unknown");
  });
});

describe("checklist: what staging tells", () => {
  const target = { tag: "v3.0.0", commit: COMMIT };
  const known = (tag: string, commit: string): { tag: string; commit: string; revision: string } => ({ tag, commit, revision: `${tag}-00000000` });
  it("finds a tag that was moved", () => {
    assert.equal(checkTag(target, []).status, "pass");
    assert.equal(checkTag(target, [{ commit: COMMIT, where: "on staging" }]).status, "pass");
    const moved = checkTag(target, [{ commit: COMMIT, where: "on staging" }, { commit: OTHER, where: "yesterday" }]);
    assert.deepEqual([moved.status, moved.lines], ["fail", ["it led to bbbbbbbbbbbb yesterday"]]);
  });
  it("wants the tag to run there now", () => {
    assert.equal(checkStaging(target, "staging", [known("v2.9.0", OTHER), known("v3.0.0", COMMIT)]).status, "pass");
    for (const ledger of [[], [known("v3.0.0", COMMIT), known("v3.1.0", OTHER)], [known("v3.0.0", OTHER)]]) assert.equal(checkStaging(target, "staging", ledger).status, "fail");
    assert.equal(checkStaging(target, "staging", { why: "no such stack" }).status, "unknown");
  });
  it("judges by enough requests, within the budget", () => {
    const budget = { p99: 1000, errorRate: 0.01 };
    const of = (requests: number, errors: number, ms: number): string => checkBudget({ ...NO_TRAFFIC, requests, errors, latency: histogramOf(Array.from({ length: 200 }, () => ms)) }, budget).status;
    assert.deepEqual([of(200, 2, 100), of(200, 3, 100), of(200, 0, 1500), of(99, 0, 100)], ["pass", "fail", "fail", "unknown"]);
    assert.equal(checkBudget({ why: "no proxy" }, budget).status, "unknown");
  });
});

describe("checklist: a person's part", () => {
  const items = [{ name: "review", text: "read" }, { name: "told", text: "all know" }];
  it("is a list in a document, ticked in a file of the same form", () => {
    const text = ticksFile("v3.0.0", items);
    assert.deepEqual(itemsIn(text), items);
    assert.deepEqual(ticksIn(text, "ann"), []);
    assert.deepEqual(ticksIn(text.replace("[ ] **told**", "[X] **told**"), "ann"), [{ name: "told", by: "ann" }]);
    assert.deepEqual(ticksIn("we ticked [x] **review**\n", "ann"), []);
  });
  it("stands open until each is ticked, with what no program could look at", () => {
    const results = [{ name: "tag", ...pass("") }, { name: "image", ...unknown("no scanner") }, { name: "tests", ...fail("exit 1") }];
    assert.deepEqual(openOf(items, results, [{ name: "review", by: "ann" }]), ["tests failed: exit 1", "told is not ticked", "image is not ticked"]);
    const all = ["review", "told", "image", "tests"].map((name) => ({ name, by: "ann" }));
    assert.deepEqual(openOf(items, results, all), ["tests failed: exit 1"], "a tick must not wave a failure through");
    assert.deepEqual(openOf(items, results.slice(0, 2), all), []);
  });
  it("is good for a while, for the commit that was looked at", () => {
    const hour = 3_600_000;
    const checked: Checked = { schema: 1, stack: "prod", tag: "v3.0.0", commit: COMMIT, at: "2026-01-01T00:00:00Z", results: [], ticks: [], open: [] };
    const at = Date.parse(checked.at);
    assert.equal(passProblem(checked, COMMIT, at + hour, 2 * hour), null);
    assert.match(passProblem(checked, COMMIT, at + 3 * hour, 2 * hour) ?? "", /is good for 2h/);
    assert.match(passProblem(checked, COMMIT, at - hour, 2 * hour) ?? "", /is good for/, "a clock that was set back makes nothing fresh");
    assert.match(passProblem(checked, OTHER, at, hour) ?? "", /the tag has moved/);
    assert.match(passProblem({ ...checked, open: ["told is not ticked"] }, COMMIT, at, hour) ?? "", /told is not ticked/);
    assert.match(passProblem(null, COMMIT, at, hour) ?? "", /not gone through/);
  });
});
