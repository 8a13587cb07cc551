import assert from "node:assert/strict";
import { type ContainerUse, memoryShare, useOf } from "../../components/metrics/resources.js";

describe("Docker's statistics", () => {
  const cpu_stats = { cpu_usage: { total_usage: 2_500_000_000 } };

  it("give memory without what the kernel can take back, in either version of cgroups", () => {
    assert.deepEqual(useOf({ cpu_stats, memory_stats: { usage: 100, limit: 200, stats: { total_inactive_file: 30 } } }), { cpuSeconds: 2.5, memory: 70, limit: 200 });
    assert.deepEqual(useOf({ cpu_stats, memory_stats: { usage: 100, limit: 200, stats: { inactive_file: 40 } } }), { cpuSeconds: 2.5, memory: 60, limit: 200 });
    assert.deepEqual(useOf({ cpu_stats, memory_stats: { usage: 100, limit: 200 } }), { cpuSeconds: 2.5, memory: 100, limit: 200 });
  });

  it("are none of a container that has just ended", () => {
    assert.equal(useOf({ cpu_stats: {}, memory_stats: {} }), null);
  });

  it("count for a release as its container that is nearest to its limit", () => {
    const use = (revision: string, memory: number, role = "app"): ContainerUse => ({ container: "c", role, revision, cpuSeconds: 1, memory, limit: 100 });
    assert.equal(memoryShare([use("a", 20), use("a", 95), use("b", 99), use("", 100, "qdrant")], "a"), 0.95);
    assert.equal(memoryShare([use("b", 99)], "a"), null);
  });
});
