import assert from "node:assert/strict";
import type { ContainerState, Sample } from "../../components/gate/model.js";
import { allRun, untilHealthy, type Verdict } from "../../scripts/cli/verify.js";

const verdict = (over: Partial<Verdict>): Verdict => ({ healthy: false, reason: "slow", url: "", asRecorded: true, ...over });

/** Looks that come out so, one after the other; the last one stays. */
async function after(looks: readonly Partial<Verdict>[], deadlineMs = 1000): Promise<{ found: Verdict; asked: number; ms: number }> {
  let [asked, ms] = [0, 0];
  const see = (): Promise<Verdict> => Promise.resolve(verdict(looks[Math.min(asked++, looks.length - 1)] ?? {}));
  const pause = (by: number): Promise<void> => {
    ms += by;
    return Promise.resolve();
  };
  return { found: await untilHealthy(see, { deadlineMs, intervalMs: 100, now: () => ms, pause }), asked, ms };
}

describe("what serves, looked at with patience", () => {
  it("one slow round on a busy host is no verdict", async () => {
    const { found, asked, ms } = await after([{}, {}, { healthy: true, reason: "" }]);
    assert.deepEqual([found.healthy, asked, ms], [true, 3, 200]);
  });

  it("what is not as recorded is told at once", async () => {
    assert.equal((await after([{ asRecorded: false }, { healthy: true }])).asked, 1);
  });

  it("the gate's deadline ends it", async () => {
    const { found, ms } = await after([{}]);
    assert.deepEqual([found.healthy, found.asRecorded, ms], [false, true, 1000]);
  });

  const state: ContainerState = { id: "a", status: "running", exitCode: 0, oomKilled: false, restartCount: 0, startedAt: "", upMs: 1000, error: "" };
  const sample = (states: readonly (ContainerState | null)[], qdrant: ContainerState | null = state): Sample => ({
    at: 0, containers: states.map((one, at) => ({ name: `app-${at}`, state: one, http: [] })), qdrant: { container: "q", state: qdrant, error: "", version: "", collections: [] },
  });
  it("all run, or not: whatever they answer", () => {
    assert.equal(allRun(sample([state, state])), true);
    assert.equal(allRun(null), false);
    assert.equal(allRun(sample([state, null])), false);
    assert.equal(allRun(sample([{ ...state, status: "exited" }])), false);
    assert.equal(allRun(sample([{ ...state, oomKilled: true }])), false);
    assert.equal(allRun(sample([state], { ...state, status: "paused" })), false);
  });
});
