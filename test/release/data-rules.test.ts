import assert from "node:assert/strict";
import { type BackupFact, dataNotices, generationProblems, generationsOf } from "../../components/release/data-rules.js";
import type { Plan, Problem } from "../../components/release/model.js";
import { stackNames } from "../../components/release/names.js";
import { partsInUse } from "../../components/release/stores.js";
import { World } from "./world.js";

const BACKUP = "pre-deploy-20260101-120000";
const names = stackNames("dev");
const there = (...volumes: string[]): { name: string; owner: string }[] => volumes.map((name) => ({ name, owner: "dev" }));
const good: BackupFact = { name: BACKUP, problem: "", of: "v1.0.0", qdrantVersion: "1.19.0", unpacked: 10 };
const image = (version: string): Record<string, string> => ({ "pbjrag:qdrant": JSON.stringify({ image: `qdrant/qdrant:v${version}` }) });

describe("release/data-rules", () => {
  let world: World;
  const problems = (plan: Plan, backup: BackupFact | null, volumes: { name: string; owner: string | null }[] = []): Problem[] => generationProblems(plan, world.ledger, { names, volumes, backup });

  beforeEach(() => {
    world = new World();
    world.up("v1.0.0");
  });

  it("makes a new generation of a backup only: named, there, whole, and of a version that goes", () => {
    const data = { generation: "r9", restoreFrom: BACKUP };
    assert.deepEqual(problems(world.plan("v1.0.0", { data }), good), []);
    const unnamed = problems(world.plan("v1.0.0", { data: { generation: "r9" } }), null);
    assert.match(unnamed[0]?.what ?? "", /no release has run on the data generation r9/);
    assert.match(unnamed[0]?.next ?? "", /\(0\)/);
    assert.match(problems(world.plan("v1.0.0", { data }), { ...good, problem: "its manifest.json is damaged" })[0]?.what ?? "", /cannot be used: its manifest/);
    const older = problems(world.plan("v1.0.0", { data, more: image("1.18.0") }), good);
    assert.match(older[0]?.what ?? "", /cannot read what Qdrant 1\.19\.0 wrote/);
    assert.match(older[0]?.next ?? "", /rollback\.sh v1\.0\.0 --with-data=pre-deploy/);
    assert.deepEqual(problems(world.plan("v1.0.0", { data: { ...data, only: "uploads" }, more: image("1.18.0") }), good), [], "Qdrant's data is not in question");
    assert.deepEqual(problems(world.plan("v1.0.0", { data }), { ...good, qdrantVersion: "" }), []);
  });

  it("asks nothing of a backup once the generation is made", () => {
    const data = { generation: "r9", restoreFrom: BACKUP };
    world.up("v1.0.0", { data });
    assert.deepEqual(problems(world.plan("v1.0.0", { data }), null), []);
  });

  it("takes up what was left only while its volumes are there", () => {
    world.up("v1.0.0", { data: { generation: "r1", restoreFrom: BACKUP, only: "qdrant" } });
    const plan = world.plan("v1.0.0", { data: { generation: "0" } });
    assert.deepEqual(problems(plan, null, there(names.qdrantVolume("0"), names.uploadsVolume("0"))), []);
    const lost = [...there(names.uploadsVolume("0")), { name: names.qdrantVolume("0"), owner: null }];
    assert.deepEqual(problems(plan, null, lost).map(({ what }) => what), [`the data of generation 0 is gone: there is no volume ${names.qdrantVolume("0")}`]);
    assert.deepEqual(problems(world.plan("v2.0.0"), null), [], "what serves is not asked for");
    assert.deepEqual(generationsOf(world.ledger), ["0", "r1"]);
  });

  it("says which data a release goes to, and nothing where it stays", () => {
    assert.deepEqual(dataNotices(world.plan("v2.0.0"), world.ledger), []);
    const stays = "generation 0 stays as it is and can be gone back to";
    assert.deepEqual(dataNotices(world.plan("v2.0.0", { data: { generation: "r1", restoreFrom: BACKUP } }), world.ledger), [`DATA from backup ${BACKUP}, as generation r1; ${stays}`]);
    assert.deepEqual(dataNotices(world.plan("v2.0.0", { data: { generation: "r1", restoreFrom: BACKUP, only: "uploads" } }), world.ledger), [`UPLOADS from backup ${BACKUP}, as generation r1; ${stays}`]);
    world.up("v2.0.0", { data: { generation: "r1", restoreFrom: BACKUP } });
    assert.deepEqual(dataNotices(world.plan("v2.0.0", { data: { generation: "0" } }), world.ledger), ["DATA as v1.0.0 left it: generation 0; generation r1 stays as it is and can be gone back to"]);
    assert.deepEqual(dataNotices(world.plan("v2.0.0"), world.ledger), []);
  });

  it("declares each part of a generation once", () => {
    assert.deepEqual([...partsInUse([{ qdrant: "0", uploads: "0" }])], [["0", ["qdrant", "uploads"]]]);
    assert.deepEqual([...partsInUse([{ qdrant: "g2", uploads: "0" }, { qdrant: "0", uploads: "0" }])], [["g2", ["qdrant"]], ["0", ["uploads", "qdrant"]]]);
  });
});
