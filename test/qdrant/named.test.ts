import assert from "node:assert/strict";
import { z } from "zod";
import { named, under } from "../../components/qdrant/named.js";

describe("qdrant/named: records by names that users choose", () => {
  it("keeps every name, __proto__ too, and no more", () => {
    const given: unknown = JSON.parse('{"a":1,"__proto__":2,"constructor":3}');
    const kept = named(z.number()).parse(given);
    assert.equal(JSON.stringify(kept), '{"a":1,"__proto__":2,"constructor":3}');
    assert.deepEqual(["__proto__", "constructor", "toString"].map((name) => under(kept, name)), [2, 3, undefined]);
    assert.equal(Object.getPrototypeOf(kept), Object.prototype);
  });

  it("tells where something else is", () => {
    assert.deepEqual(named(z.object({ points: z.number() })).safeParse({ b: { points: "x" } }).error?.issues.map(({ path }) => path), [["b", "points"]]);
    for (const other of [[], null, 1]) assert.ok(!named(z.number()).safeParse(other).success);
  });
});
