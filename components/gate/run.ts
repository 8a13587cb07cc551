/** The gate's loop: look, judge, wait for the next round. Time and eyes are given to it. */
import type { GateSpec, Latency, Measured, Sample, Verdict } from "./model.js";
import { healthcheckNote, pingNote } from "./inside-verdict.js";
import { judge } from "./verdict.js";

export interface GateWorld {
  /** @param elapsed milliseconds since the gate began */
  sample: (elapsed: () => number) => Promise<Sample>;
  /** Milliseconds, never set back. */
  monotonic: () => number;
  sleep: (ms: number) => Promise<void>;
  /** After each round; throwing ends the gate. */
  onRound: (sample: Sample, verdict: Verdict) => void;
}

export interface GateResult {
  verdict: Exclude<Verdict, { verdict: "continue" }>;
  measured: Measured;
}

export async function runGate(spec: GateSpec & { intervalMs: number }, world: GateWorld): Promise<GateResult> {
  const began = world.monotonic();
  const elapsed = (): number => world.monotonic() - began;
  const samples: Sample[] = [];
  for (;;) {
    const roundBegan = elapsed();
    const sample = await world.sample(elapsed);
    samples.push(sample);
    const verdict = judge(spec, samples, elapsed());
    world.onRound(sample, verdict);
    if (verdict.verdict !== "continue") {
      return { verdict, measured: measure(spec, samples, elapsed()) };
    }
    // The last look is at the deadline, not up to an interval after it.
    const next = Math.min(roundBegan + spec.intervalMs, spec.deadlineMs);
    await world.sleep(Math.max(0, next - elapsed()));
  }
}

function measure(spec: GateSpec, samples: readonly Sample[], tookMs: number): Measured {
  const answers = samples.flatMap((sample) => sample.containers.flatMap((container) => container.http));
  const last = samples.at(-1);
  return {
    passes: spec.passes,
    rounds: samples.length,
    probes: answers.length,
    latency: Object.fromEntries([...new Set(answers.map((http) => http.probe))].map((probe) => [probe, latency(answers.filter((http) => http.probe === probe).map((http) => http.ms))])),
    collections: Object.fromEntries((last?.qdrant?.collections ?? []).flatMap(({ name, status, count }) => (count === null ? [] : [[name, { status, count }] as const]))),
    qdrantVersion: last?.qdrant?.version ?? "",
    // Its replicas are alike.
    notes: (last?.containers ?? []).slice(0, 1).flatMap((container) => [...healthcheckNote(container), ...pingNote(container)]),
    tookMs: Math.round(tookMs),
  };
}

/** By nearest rank: a value that was really measured. */
export function latency(values: readonly number[]): Latency {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
  return { p50: rank(0.5), p99: rank(0.99) };
}
