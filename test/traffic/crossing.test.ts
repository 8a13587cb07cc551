import assert from "node:assert/strict";
import { crosses, differences } from "../../components/traffic/route/crossing.js";
import { whileLeaving } from "../../components/traffic/route/handler.js";
import { revision, table } from "./sample.js";

describe("moving to other data", () => {
  const on = (generation: string) => table({ serving: { ...revision("dev", "v3.0.0-aaaaaaaa"), ...(generation === "0" ? {} : { generation }) } });

  it("is what it is by the data of who serves, and nothing where nobody did", () => {
    assert.equal(crosses(on("0"), on("0")), false);
    assert.equal(crosses(on("0"), on("r1")), true);
    assert.equal(crosses(on("r1"), on("0")), true);
    assert.equal(crosses(on("r1"), on("r1")), false);
    assert.equal(crosses(null, on("r1")), false);
    assert.equal(crosses(table({ serving: null, former: null }), on("r1")), false);
  });

  it("abandons the release that is left also where nothing is kept warm", () => {
    const [before, after] = [on("0"), table({ former: null, serving: { ...revision("dev", "v4.0.0-cccccccc"), generation: "r1" } })];
    assert.equal(whileLeaving(before, { table: after, kind: "deploy" })?.abandoned, true);
    assert.equal(whileLeaving(before, { table: { ...after, serving: revision("dev", "v4.0.0-cccccccc") }, kind: "deploy" })?.abandoned, false);
  });

  it("says what the data that is left has, and its backup has not", () => {
    assert.deepEqual(differences({ a: 1, b: 2 }, { a: 1, b: 2 }), []);
    assert.deepEqual(differences({ a: 1, b: 2 }, { b: 5, c: 3 }), ["collection a is gone", "collection b: 5 points instead of 2", "collection c: 3 points"]);
  });
});
