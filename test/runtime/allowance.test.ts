import assert from "node:assert/strict";
import { seconds } from "../../offline/engine/engine/goal.js";
import { allowanceFor, engineTimeout } from "../../components/runtime/allowance.js";

const GIB = 1024 ** 3;
const HOUR_MS = 3_600_000;

describe("runtime/allowance", () => {
  it("gives two minutes for each GiB, up to a day", () => {
    assert.deepEqual([0, -1, GIB / 2, 50 * GIB].map(allowanceFor), [0, 0, 60_000, 100 * 60_000]);
    // Whole seconds: a message says "within 1m" of small data, not "within 60030ms".
    assert.deepEqual([1, GIB / 100].map(allowanceFor), [0, 1000]);
    assert.deepEqual([720 * GIB, 1e18].map(allowanceFor), [24 * HOUR_MS, 24 * HOUR_MS]);
  });

  it("lets Pulumi never be the first to end a step, however large its data is", () => {
    for (const deadlineMs of [1_000, 30 * 60_000, 48 * HOUR_MS]) {
      assert.ok(seconds(engineTimeout(deadlineMs)) * 1000 > deadlineMs + allowanceFor(1e18), engineTimeout(deadlineMs));
    }
    assert.equal(engineTimeout(30 * 60_000), "1480m");
  });
});
