/** What a receipt keeps of the watch of its release, of a bounded size. Everything here is pure. */
import { z } from "zod";
import { quantile } from "../metrics/histogram.js";
import { coarser, type Slot } from "../metrics/kept.js";
import { RULES } from "../watch/judge.js";
import type { WatchState } from "../watch/state.js";
import { seconds } from "./spans.js";
import { trafficSchema, type Traffic } from "./traffic.js";

/** Samples over time that are kept; coarser for a longer watch. */
export const WATCH_SAMPLES = 120;

const count = z.int().nonnegative();
const ms = z.number().nonnegative();
/** Since the watch began. */
const since = z.number();

const sample = z.object({
  from: since, to: since,
  byRevision: z.record(z.string(), z.object({
    requests: count, errors: count,
    /** Null where nothing was timed. */
    p50: ms.nullable(), p99: ms.nullable(),
    /** Open sessions, the most. */
    open: count,
    /** Share of the limit of the container nearest to it, the most, from 0 to 1; null where none ran. */
    memory: z.number().nullable(),
  })),
  /** Rounds of health checks that failed, and lines of the app's log that tell of an error. */
  failed: count, logErrors: count,
});

const finding = z.object({ at: z.iso.datetime(), rule: z.enum(RULES), action: z.enum(["rollback", "freeze", "alert"]), what: z.string() });

export const watchedSchema = z.object({
  id: z.string(),
  startedAt: z.iso.datetime(), endedAt: z.iso.datetime(),
  /** Of the watch as it was planned. */
  planned: z.number().nonnegative(),
  /** `open`: its process ended before it did. */
  state: z.enum(["ended", "interrupted", "open"]),
  /** How it ended, in words and as exit code; "" and null while it is open. */
  ending: z.string(), exitCode: z.int().nullable(),
  /** The rule that rolled back; null: none did. */
  triggered: finding.nullable(),
  /** Every rule that was met, oldest first. */
  met: z.array(finding).max(100),
  /** What users were answered from its begin to its end, a rollback of its own included. */
  traffic: trafficSchema,
  samples: z.array(sample).max(WATCH_SAMPLES),
});

export type Watched = z.infer<typeof watchedSchema>;

/**
 * @param state of a watch that has ended, or whose process has
 * @param slots all that were measured, oldest first
 * @param endedAt milliseconds since 1970
 */
export function watchedOf(state: WatchState, slots: readonly Slot[], traffic: Traffic, endedAt: number): Watched {
  const { id, startedAt, endsAt, ending, exitCode, history } = state;
  const own = coarser(slots.filter(({ from, to }) => from >= startedAt && to <= endedAt), WATCH_SAMPLES);
  const met = history.filter(({ at }) => z.iso.datetime().safeParse(at).success);
  // It goes back for what is met at its last look; a rule met earlier was over by then, or waited for another release.
  const back = state.met.find(({ action }) => action === "rollback");
  return {
    id, ending, exitCode, met,
    startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString(), planned: seconds(endsAt - startedAt),
    state: state.state === "watching" ? "open" : state.state,
    triggered: back === undefined || (exitCode !== 3 && exitCode !== 4) ? null : { ...back, at: met.findLast(({ rule }) => rule === back.rule)?.at ?? new Date(endedAt).toISOString() },
    traffic,
    samples: own.map((slot) => sampleOf(slot, startedAt)),
  };
}

function sampleOf({ from, to, traffic, open, memory, failed, logErrors }: Slot, began: number): Watched["samples"][number] {
  const revisions = [...new Set([...Object.keys(traffic), ...Object.keys(open), ...Object.keys(memory)])];
  return {
    from: seconds(from - began), to: seconds(to - began), failed, logErrors,
    byRevision: Object.fromEntries(revisions.map((revision) => {
      const of = traffic[revision];
      const [p50, p99] = [0.5, 0.99].map((share) => rounded(of === undefined ? null : quantile(of.latency, share)));
      return [revision, { requests: of?.requests ?? 0, errors: of?.errors ?? 0, p50: p50 ?? null, p99: p99 ?? null, open: open[revision] ?? 0, memory: memory[revision] ?? null }];
    })),
  };
}

/** To a tenth of a millisecond: a class of the histogram is wider. */
const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);
