import assert from "node:assert/strict";
import { canaryProblems, canaryWanted } from "../../components/release/canary.js";
import { neededInWords } from "../../components/release/canary-needed.js";
import { needOf } from "../../components/release/capacity.js";
import { planEvent } from "../../components/release/plan-event.js";
import { trafficTable } from "../../components/release/traffic-table.js";
import { checkTable } from "../../components/traffic/model.js";
import { type Ask, World } from "./world.js";

const problems = (world: World, ask: Ask): string[] => canaryProblems(world.plan("v2.0.0", ask), world.ledger, ask.key ?? "").map(({ what }) => what);

function released(...tags: string[]): World {
  const world = new World();
  tags.forEach((tag) => world.up(tag));
  return world;
}

describe("release/canary", () => {
  it("is planned beside what serves, which stays as it was recorded; the ledger gets nothing", () => {
    const world = released("v1.0.0", "v2.0.0");
    const before = structuredClone(world.ledger);
    const plan = world.up("v2.0.0", { canary: "v3.0.0", memory: "2GiB" });
    assert.deepEqual([plan.step, plan.asRecorded, plan.serving.revision, plan.former?.tag], ["unchanged", true, before[1]?.revision, "v1.0.0"]);
    assert.deepEqual(plan.serving.settings, before[1]?.settings, "today's settings are the canary's");
    assert.equal(plan.canary?.revision.settings.app.memory, 2 * 1024 ** 3);
    assert.deepEqual(plan.canary?.backup.of?.tag, "v2.0.0");
    assert.deepEqual(world.ledger, before);
    assert.match(plan.notices[0] ?? "", /^CANARY v3\.0\.0 \(v3\.0\.0-[0-9a-f]{8}\) beside v2\.0\.0: 10 % of new users, judged for 10m$/);
    assert.ok(plan.canary !== null);
    assert.match(neededInWords(plan.canary), /^to pass it needs 268 requests with none failed \(some 4\.5 requests a second to the stack\), in each step; one of whose requests 5 % fail is found out by so many with a probability of (99|100)/);
    assert.deepEqual(planEvent(plan).canary?.tag, "v3.0.0");
  });

  it("is promoted as it is: the same revision, image, backup and gate, only the role is another", () => {
    const world = released("v1.0.0", "v2.0.0");
    const tried = world.up("v2.0.0", { canary: "v3.0.0", memory: "2GiB" }).canary;
    const plan = world.plan("v3.0.0", { memory: "2GiB" });
    assert.equal(plan.step, "deploy");
    assert.deepEqual([plan.serving, plan.backup, plan.attempt], [tried?.revision, tried?.backup, tried?.attempt]);
    assert.equal(plan.canary, null);
    assert.equal(plan.former?.tag, "v2.0.0");
  });

  it("is in the route's table without a share: its judge gives it one", () => {
    const plan = released("v1.0.0", "v2.0.0").plan("v2.0.0", { canary: "v3.0.0" });
    const { canary, serving, former } = checkTable(trafficTable(plan));
    assert.deepEqual([canary?.weight, canary?.until, canary?.revision.tag, serving?.tag, former?.tag], [0, undefined, "v3.0.0", "v2.0.0", "v1.0.0"]);
    assert.ok(!("canary" in trafficTable(released("v1.0.0").plan("v1.0.0"))), "the table of a stack without one stays as it was");
  });

  it("needs room beside all that runs", () => {
    const world = released("v1.0.0", "v2.0.0");
    const need = (ask: Ask) => needOf(world.plan("v2.0.0", ask), world.settings("v2.0.0"), world.ledger, { qdrant: 1, uploads: 1, restored: 0, image: 1 });
    const [without, beside] = [need({}), need({ canary: "v3.0.0" })];
    assert.ok(beside.rows.some(({ name }) => name === "v3.0.0, canary"));
    assert.ok(beside.rows.some(({ name }) => name === "scratch Qdrant of the backup"));
    assert.ok(beside.memory > without.memory && beside.dataDisk === 2);
  });

  it("is wanted while config's version serves, and by no release, rollback or repair", () => {
    const world = released("v1.0.0", "v2.0.0");
    const last = world.ledger.at(-1) ?? null;
    const wanted = (tag: string, ask: Ask): string | null => canaryWanted(world.settings(tag, ask), last);
    assert.equal(wanted("v2.0.0", { canary: "v3.0.0" }), "v3.0.0");
    assert.equal(wanted("v2.0.0", {}), null);
    assert.equal(wanted("v3.0.0", { canary: "v3.0.0" }), null, "that promotes it");
    assert.equal(wanted("v1.0.0", { canary: "v3.0.0" }), null, "that goes back");
    assert.equal(wanted("v2.0.0", { canary: "v3.0.0", reapply: true }), null);
    assert.equal(wanted("v2.0.0", { canary: "v3.0.0", more: { "pbjrag:asReleased": "v2.0.0-aaaaaaaa" } }), null);
    assert.equal(canaryWanted(world.settings("v2.0.0", { canary: "v3.0.0" }), null), null, "nothing serves");
  });

  it("is refused where it is older, was left by a rollback, is warm, or would need other data", () => {
    const world = released("v1.0.0", "v2.0.0");
    assert.deepEqual(problems(world, { canary: "v3.0.0" }), []);
    assert.match(problems(world, { canary: "v1.0.0" })[0] ?? "", /v1\.0\.0 is older than v2\.0\.0/);
    assert.match(problems(world, { canary: "v3.0.0", key: "other" })[0] ?? "", /would need another Qdrant \(qdrant\.apiKey\)/);
    assert.match(problems(world, { canary: "v3.0.0", qdrant: { image: "qdrant/qdrant:v1.20.0" } })[0] ?? "", /would need another Qdrant \(qdrant\.image/);
    assert.match(problems(world, { canary: "v3.0.0", data: { generation: "g" } })[0] ?? "", /names other data/);
    const back = released("v1.0.0", "v2.0.0", "v3.0.0");
    back.up("v2.0.0");
    assert.match(problems(back, { canary: "v3.0.0" })[0] ?? "", /was released here and left by a rollback/);
    assert.deepEqual(problems(back, { canary: "v3.1.0" }), []);
  });
});
