import assert from "node:assert/strict";
import { parsePath, takeOld } from "../../../offline/engine/paths.js";
import { equal, hasUnknown, mask, OUTPUT, remark, reveal, secret, SIGNATURE, UNKNOWN, unwrapOutputs } from "../../../offline/engine/values.js";

describe("stand-in engine: values", () => {
  it("marks again, after a provider, what was secret before it", () => {
    const inputs = { token: secret("t"), nested: { a: 1, t: secret("t") }, list: [1, secret(2)], open: "o" };
    const outputs = remark({ token: "t", nested: { a: 1, t: "t" }, list: [1, 2], open: "o", id: "x" }, inputs);
    assert.deepEqual(outputs, { ...inputs, id: "x" });
  });

  it("marks a whole list as secret when the provider has changed it", () => {
    const { list } = remark({ list: ["B", "A"] }, { list: ["A", secret("B")] });
    assert.deepEqual(list, secret(["B", "A"]));
  });

  it("reveals and masks at any depth", () => {
    const value = { a: [secret({ b: secret("x") })] };
    assert.deepEqual(reveal(value), { a: [{ b: "x" }] });
    assert.deepEqual(mask(value), { a: ["[secret]"] });
  });

  it("unwraps output values: secret ones stay secret, those without a value are unknown", () => {
    const output = (rest: Record<string, string | boolean>) => ({ [SIGNATURE]: OUTPUT, ...rest });
    assert.equal(unwrapOutputs(output({})), UNKNOWN);
    assert.deepEqual(unwrapOutputs([output({ value: "v", secret: true })]), [secret("v")]);
  });

  it("finds unknowns and compares deeply", () => {
    assert.ok(hasUnknown({ a: [secret(UNKNOWN)] }));
    assert.ok(equal({ a: [1, { b: null }] }, { a: [1, { b: null }] }));
    assert.ok(!equal({ a: undefined as never }, {}));
  });
});

describe("stand-in engine: ignoreChanges", () => {
  it("takes a property, or a part of one, from the old inputs", () => {
    assert.deepEqual(takeOld({ envs: ["new"], name: "n" }, { envs: ["old"], name: "o" }, ["envs"]), { envs: ["old"], name: "n" });
    assert.deepEqual(takeOld({ a: { b: 1, c: 2 } }, { a: { b: 0 } }, ["a.b"]), { a: { b: 0, c: 2 } });
  });

  it("removes what the old inputs did not have", () => {
    assert.deepEqual(takeOld({ a: 1, b: 2 }, { a: 0 }, ["b"]), { a: 1 });
  });

  it("reads paths as the engine writes them", () => {
    assert.deepEqual(parsePath('a.b[0]["c.d"][*]'), ["a", "b", 0, "c.d", "*"]);
    assert.throws(() => parsePath("a[["), /invalid property path/);
  });
});
