import assert from "node:assert/strict";
import fc from "fast-check";
import { fateOf, type Traffic } from "../../scripts/cli/orphan-rules.js";

const traffic: Traffic = { apps: new Set(["app-1"]), stores: new Set(["qdrant-0"]), isServing: true };
const none: ReadonlySet<string> = new Set();

describe("what is in no state", () => {
  const cases: [name: string, role: string, seen: Traffic | null, made: string[], fate: string][] = [
    ["app-1", "app", traffic, [], "serves"],
    ["app-2", "app", traffic, [], "idle"],
    ["app-2", "app", null, [], "unclear"],
    ["scratch", "scratch", null, [], "idle"],
    ["proxy", "proxy", traffic, [], "unclear"],
    ["proxy", "proxy", traffic, ["proxy"], "unclear"],
    ["proxy", "proxy", { ...traffic, isServing: false }, ["proxy"], "idle"],
    ["proxy", "proxy", { ...traffic, isServing: false }, [], "unclear"],
    ["qdrant-0", "qdrant", traffic, ["qdrant-0"], "unclear"],
    ["qdrant-1", "qdrant", traffic, ["qdrant-1"], "idle"],
    ["qdrant-1", "qdrant", traffic, [], "unclear"],
    ["mine", "", traffic, ["mine"], "unclear"],
  ];
  for (const [name, role, seen, made, fate] of cases) {
    it(`${role || "unlabelled"} ${name}${seen === null ? ", traffic not seen" : ""}${made.length > 0 ? ", being made" : ""}: ${fate}`, () => assert.equal(fateOf({ name, role, runs: true }, seen, new Set(made)), fate));
  }

  it("what a killed update had made and not started serves nobody", () => {
    assert.equal(fateOf({ name: "proxy", role: "proxy", runs: false }, traffic, new Set(["proxy"])), "idle");
    assert.equal(fateOf({ name: "qdrant-0", role: "qdrant", runs: false }, traffic, new Set(["qdrant-0"])), "idle");
  });

  it("never goes where users are served by it", () => {
    const names = ["app-1", "app-2", "qdrant-0", "qdrant-1", "proxy"];
    fc.assert(fc.property(
      fc.constantFrom(...names), fc.constantFrom("app", "qdrant", "proxy", "data", ""), fc.subarray(names), fc.subarray(names), fc.subarray(names), fc.boolean(),
      (name, role, apps, stores, made, isServing) => {
        if (fateOf({ name, role, runs: true }, { apps: new Set(apps), stores: new Set(stores), isServing }, new Set(made)) !== "idle") return;
        assert.ok(!apps.includes(name));
        assert.ok(role !== "qdrant" || !stores.includes(name));
        assert.ok(role !== "proxy" || !isServing);
      },
    ));
    assert.equal(fateOf({ name: "proxy", role: "proxy", runs: false }, traffic, none), "unclear");
  });
});
