import assert from "node:assert/strict";
import type { Goal } from "../../../offline/engine/engine/goal.js";
import { seconds } from "../../../offline/engine/engine/goal.js";
import { deletionGroups, needs, planFor } from "../../../offline/engine/engine/plan.js";
import { nameOf, shortType, typeOf, urnOf } from "../../../offline/engine/engine/urn.js";
import { SAME, type Diff } from "../../../offline/engine/providers/provider.js";
import type { Resource } from "../../../offline/engine/state/checkpoint.js";
import { Store } from "../../../offline/engine/state/store.js";

const goal = (more: Partial<Goal> = {}): Goal => ({
  urn: "u",
  type: "t",
  name: "n",
  custom: true,
  inputs: {},
  provider: "",
  version: "",
  dependencies: [],
  propertyDependencies: {},
  ignoreChanges: [],
  replaceOnChanges: [],
  additionalSecretOutputs: [],
  protect: false,
  retainOnDelete: false,
  deletedWith: "",
  aliases: [],
  ...more,
});
const resource = (urn: string, more: Partial<Resource> = {}): Resource => ({ urn, custom: true, type: "t", id: urn, ...more });
const changed = (more: Partial<Diff> = {}): Diff => ({ changed: true, keys: ["a"], replaceKeys: [], deleteBeforeReplace: false, ...more });

describe("stand-in engine: what is done to a resource", () => {
  const old = resource("u");

  it("creates, leaves, updates", () => {
    assert.equal(planFor(goal(), undefined, SAME, false).op, "create");
    assert.equal(planFor(goal(), old, SAME, false).op, "same");
    assert.equal(planFor(goal(), old, changed(), false).op, "update");
  });

  it("updates what was made but was not ready, without a change", () => {
    assert.equal(planFor(goal(), resource("u", { initErrors: ["not ready"] }), SAME, false).op, "update");
  });

  it("replaces: the new one first, or the old one first where the provider or the program says so", () => {
    const plan = (diff: Diff, more: Partial<Goal> = {}) => {
      const made = planFor(goal(more), old, diff, false);
      return made.op === "replace" ? made.order : made.op;
    };
    assert.equal(plan(changed({ replaceKeys: ["a"] })), "last");
    assert.equal(plan(changed({ replaceKeys: ["a"], deleteBeforeReplace: true })), "first");
    assert.equal(plan(changed({ replaceKeys: ["a"] }), { deleteBeforeReplace: true }), "first");
    assert.equal(plan(changed({ replaceKeys: ["a"], deleteBeforeReplace: true }), { deleteBeforeReplace: false }), "last");
    assert.equal(plan(changed(), { replaceOnChanges: ["a[*]"] }), "last");
    assert.equal(plan({ ...changed({ replaceKeys: ["a"] }), changed: false }), "same", "replaces count with changes only");
  });

  it("only makes the replacement when the old one has gone", () => {
    const plan = planFor(goal(), resource("u", { pendingReplacement: true }), SAME, false);
    assert.ok(plan.op === "replace" && plan.order === "gone");
    const dependent = planFor(goal(), old, SAME, true);
    assert.ok(dependent.op === "replace" && dependent.order === "gone");
  });
});

describe("stand-in engine: the order of deletions", () => {
  const stack = resource("stack", { custom: false });
  const network = resource("network", { parent: "stack" });
  const app = resource("app", { parent: "stack", propertyDependencies: { networks: ["network"] }, provider: "docker::id" });
  const gate = resource("gate", { dependencies: ["app"] });
  const provider = resource("docker");

  it("deletes what needs another before it, and the rest side by side", () => {
    const groups = deletionGroups([stack, provider, network, app, gate]).map((group) => group.map((each) => each.urn));
    assert.deepEqual(groups, [["gate"], ["app"], ["docker", "network"].sort(), ["stack"]].map((group) => group));
  });

  it("knows every way in which a resource can need another", () => {
    const all = { parent: "p", provider: "q::id", deletedWith: "r", dependencies: ["s"], propertyDependencies: { a: ["t"] } };
    assert.deepEqual(needs(resource("x", all)).sort(), ["p", "q", "r", "s", "t"]);
  });
});

describe("stand-in engine: the state while it changes", () => {
  it("puts what it has dealt with before what it has not come to", () => {
    const [a, b, c] = ["a", "b", "c"].map((urn) => resource(urn));
    const store = new Store({ resources: [a!, b!, c!], operations: [], salt: "" }, undefined);
    store.add(resource("new"));
    store.add(resource("b"), b);
    store.drop(a!);
    assert.deepEqual(store.snapshot().resources.map((each) => each.urn), ["new", "b", "c"]);
  });

  it("has an operation on record while it runs, and an interrupted one until it is cleared", () => {
    const written: string[][] = [];
    const sink = { write: (snapshot: { operations: { type: string }[] }) => void written.push(snapshot.operations.map((each) => each.type)) };
    const interrupted = { type: "creating", resource: resource("old") } as const;
    const store = new Store({ resources: [], operations: [interrupted], salt: "" }, sink);
    const operation = store.begin("deleting", resource("x"));
    store.end(operation);
    store.save();
    assert.deepEqual(written, [["creating", "deleting"], ["creating"]]);
  });
});

describe("stand-in engine: names", () => {
  const stack = { project: "p", stack: "dev" };

  it("builds URNs with the parents' types, but not the stack's", () => {
    const root = urnOf(stack, "pulumi:pulumi:Stack", "p-dev");
    const room = urnOf(stack, "a:b:Room", "room", root);
    assert.equal(room, "urn:pulumi:dev::p::a:b:Room::room");
    const leaf = urnOf(stack, "docker:index/network:Network", "net::x", room);
    assert.equal(leaf, "urn:pulumi:dev::p::a:b:Room$docker:index/network:Network::net::x");
    assert.deepEqual([typeOf(leaf), nameOf(leaf)], ["docker:index/network:Network", "net::x"]);
  });

  it("shortens types as progress lines do", () => {
    assert.equal(shortType("docker:index/network:Network"), "docker:index:Network");
    assert.equal(shortType("pulumi-nodejs:dynamic/play:Gate"), "pulumi-nodejs:dynamic/play:Gate");
  });

  it("reads durations", () => {
    assert.equal(seconds("1h30m5s"), 5405);
    assert.throws(() => seconds("soon"), /invalid duration/);
  });
});
