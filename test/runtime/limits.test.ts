import assert from "node:assert/strict";
import { containerLimits } from "../../components/runtime/limits.js";

describe("runtime/limits", () => {
  it("gives whole microseconds and mebibytes, and swap the same as memory", () => {
    assert.deepEqual(containerLimits({ cpus: 0.25, memory: 512 * 1024 * 1024 }), { cpuPeriod: 100_000, cpuQuota: 25_000, memory: 512, memorySwap: 512 });
    // 1.1 * 100,000 is 110,000.00000000001 in a computer's arithmetic.
    assert.equal(containerLimits({ cpus: 1.1, memory: 6 * 1024 * 1024 }).cpuQuota, 110_000);
  });

  it("never goes below what Docker takes for the smallest share that settings allow", () => {
    assert.equal(containerLimits({ cpus: 0.01, memory: 6 * 1024 * 1024 }).cpuQuota, 1000);
  });
});
