import assert from "node:assert/strict";
import { asOutput, findReleases, parseLedger, releasable } from "../../components/release/ledger.js";
import { commitOf, World } from "./world.js";

const BACKUP = "pre-deploy-20260101-120000";

function world(...tags: string[]): World {
  const made = new World();
  tags.forEach((tag) => made.up(tag));
  return made;
}
function problem(value: unknown): string {
  const parsed = parseLedger(value);
  assert.ok("problems" in parsed, "was taken");
  assert.equal(parsed.problems.length, 1);
  return parsed.problems[0]?.what ?? "";
}

describe("release/ledger", () => {
  it("is empty before the first release, and only then", () => {
    assert.deepEqual(parseLedger(undefined), { ledger: [] });
    assert.deepEqual(parseLedger(null), { ledger: [] });
    assert.deepEqual(parseLedger([]), { ledger: [] });
    for (const value of ["", "[]", {}, 0, false]) {
      assert.match(problem(value), /is no list/);
    }
  });
  it("refuses what is damaged or of another form, and says where", () => {
    const [first, second] = world("v1.0.0", "v2.0.0").ledger;
    assert.ok(first !== undefined && second !== undefined);
    assert.match(problem([first, { ...second, schema: 2 }]), /entry 2: has the form 2/);
    assert.match(problem([{ ...first, schema: undefined }]), /entry 1: has the form null/);
    assert.match(problem([{ ...first, commit: "HEAD" }]), /commit is no commit/);
    assert.match(problem([{ ...first, revision: "../x" }]), /revision/);
    assert.match(problem([{ ...first, extra: 1 }]), /extra/);
    assert.match(problem([{ ...first, settings: { ...first.settings, app: { ...first.settings.app, memory: "4GiB" } } }]), /settings\.app\.memory/);
    assert.match(problem([second, first]), /out of order/);
    assert.match(problem([first, first]), /out of order/);
    assert.match(problem([null]), /is no record/);
  });
  it("reads records from before there were generations, and writes them as they were", () => {
    const output: unknown = JSON.parse(JSON.stringify(asOutput(world("v1.0.0", "v2.0.0").ledger)));
    assert.doesNotMatch(JSON.stringify(output), /storage"|restoredFrom/);
    const parsed = parseLedger(output);
    assert.ok("ledger" in parsed);
    assert.deepEqual(parsed.ledger.map(({ storage, restoredFrom }) => [storage, restoredFrom]), [[{ qdrant: "0", uploads: "0" }, ""], [{ qdrant: "0", uploads: "0" }, ""]]);
    assert.deepEqual(asOutput(parsed.ledger), output);
  });
  it("keeps which data a release ran on, and what that was made from", () => {
    const made = world("v1.0.0");
    made.up("v1.0.0", { data: { generation: "r1", restoreFrom: BACKUP, only: "qdrant" } });
    const [, record] = made.ledger;
    assert.deepEqual([record?.generation, record?.storage, record?.restoredFrom], ["r1", { qdrant: "r1", uploads: "0" }, BACKUP]);
    made.up("v2.0.0");
    assert.deepEqual([made.ledger[2]?.generation, made.ledger[2]?.storage, made.ledger[2]?.restoredFrom], ["r1", { qdrant: "r1", uploads: "0" }, ""]);
  });
  it("finds releases by tag, revision, commit, and a tag on a released commit", () => {
    const { ledger } = world("v1.0.0", "v2.0.0", "v1.0.0");
    assert.deepEqual(findReleases(ledger, "v1.0.0").map(({ seq }) => seq), [1, 3]);
    assert.deepEqual(findReleases(ledger, ledger[1]?.revision ?? "").map(({ seq }) => seq), [2]);
    assert.deepEqual(findReleases(ledger, commitOf("v2.0.0").slice(0, 12)).map(({ seq }) => seq), [2]);
    assert.deepEqual(findReleases(ledger, "stable", commitOf("v2.0.0")).map(({ seq }) => seq), [2]);
    assert.deepEqual(findReleases(ledger, "v9"), []);
  });
  it("lists what could be released again: newest first, each revision once, without the present one", () => {
    assert.deepEqual(releasable(world("v1.0.0", "v2.0.0", "v3.0.0", "v2.0.0").ledger).map(({ seq }) => seq), [3, 1]);
  });
});
