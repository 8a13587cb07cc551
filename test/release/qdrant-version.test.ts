import assert from "node:assert/strict";
import type { Plan, Problem } from "../../components/release/model.js";
import { qdrantVersionOf, versionProblems } from "../../components/release/qdrant-version.js";
import { type Ask, World } from "./world.js";

const BACKUP = "pre-deploy-20260101-120000";
const on = (version: string, more: Ask = {}): Ask => ({ qdrant: { image: `qdrant/qdrant:v${version}` }, ...more });

/** The versions' numbers alone: what Qdrant itself does with its data is tried with the real one. */
describe("release/qdrant-version (rows 17, 18)", () => {
  let world: World;

  beforeEach(() => {
    world = new World();
    world.up("v1.0.0", on("1.18.2"));
  });

  const problems = (plan: Plan): Problem[] => versionProblems(plan, world.ledger);
  const only = (plan: Plan): Problem => {
    const [problem, ...others] = problems(plan);
    assert.ok(problem !== undefined && others.length === 0);
    assert.equal(problem.subject, "pbjrag:qdrant.image");
    return problem;
  };

  it("row 17: tells the point of no return beforehand, with the way back", () => {
    const plan = world.plan("v2.0.0", on("1.19.0"));
    assert.deepEqual(problems(plan), []);
    assert.match(plan.notices.join("\n"), /^POINT OF NO RETURN: Qdrant 1\.18\.2 -> 1\.19\.0\. An image-only rollback will not do.*same or the next minor.*scripts\/rollback\.sh v1\.0\.0 --with-data$/m);
    assert.match(world.plan("v1.0.0", on("1.19.0")).notices.join("\n"), /scripts\/rollback\.sh --generation 0$/m);
    assert.doesNotMatch(world.plan("v2.0.0", on("1.18.9")).notices.join("\n"), /NO RETURN/);
    assert.doesNotMatch(world.plan("v2.0.0", on("1.18.2")).notices.join("\n"), /NO RETURN/);
  });

  it("row 17: refuses to go back without the data, and says how to take it along", () => {
    world.up("v2.0.0", on("1.19.0"));
    const plain = only(world.plan("v1.0.0", on("1.18.2")));
    assert.match(plain.what, /^an image-only rollback will not do: Qdrant 1\.18\.2 cannot read what Qdrant 1\.19\.0 wrote/);
    assert.equal(plain.next, "take the data back with it: scripts/rollback.sh v1.0.0 --with-data");
    assert.deepEqual(problems(world.plan("v1.0.0", on("1.18.2", { data: { generation: "0" } }))), [], "as it was left");
    assert.deepEqual(problems(world.plan("v1.0.0", on("1.18.2", { data: { generation: "r1", restoreFrom: BACKUP } }))), [], "data-rules.ts looks into the backup");
    assert.equal(only(world.plan("v2.0.0", on("1.18.2"))).next, "go to the data that Qdrant 1.18 left, as v1.0.0 had it: scripts/rollback.sh --generation 0");
    assert.match(only(world.plan("v2.0.0", on("1.17.0"))).next, /^keep Qdrant's version, or restore a backup that a Qdrant 1\.17 wrote/);
    assert.deepEqual(problems(world.plan("v1.0.0", on("1.19.4"))), [], "the version stays within its minor");
  });

  it("row 18: refuses to skip a minor version, with the path to take", () => {
    const skipped = only(world.plan("v2.0.0", on("1.20.1")));
    assert.match(skipped.what, /from Qdrant 1\.18\.2 to 1\.20\.1 a minor version is skipped/);
    assert.equal(skipped.next, "go one minor version at a time: set pbjrag:qdrant.image to a 1.19 version, deploy, and so on up to 1.20.1");
    assert.notEqual(problems(world.plan("v2.0.0", on("2.0.0"))).length, 0);
    world.up("v2.0.0", on("1.19.0"));
    assert.deepEqual(problems(world.plan("v2.0.0", on("1.20.1"))), []);
  });

  it("never changes data that was left where it lies", () => {
    world.up("v2.0.0", on("1.19.0"));
    const left = only(world.plan("v2.0.0", on("1.19.0", { data: { generation: "0" } })));
    assert.match(left.what, /generation 0 was left by Qdrant 1\.18\.2, and this is Qdrant 1\.19\.0/);
    assert.match(left.next, /--generation 0$/);
  });

  it("asks nothing where nothing changes, and goes by what Qdrant said where the image does not say it", () => {
    assert.deepEqual(problems(world.plan("v1.0.0", on("1.18.2"))), []);
    assert.deepEqual(problems(world.plan("v2.0.0", { qdrant: { image: "qdrant/qdrant:latest" } })), []);
    const [record] = world.ledger;
    assert.ok(record !== undefined);
    const unnamed = { ...record, settings: { ...record.settings, qdrant: { ...record.settings.qdrant, image: "qdrant/qdrant:latest" } } };
    assert.equal(qdrantVersionOf({ ...unnamed, qdrantVersion: "1.17.3" }), "1.17.3");
    assert.equal(qdrantVersionOf({ ...unnamed, qdrantVersion: "" }), null);
  });
});
