import assert from "node:assert/strict";
import { entryOf } from "../../components/release/notices.js";
import { World } from "./world.js";

describe("release/notices", () => {
  it("lists the settings that a release changes, after what it goes back to", () => {
    const world = new World();
    world.up("v1.0.0", { memory: "1GiB" });
    assert.deepEqual(world.plan("v1.0.0", { memory: "2GiB" }).notices, ["changes settings: app.memory: 1GiB -> 2GiB"]);
    world.up("v2.0.0", { memory: "2GiB", more: { "pbjrag:gate": '{"passes":5}' } });
    const back = world.plan("v1.0.0", { memory: "1GiB" });
    assert.deepEqual(back.notices, ["ROLLBACK v2.0.0 -> v1.0.0", "changes settings: app.memory: 2GiB -> 1GiB; gate.passes: 5 -> 3"]);
  });

  it("has none about settings where none changed, or nothing is released", () => {
    const world = new World();
    assert.deepEqual(world.up("v1.0.0").notices, []);
    assert.deepEqual(world.plan("v1.0.0").notices, []);
    assert.deepEqual(world.plan("v2.0.0").notices, []);
  });

  it("names the ledger's new entry, where there is one", () => {
    const world = new World();
    assert.match(entryOf(world.up("v1.0.0")) ?? "", /^the ledger gets release 1: v1\.0\.0 \(v1\.0\.0-[0-9a-f]{8}\), deploy$/);
    assert.equal(entryOf(world.plan("v1.0.0")), null);
    assert.match(entryOf(world.up("v2.0.0")) ?? "", /release 2: v2\.0\.0 \(\S+\), deploy; a rollback then goes to v1\.0\.0-[0-9a-f]{8}$/);
    assert.match(entryOf(world.plan("v1.0.0")) ?? "", /release 3: v1\.0\.0 \(\S+\), rollback$/);
  });
});
