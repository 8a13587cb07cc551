import type { Latency, Seen } from "./result.js";

/** A request that left later than this after its scheduled moment does not count towards the rate (milliseconds). */
export const ON_TIME_MS = 250;

export function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Nearest-rank percentiles; 0 for no values. */
export function latencyOf(latencies: readonly number[]): Latency {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => round1(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Counts names with the first and last moment of each. */
export class SeenTable {
  private readonly seen = new Map<string, { count: number; first: number; last: number }>();

  see(name: string, at: number): void {
    const entry = this.seen.get(name);
    if (entry === undefined) this.seen.set(name, { count: 1, first: at, last: at });
    else {
      entry.count += 1;
      entry.last = at;
    }
  }

  all(): Record<string, Seen> {
    return Object.fromEntries(this.seen);
  }
}
