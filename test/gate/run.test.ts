import assert from "node:assert/strict";
import type { GateSpec, Sample, Verdict } from "../../components/gate/model.js";
import { latency, runGate, type GateResult } from "../../components/gate/run.js";
import { container, http, sample, SPEC, state } from "./samples.js";

interface Told {
  result: GateResult;
  rounds: { began: number; verdict: Verdict["verdict"] }[];
  slept: number[];
}

/** Runs the gate on a clock of its own. `round` gives what is seen, and how long looking takes. */
async function gated(spec: Partial<GateSpec & { intervalMs: number }>, round: (n: number) => { sees?: Partial<Sample>; takes?: number }): Promise<Told> {
  let now = 5000;
  const rounds: Told["rounds"] = [];
  const slept: number[] = [];
  let began = 0;
  const result = await runGate(
    { ...SPEC, intervalMs: 500, ...spec },
    {
      sample: (elapsed) => {
        began = elapsed();
        const { sees = {}, takes = 20 } = round(rounds.length);
        now += takes;
        return Promise.resolve(sample({ ...sees, at: elapsed() }));
      },
      monotonic: () => now,
      sleep: (ms) => {
        slept.push(ms);
        now += ms;
        return Promise.resolve();
      },
      onRound: (_sample, { verdict }) => rounds.push({ began, verdict }),
    },
  );
  return { result, rounds, slept };
}

const down = { containers: [container({ http: [http("health", { status: null, error: "refused" })] })] };

describe("gate/run", () => {
  it("begins a round each interval and ends with the pass that makes enough", async () => {
    const { result, rounds, slept } = await gated({}, (n) => ({ sees: n < 2 ? down : {} }));
    assert.equal(result.verdict.verdict, "pass");
    assert.deepEqual(rounds.map(({ began }) => began), [0, 500, 1000, 1500, 2000]);
    assert.deepEqual(slept, [480, 480, 480, 480]);
    assert.deepEqual([result.measured.rounds, result.measured.passes, result.measured.tookMs, result.measured.probes], [5, 3, 2020, 11]);
    assert.deepEqual(result.measured.collections, { docs: { status: "green", count: 10 } });
    assert.equal(result.measured.qdrantVersion, "1.19.0");
    assert.deepEqual(Object.keys(result.measured.latency).sort(), ["health", "page", "script"]);
  });

  it("does not wait between rounds that take longer than the interval", async () => {
    const { rounds } = await gated({}, () => ({ takes: 700 }));
    assert.deepEqual(rounds.map(({ began }) => began), [0, 700, 1400]);
  });

  it("ends at once when a container has exited", async () => {
    const { result, rounds, slept } = await gated({}, () => ({ sees: { containers: [container({ state: state({ status: "exited", exitCode: 7 }) })] } }));
    assert.deepEqual(result.verdict, { verdict: "fail", reason: "container app-1 has ended with exit code 7", container: "app-1" });
    assert.deepEqual([rounds.length, slept.length], [1, 0]);
  });

  it("has its last look at the deadline", async () => {
    const { result, rounds } = await gated({ deadlineMs: 1200 }, () => ({ sees: down }));
    assert.equal(result.verdict.verdict, "fail");
    assert.deepEqual(rounds.map(({ began }) => began), [0, 500, 1000, 1200]);
  });

  it("ends when who listens throws: a run that lost its lock", async () => {
    await assert.rejects(
      runGate({ ...SPEC, intervalMs: 1 }, {
        sample: () => Promise.resolve(sample()), monotonic: () => 0, sleep: () => Promise.resolve(),
        onRound: () => {
          throw new Error("lost");
        },
      }),
      /lost/,
    );
  });

  it("tells latencies that were measured", () => {
    assert.deepEqual(latency(Array.from({ length: 100 }, (_, i) => i + 1)), { p50: 50, p99: 99 });
    assert.deepEqual(latency([7.4]), { p50: 7, p99: 7 });
    assert.deepEqual(latency([]), { p50: 0, p99: 0 });
  });
});
