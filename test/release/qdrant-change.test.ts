import assert from "node:assert/strict";
import { generationProblems } from "../../components/release/data-rules.js";
import type { Plan, Problem } from "../../components/release/model.js";
import { stackNames } from "../../components/release/names.js";
import { copiesData, OWN_GENERATION, ownGeneration, qdrantProblems } from "../../components/release/qdrant-change.js";
import { World } from "./world.js";

const BACKUP = "pre-deploy-20260101-120000";

describe("release/qdrant-change", () => {
  let world: World;

  beforeEach(() => {
    world = new World();
    world.up("v1.0.0");
  });

  const problems = (plan: Plan, key = ""): Problem[] => qdrantProblems(plan, key, world.ledger);

  it("a change of image, cpus or key makes Qdrant's data anew from the backup of this update, and leaves the uploads where they are", () => {
    for (const ask of [{ qdrant: { cpus: 2 } }, { qdrant: { image: "qdrant/qdrant:v1.19.1" } }, { key: "0123abcd" }]) {
      const plan = world.plan("v1.0.0", ask);
      assert.deepEqual([plan.step, plan.kind, plan.serving.generation, plan.serving.storage], ["deploy", "deploy", "g2", { qdrant: "g2", uploads: "0" }]);
      assert.deepEqual(plan.restore, { resource: "restore-g2", generation: "g2", parts: ["qdrant"], from: null, deadlineMs: 1_800_000 });
      assert.deepEqual([plan.backup.storage, plan.backup.kind, plan.backup.pause], [{ qdrant: "0", uploads: "0" }, "pre-deploy", { until: "route", leaseMs: 720_000 }]);
      assert.deepEqual([plan.former?.storage, plan.formerAbandoned, plan.serving.env["QDRANT_HOST"]], [{ qdrant: "0", uploads: "0" }, true, "pbjrag-dev-qdrant-g2"]);
      assert.deepEqual(problems(plan, ask.key), []);
      assert.equal(copiesData(plan), true);
      assert.match(plan.notices.join("\n"), /^DATA of Qdrant from the backup that this update takes, as generation g2; generation 0 stays.*\nQDRANT changes \(qdrant\.(image|cpus|apiKey)/m);
    }
  });

  it("memory is changed in place, and the first release has nothing to copy", () => {
    const plan = world.plan("v1.0.0", { qdrant: { memory: "3GiB" } });
    assert.deepEqual([plan.step, plan.restore, plan.backup.pause, plan.serving.settings.qdrant.memory], ["unchanged", null, null, 3 * 1024 ** 3]);
    const first = new World().plan("v1.0.0", { qdrant: { cpus: 2 }, key: "k" });
    assert.deepEqual([first.step, first.restore, first.backup.pause, first.serving.generation], ["first", null, null, "0"]);
  });

  it("a later release runs on it, another change makes another, and going back to old settings is a change as well", () => {
    world.up("v1.0.0", { qdrant: { cpus: 2 } });
    const next = world.up("v2.0.0", { qdrant: { cpus: 2 } });
    assert.deepEqual([next.serving.generation, next.restore, next.backup.pause], ["g2", null, null]);
    assert.deepEqual(next.former?.settings.qdrant.cpus, 2);
    const again = world.up("v2.0.0", { qdrant: { cpus: 3 } });
    assert.deepEqual(again.serving.storage, { qdrant: "g4", uploads: "0" });
    const back = world.up("v1.0.0");
    assert.deepEqual([back.kind, back.serving.generation, back.backup.storage.qdrant, back.restore?.from], ["rollback", "g5", "g4", null]);
  });

  it("each attempt has data of its own, but goes on with what a stopped one serves already", () => {
    const generation = (live?: string): string => world.plan("v1.0.0", { qdrant: { cpus: 2 }, ...(live === undefined ? {} : { live }) }).serving.generation;
    assert.equal(generation(), "g2");
    ["g1", "g2", "g2-2"].forEach((name) => world.taken.add(name));
    assert.equal(generation(), "g2-3", "what failed ones left");
    assert.equal(generation("g2-2"), "g2-2");
    assert.equal(ownGeneration(1, "g12", new Set()), "g1", "that of another release is another");
    for (const name of ["g2", "g120-31"]) assert.match(name, OWN_GENERATION);
  });

  it("going to data that was left takes its Qdrant up under today's settings; data from a backup needs no other", () => {
    world.up("v1.0.0", { qdrant: { cpus: 2 } });
    const left = world.plan("v1.0.0", { qdrant: { cpus: 3 }, data: { generation: "0" } });
    assert.deepEqual([left.serving.storage, left.restore, problems(left)], [{ qdrant: "0", uploads: "0" }, null, []]);
    const restored = world.plan("v1.0.0", { qdrant: { cpus: 3 }, data: { generation: "r1", restoreFrom: BACKUP } });
    assert.deepEqual([restored.serving.storage.qdrant, restored.restore?.from, restored.backup.pause, problems(restored)], ["r1", BACKUP, null, []]);
  });

  it("refuses to change Qdrant under data that config wants to stay where it is", () => {
    world.up("v1.0.0", { data: { generation: "r1", restoreFrom: BACKUP } });
    for (const data of [{ generation: "r1" }, { generation: "r2", restoreFrom: BACKUP, only: "uploads" as const }]) {
      const found = problems(world.plan("v1.0.0", { qdrant: { cpus: 2 }, data }));
      assert.deepEqual(found.map(({ subject }) => subject), ["pbjrag:data"]);
      assert.match(found[0]?.what ?? "", /generation r1.*qdrant\.cpus: 1 -> 2/);
    }
  });

  it("refuses a change of Qdrant without a backup, as there is nothing else to make its data from", () => {
    const more = { "pbjrag:backup": '{"skipReason":"in a hurry"}' };
    assert.deepEqual(problems(world.plan("v1.0.0", { qdrant: { cpus: 2 }, more })).map(({ subject }) => subject), ["pbjrag:backup.skipReason"]);
    assert.deepEqual(problems(world.plan("v2.0.0", { more })), []);
  });

  it("keeps its names for itself", () => {
    const names = stackNames("dev");
    const backup = { name: BACKUP, problem: "", of: "v1.0.0", qdrantVersion: "1.19.0", unpacked: 1 };
    const found = generationProblems(world.plan("v1.0.0", { data: { generation: "g9", restoreFrom: BACKUP } }), world.ledger, { names, volumes: [], backup });
    assert.deepEqual(found.map(({ subject }) => subject), ["pbjrag:data.generation"]);
  });
});
