import assert from "node:assert/strict";
import { rollbackQuestion } from "../../scripts/cli/rollback-question.js";
import type { TrafficTable } from "../../components/traffic/model.js";
import { World } from "../release/world.js";
import { revision, table } from "../traffic/sample.js";

describe("the question before a rollback", () => {
  const world = new World();
  world.up("v1.0.0", { memory: "1GiB" });
  world.up("v2.0.0", { memory: "2GiB", more: { "pbjrag:gate": '{"passes":5}' } });
  const [first, second] = world.ledger;
  const live = (parts: Partial<TrafficTable> = {}): TrafficTable =>
    table({ serving: { ...revision("dev", second?.revision ?? ""), tag: "v2.0.0" }, former: { ...revision("dev", first?.revision ?? ""), tag: "v1.0.0" }, rollbackTo: first?.revision ?? "", ...parts });

  it("names where from, where to, how, and what changes", () => {
    assert.equal(rollbackQuestion({ stack: "dev", tag: undefined, table: live(), ledger: world.ledger }), "Roll dev back from v2.0.0 to v1.0.0 (warm, at once; data stays; 2 settings go back)?");
    assert.equal(rollbackQuestion({ stack: "dev", tag: "v1.0.0", table: live({ former: null }), ledger: world.ledger }), "Roll dev back from v2.0.0 to v1.0.0 (started and gated first; data stays; 2 settings go back)?");
  });

  it("names a single setting, and says where none changes", () => {
    const other = new World();
    other.up("v1.0.0", { memory: "1GiB" });
    other.up("v2.0.0", { memory: "2GiB" });
    assert.match(rollbackQuestion({ stack: "dev", tag: undefined, table: null, ledger: other.ledger }), /^Roll dev back from v2\.0\.0 to v1\.0\.0 \(started and gated first; data stays; app\.memory: 2GiB -> 1GiB\)\?$/);
    other.up("v3.0.0", { memory: "2GiB" });
    assert.match(rollbackQuestion({ stack: "dev", tag: undefined, table: null, ledger: other.ledger }), /settings stay\)\?$/);
  });

  it("says what is known where the state, or the proxy, cannot be read", () => {
    assert.equal(rollbackQuestion({ stack: "dev", tag: undefined, table: live(), ledger: [] }), "Roll dev back from v2.0.0 to v1.0.0 (warm, at once; data stays)?");
    assert.equal(rollbackQuestion({ stack: "dev", tag: "v9", table: null, ledger: [] }), "Roll dev back to v9 (started and gated first; data stays)?");
  });
});
