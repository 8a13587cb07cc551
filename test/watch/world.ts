import { histogramOf } from "../../components/metrics/histogram.js";
import type { Slot } from "../../components/metrics/kept.js";
import { NO_TRAFFIC, type Traffic } from "../../components/metrics/traffic.js";
import type { WatchRules } from "../../components/watch/judge.js";
import { newWatch, type WatchState } from "../../components/watch/state.js";
import { settingsOf } from "../settings/sample.js";

export const T0 = Date.parse("2026-01-01T12:00:00Z");
export const REVISION = "v3.0.0-aaaaaaaa";
const MINUTE = 60_000;

/** The rules as they are when nothing is configured, and some of them changed. */
export function rulesOf(watch: Record<string, unknown> = {}): WatchRules {
  return settingsOf({ "pbjrag:watch": JSON.stringify(watch) }, "prod").watch;
}

export function traffic(requests: number, errors = 0, ms: readonly number[] = []): Traffic {
  return { ...NO_TRAFFIC, requests, errors, latency: { ...histogramOf(ms) } };
}

export function slot(from: number, to: number, parts: Partial<Omit<Slot, "traffic">> & { traffic?: Traffic } = {}): Slot {
  const { traffic: of = NO_TRAFFIC, ...others } = parts;
  return { from, to, open: {}, memory: {}, cores: {}, failed: 0, reason: "", logErrors: 0, ...others, traffic: { [REVISION]: { ...of, latency: { ...of.latency } } } };
}

/** Slots of ten seconds from T0 on. @param at tells what was seen in each, by its minute (0, 1, …) and its number */
export function slots(minutes: number, at: (minute: number, n: number) => Parameters<typeof slot>[2]): Slot[] {
  return Array.from({ length: minutes * 6 }, (_, n) => slot(T0 + n * 10_000, T0 + (n + 1) * 10_000, at(Math.floor(n / 6), n)));
}

export function watchOf(forMs = 60 * MINUTE): WatchState {
  const target = { revision: REVISION, tag: "v3.0.0", containers: ["app-1"], port: 8501, healthPath: "/_stcore/health", scriptPath: "", requestTimeoutMs: 5000 };
  return newWatch("watch-1", target, T0, forMs);
}
