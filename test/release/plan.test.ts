import assert from "node:assert/strict";
import fc from "fast-check";
import { defaultRollbackTarget, LEDGER_MAX } from "../../components/release/ledger.js";
import type { Plan } from "../../components/release/model.js";
import { type Ask, World } from "./world.js";

/** What may differ between a release's plan and the plan of the update after it. */
function essence(plan: Plan): object {
  return { ...plan, step: null, notices: null, older: null };
}

describe("release/plan", () => {
  it("first release: nothing before it", () => {
    const plan = new World().plan("v1.0.0");
    assert.deepEqual([plan.step, plan.kind, plan.seq, plan.former, plan.rollbackTo, plan.past, plan.notices], ["first", "deploy", 1, null, null, [], []]);
    assert.match(plan.serving.revision, /^v1\.0\.0-[0-9a-f]{8}$/);
    assert.deepEqual(plan.serving.replicas.map(({ name }) => name), [1, 2].map((index) => `pbjrag-dev-app-${plan.serving.revision}-${index}`));
    assert.equal(plan.serving.image.origin, "built");
    assert.deepEqual([plan.backup.kind, plan.backup.of, plan.backup.settings, plan.backup.triggers], ["pre-deploy", null, null, [plan.serving.revision, ""]]);
    assert.deepEqual(plan.serving.env, {
      QDRANT_HOST: "pbjrag-dev-qdrant-0", QDRANT_PORT: "6333", STREAMLIT_SERVER_ADDRESS: "0.0.0.0", STREAMLIT_SERVER_HEADLESS: "true",
      STREAMLIT_SERVER_PORT: "8501", STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED: "true",
    });
  });

  it("next release: the present one stays warm exactly as it was, the one before it goes", () => {
    const world = new World();
    world.up("v1.0.0");
    const second = world.up("v2.0.0", { memory: "1GiB" });
    const third = world.up("v3.0.0", { memory: "2GiB" });
    assert.equal(third.former?.revision, second.serving.revision);
    assert.deepEqual(third.former?.settings, second.serving.settings);
    assert.deepEqual(third.former?.replicas, second.serving.replicas);
    assert.deepEqual(third.former?.image, { origin: "recorded", name: second.serving.image.name, id: world.ledger[1]?.imageId });
    assert.equal(third.rollbackTo, second.serving.revision);
    assert.deepEqual(third.backup.of?.tag, "v2.0.0");
    assert.match(third.notices.join("\n"), /removes the containers of v1\.0\.0/);
  });

  it("a rollback runs the recorded image, abandons what it leaves, and goes further back next time", () => {
    const world = new World();
    ["v1.0.0", "v2.0.0", "v3.0.0"].forEach((tag) => world.up(tag));
    const back = world.up("v2.0.0", { attempt: "a1" });
    assert.deepEqual([back.step, back.kind, back.older, back.formerAbandoned, back.backup.kind], ["rollback", "rollback", true, true, "pre-rollback"]);
    assert.equal(back.notices[0], "ROLLBACK v3.0.0 -> v2.0.0");
    assert.deepEqual(back.serving.image, { origin: "recorded", name: world.ledger[1]?.imageName, id: world.ledger[1]?.imageId });
    assert.equal(back.serving.revision, world.ledger[1]?.revision, "the warm containers are taken, not made again");
    assert.equal(back.former?.tag, "v3.0.0");
    assert.deepEqual(world.ledger.map(({ outcome }) => outcome), ["released", "released", "abandoned", "released"]);
    assert.equal(defaultRollbackTarget(world.ledger)?.tag, "v1.0.0");
    const further = world.up("v1.0.0");
    assert.equal(further.rollbackTo, null, "v2 and v3 were both left by rollbacks");
    const again = world.up("v3.0.0");
    assert.deepEqual([again.kind, again.backup.kind, again.older], ["deploy", "pre-deploy", false], "forward to what was here before: the backup is named for what is done, as the ledger has it");
    assert.equal(again.rollbackTo, further.serving.revision);
  });

  it("builds again what is gone, and says what may differ", () => {
    const world = new World();
    world.up("v1.0.0");
    world.up("v2.0.0");
    world.images.delete(world.ledger[0]?.imageId ?? "");
    const plan = world.plan("v1.0.0");
    assert.equal(plan.serving.image.origin, "built");
    assert.match(plan.notices.join("\n"), /is gone: it is built again from commit/);
  });

  it("an older version that was never here is a deploy that says so first", () => {
    const world = new World();
    world.up("v2.0.0");
    const plan = world.plan("v1.0.0");
    assert.deepEqual([plan.kind, plan.older, plan.formerAbandoned, plan.backup.kind], ["deploy", true, false, "pre-deploy"]);
    assert.equal(plan.notices[0], "ROLLBACK v2.0.0 -> v1.0.0");
    assert.match(plan.notices[1] ?? "", /never released/);
  });

  it("goes by the ledger's order where tags are no versions", () => {
    const world = new World();
    world.up("spring");
    world.up("autumn");
    assert.equal(world.plan("spring").kind, "rollback");
    assert.equal(world.plan("winter").kind, "deploy");
  });

  it("a changed setting is a new revision on the same image; taken back, it is what was there", () => {
    const world = new World();
    const first = world.up("v1.0.0");
    const second = world.up("v1.0.0", { memory: "1GiB" });
    assert.notEqual(second.serving.revision, first.serving.revision);
    assert.deepEqual([second.step, second.serving.image.origin, second.backup.kind, second.former?.revision], ["deploy", "recorded", "pre-deploy", first.serving.revision]);
    const third = world.up("v1.0.0");
    assert.deepEqual([third.kind, third.older, third.serving.revision, third.former?.revision], ["rollback", false, first.serving.revision, second.serving.revision]);
    assert.match(third.notices[0] ?? "", /^ROLLBACK of v1\.0\.0: /);
    assert.equal(world.plan("v1.0.0", { memory: "1GiB" }).kind, "deploy", "forward again");
  });

  it("secrets make a revision without showing in it", () => {
    const world = new World();
    const before = world.up("v1.0.0", { secret: "digest-1" });
    const after = world.plan("v1.0.0", { secret: "digest-2" });
    assert.notEqual(after.serving.revision, before.serving.revision);
    assert.ok(!JSON.stringify(after).includes("digest-2"));
  });

  it("what a release was gated and backed up with stays; the operator's keys follow config", () => {
    const world = new World();
    world.up("v1.0.0");
    const gate = world.plan("v1.0.0", { more: { "pbjrag:gate": '{"passes":9}', "pbjrag:backup": '{"skipReason":"none","deadline":"1h"}', "pbjrag:drain": '{"deadline":"1m"}' } });
    assert.equal(gate.step, "unchanged");
    assert.equal(gate.serving.settings.gate.passes, 3);
    assert.deepEqual([gate.backup.skipReason, gate.backup.deadlineMs], ["", 1_800_000]);
    assert.equal(gate.serving.settings.drain.deadline, 60_000);
  });

  it("whatever `attempt` says, what serves already is unchanged; a new release carries it", () => {
    const world = new World();
    world.up("v1.0.0", { attempt: "a1" });
    assert.deepEqual([world.plan("v1.0.0").step, world.plan("v1.0.0").attempt, world.plan("v1.0.0", { attempt: "a2" }).attempt], ["unchanged", "a1", "a1"]);
    const plan = world.plan("v2.0.0", { attempt: "a2" });
    assert.deepEqual([plan.attempt, plan.backup.triggers[1]], ["a2", "a2"]);
  });

  it("`finish` removes the former release of the revision that it names, and of no other", () => {
    const world = new World();
    const first = world.up("v1.0.0");
    const second = world.up("v2.0.0");
    assert.notEqual(world.plan("v2.0.0", { finish: first.serving.revision }).former, null);
    const done = world.up("v2.0.0", { finish: second.serving.revision });
    assert.deepEqual([done.step, done.former, done.seq], ["unchanged", null, 2]);
    assert.match(done.notices.join(), /removes the containers of v1\.0\.0/);
    assert.deepEqual(world.ledger.map(({ formerFinished }) => formerFinished), [false, true]);
    assert.equal(world.plan("v2.0.0").former, null, "also without the key");
    assert.deepEqual(world.plan("v2.0.0").notices, []);
    assert.equal(world.plan("v3.0.0").former?.tag, "v2.0.0");
  });

  it("`keepWarm: false` keeps no former, and turning it on later does not bring one back", () => {
    const world = new World();
    world.up("v1.0.0");
    assert.equal(world.up("v2.0.0", { keepWarm: false }).former, null);
    assert.equal(world.up("v2.0.0", { keepWarm: true }).former, null);
    assert.equal(world.up("v3.0.0").former?.tag, "v2.0.0");
    assert.equal(world.up("v3.0.0", { keepWarm: false }).former, null);
  });

  it("`reapply` declares the present release as recorded, whatever config says", () => {
    const world = new World();
    world.up("v1.0.0");
    const present = world.up("v2.0.0", { memory: "1GiB", secret: "s1", attempt: "a1" });
    const again = world.plan("v9.9.9", { memory: "8GiB", secret: "s2", attempt: "a2", reapply: true, more: { "pbjrag:drain": '{"deadline":"1m"}' } });
    assert.equal(again.asRecorded, true);
    assert.deepEqual({ ...essence(again), asRecorded: false, serving: { ...again.serving, image: 0 } }, { ...essence(present), serving: { ...present.serving, image: 0 } });
    assert.throws(() => new World().plan("v1.0.0", { reapply: true }), RangeError);
  });

  it("pauses what users write where the operator wants it, and not before there are users", () => {
    const quiet = { more: { "pbjrag:backup": '{"quiesce":"pause"}' } };
    const world = new World();
    assert.equal(world.up("v1.0.0", quiet).backup.pause, null);
    assert.deepEqual(world.plan("v2.0.0", quiet).backup.pause, { until: "uploads", leaseMs: 120_000 });
    assert.equal(world.plan("v2.0.0").backup.pause, null);
    assert.equal(world.plan("v2.0.0", { ...quiet, qdrant: { cpus: 2 } }).backup.pause?.until, "route", "until the data that is made of it serves");
  });

  const BACKUP = "pre-deploy-20260101-120000";

  it("a new generation: volumes of its own, made from a backup; the present data is what is backed up", () => {
    const world = new World();
    world.up("v1.0.0");
    const present = world.up("v2.0.0");
    const plan = world.up("v1.0.0", { data: { generation: "r1", restoreFrom: BACKUP } });
    assert.deepEqual([plan.step, plan.serving.generation, plan.serving.storage], ["rollback", "r1", { qdrant: "r1", uploads: "r1" }]);
    assert.deepEqual(plan.restore, { resource: "restore-r1", generation: "r1", parts: ["qdrant", "uploads"], from: BACKUP, deadlineMs: 1_800_000 });
    assert.deepEqual([plan.backup.kind, plan.backup.storage], ["pre-rollback", { qdrant: "0", uploads: "0" }]);
    assert.equal(plan.serving.env["QDRANT_HOST"], "pbjrag-dev-qdrant-r1");
    assert.deepEqual([plan.former?.revision, plan.former?.storage, plan.former?.env["QDRANT_HOST"]], [present.serving.revision, { qdrant: "0", uploads: "0" }, "pbjrag-dev-qdrant-0"]);
    assert.equal(plan.formerAbandoned, true);
    const next = world.up("v3.0.0");
    assert.deepEqual([next.serving.generation, next.restore, next.backup.storage, next.former?.generation, next.formerAbandoned], ["r1", null, { qdrant: "r1", uploads: "r1" }, "r1", false]);
  });

  it("a generation from before is taken up as it was left, whatever restoreFrom says; the record it ran with is the same revision", () => {
    const world = new World();
    const first = world.up("v1.0.0");
    world.up("v1.0.0", { data: { generation: "r1", restoreFrom: BACKUP } });
    const back = world.up("v1.0.0", { data: { generation: "0", restoreFrom: BACKUP } });
    assert.deepEqual([back.serving.revision, back.serving.generation, back.restore, back.kind, back.formerAbandoned], [first.serving.revision, "0", null, "rollback", true]);
    assert.match(back.notices.join("\n"), /^DATA as v1\.0\.0 left it: generation 0; generation r1 stays/m);
  });

  it("one part alone: the other stays where it is", () => {
    const world = new World();
    world.up("v1.0.0");
    const uploads = world.up("v1.0.0", { data: { generation: "r1", restoreFrom: BACKUP, only: "uploads" } });
    assert.deepEqual([uploads.serving.storage, uploads.restore?.parts], [{ qdrant: "0", uploads: "r1" }, ["uploads"]]);
    assert.equal(uploads.serving.env["QDRANT_HOST"], "pbjrag-dev-qdrant-0");
    const qdrant = world.up("v1.0.0", { data: { generation: "r2", restoreFrom: BACKUP, only: "qdrant" } });
    assert.deepEqual([qdrant.serving.storage, qdrant.restore?.parts, qdrant.backup.storage], [{ qdrant: "r2", uploads: "r1" }, ["qdrant"], { qdrant: "0", uploads: "r1" }]);
    assert.deepEqual(world.plan("v1.0.0", { data: { generation: "r1" } }).serving.storage, { qdrant: "0", uploads: "r1" });
  });

  it("a plain rollback keeps the data, and is never to the same release on other data", () => {
    const world = new World();
    const first = world.up("v1.0.0");
    const second = world.up("v2.0.0");
    const restored = world.up("v2.0.0", { data: { generation: "r1", restoreFrom: BACKUP } });
    assert.equal(restored.rollbackTo, first.serving.revision);
    const back = world.up("v1.0.0");
    assert.deepEqual([back.kind, back.serving.generation, back.rollbackTo], ["rollback", "r1", null], "v2.0.0 was left, on whatever data");
    assert.notEqual(back.serving.revision, first.serving.revision);
    assert.equal(world.plan("v2.0.0", { data: { generation: "0" } }).serving.revision, second.serving.revision);
  });

  const tags = fc.constantFrom("v1.0.0", "v1.1.0", "v2.0.0", "v3.0.0-rc.1", "nightly");
  const data = fc.record(
    { generation: fc.constantFrom("0", "r1", "r2", "r3"), restoreFrom: fc.constant(BACKUP), only: fc.constantFrom("qdrant" as const, "uploads" as const) },
    { requiredKeys: ["generation", "restoreFrom"] },
  );
  const ask = fc.record(
    {
      memory: fc.constantFrom("512MiB", "1GiB"), keepWarm: fc.boolean(), attempt: fc.constantFrom("", "a1", "a2"), secret: fc.constantFrom("", "s1"),
      key: fc.constantFrom("", "k1"), qdrant: fc.record({ cpus: fc.constantFrom(1, 2), memory: fc.constantFrom("1GiB", "2GiB") }), finish: fc.boolean(), prune: fc.boolean(), data,
    },
    { requiredKeys: [] },
  );
  const history = fc.array(fc.tuple(tags, ask), { minLength: 1, maxLength: 12 });

  it("planned again after it is recorded, it is the same plan: for any history", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const world = new World();
        for (const [tag, { finish, prune, ...rest }] of steps) {
          const wanted: Ask = { ...rest, ...(finish === true && world.ledger.length > 0 ? { finish: world.ledger.at(-1)?.revision ?? "" } : {}) };
          if (prune === true) {
            // Images that nothing runs may go at any time.
            world.ledger.slice(0, -2).forEach(({ imageId }) => world.images.delete(imageId));
          }
          const plan = world.up(tag, wanted);
          const again = world.plan(tag, { ...wanted, attempt: "" });
          assert.equal(again.step, "unchanged");
          assert.deepEqual(essence(again), essence(plan));
          // Which data it was to run on need not be said again.
          assert.deepEqual(essence(world.plan(tag, { ...rest, attempt: "", data: undefined })), essence(plan));
          const reapplied = world.plan("v0.0.1", { reapply: true });
          assert.deepEqual({ ...essence(reapplied), asRecorded: false, serving: { ...reapplied.serving, image: null } }, { ...essence(plan), serving: { ...plan.serving, image: null } });
        }
      }),
      { numRuns: 100 },
    );
  });

  it("holds for any history: seq grows, serving and former differ, what a rollback leaves is no target", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const world = new World();
        for (const [tag, { memory, keepWarm, attempt, secret, key, qdrant, data }] of steps) {
          const rest: Ask = Object.fromEntries(Object.entries({ memory, keepWarm, attempt, secret, key, qdrant, data }).filter(([, value]) => value !== undefined));
          const before = world.ledger.at(-1)?.seq ?? 0;
          const generations = new Set(world.ledger.map(({ generation }) => generation));
          const plan = world.up(tag, rest);
          if (plan.step !== "unchanged" && plan.serving.generation !== "0") {
            assert.equal(plan.restore === null, generations.has(plan.serving.generation), "what some release ran on is never made again");
          }
          assert.equal(plan.seq, plan.step === "unchanged" ? before : before + 1);
          assert.notEqual(plan.former?.revision, plan.serving.revision);
          assert.equal(plan.rollbackTo, defaultRollbackTarget(world.ledger)?.revision ?? null);
          if (plan.step === "rollback") {
            assert.notEqual(plan.rollbackTo, plan.past.at(-1)?.revision);
          }
        }
      }),
    );
  });

  it("keeps 50 records and goes on counting; the plan stays the same at the edge", () => {
    const world = new World();
    for (let index = 0; index < LEDGER_MAX + 10; index += 1) {
      const plan = world.up(`v1.0.${index}`);
      assert.deepEqual(essence(world.plan(`v1.0.${index}`)), essence(plan));
    }
    assert.equal(world.ledger.length, LEDGER_MAX);
    assert.deepEqual([world.ledger[0]?.seq, world.ledger.at(-1)?.seq], [11, LEDGER_MAX + 10]);
  });
});
