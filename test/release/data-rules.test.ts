import assert from "node:assert/strict";
import { dataNotices, generationProblems, generationsOf } from "../../components/release/data-rules.js";
import { stackNames } from "../../components/release/names.js";
import { partsInUse } from "../../components/release/stores.js";
import { World } from "./world.js";

const BACKUP = "pre-deploy-20260101-120000";
const names = stackNames("dev");
const there = (...volumes: string[]): { name: string; owner: string }[] => volumes.map((name) => ({ name, owner: "dev" }));

describe("release/data-rules", () => {
  it("refuses a generation that no release has run on, and names those that one has", () => {
    const world = new World();
    world.up("v1.0.0");
    const plan = world.plan("v1.0.0", { data: { generation: "r9", restoreFrom: BACKUP } });
    assert.match(generationProblems(plan, world.ledger, names, [])[0]?.what ?? "", /no release has run on the data generation r9/);
    assert.match(generationProblems(plan, world.ledger, names, [])[0]?.next ?? "", /\(0\)/);
  });

  it("takes up what was left only while its volumes are there", () => {
    const world = new World();
    world.up("v1.0.0");
    world.up("v1.0.0", { data: { generation: "r1", restoreFrom: BACKUP, only: "qdrant" } });
    const plan = world.plan("v1.0.0", { data: { generation: "0" } });
    assert.deepEqual(generationProblems(plan, world.ledger, names, there(names.qdrantVolume("0"), names.uploadsVolume("0"))), []);
    const lost = [...there(names.uploadsVolume("0")), { name: names.qdrantVolume("0"), owner: null }];
    assert.deepEqual(generationProblems(plan, world.ledger, names, lost).map(({ what }) => what), [`the data of generation 0 is gone: there is no volume ${names.qdrantVolume("0")}`]);
    assert.deepEqual(generationProblems(world.plan("v2.0.0"), world.ledger, names, []), [], "what serves is not asked for");
    assert.deepEqual(generationsOf(world.ledger), ["0", "r1"]);
  });

  it("says which data a release goes to, and nothing where it stays", () => {
    const world = new World();
    world.up("v1.0.0");
    assert.deepEqual(dataNotices(world.plan("v2.0.0"), world.ledger), []);
    world.up("v2.0.0", { data: { generation: "r1", restoreFrom: BACKUP } });
    assert.deepEqual(dataNotices(world.plan("v2.0.0", { data: { generation: "0" } }), world.ledger), [
      "DATA as v1.0.0 left it: generation 0 instead of r1, which stays as it is and can be gone back to",
    ]);
    assert.deepEqual(dataNotices(world.plan("v2.0.0"), world.ledger), []);
  });

  it("declares each part of a generation once", () => {
    assert.deepEqual([...partsInUse([{ qdrant: "0", uploads: "0" }])], [["0", ["qdrant", "uploads"]]]);
    assert.deepEqual([...partsInUse([{ qdrant: "g2", uploads: "0" }, { qdrant: "0", uploads: "0" }])], [["g2", ["qdrant"]], ["0", ["uploads", "qdrant"]]]);
  });
});
