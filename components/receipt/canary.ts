/** What a receipt keeps of a canary and its judge, of a bounded size. Pure. */
import { z } from "zod";
import { RESULTS, TESTS } from "../judge/model.js";
import type { JournalEvent } from "../runtime/journal.js";
import { number, type TagOf, text } from "./parts.js";
import { seconds } from "./spans.js";

/** Looks of the judge that are kept: of more than so many, evenly chosen ones and the last. */
export const CANARY_LOOKS = 60;
/** The judge's, in the journal. */
const PHASE: JournalEvent["phase"] = "judge";

const count = z.int().nonnegative();
/** Since the run began. */
const since = z.number().nonnegative();
const result = z.enum(RESULTS);
const chance = z.number().min(0).max(1);

/** As judge/model.ts has it. */
const finding = z.object({
  test: z.enum(TESTS), result, what: z.string(),
  samples: z.object({ canary: count, stable: count }),
  p: chance.nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  needed: count.nullable(),
});

const told = z.object({ weight: z.number(), verdict: result, findings: z.array(finding).max(TESTS.length * 2) });

export const canarySchema = z.object({
  revision: z.string(), tag: z.string(),
  /** Null: the run ended before it was judged. */
  verdict: result.nullable(),
  /** Why, with the numbers, in one sentence; "" while it is not judged. */
  summary: z.string(),
  start: since, end: since,
  /** What it was given of new users, in percent, from when on. */
  shares: z.array(z.object({ at: since, weight: z.number().min(0).max(100) })).max(CANARY_LOOKS),
  /** Requests of each side, and of each test the chance of the same result were the canary no worse. */
  looks: z.array(z.object({ at: since, weight: z.number(), verdict: result, words: z.string(), samples: z.object({ canary: count, stable: count }), p: z.partialRecord(z.enum(TESTS), chance) })).max(CANARY_LOOKS),
  /** What each test said last. */
  findings: z.array(finding),
});

export type CanaryResult = z.infer<typeof canarySchema>;

/**
 * Of the last judging of a run; null where it judged none.
 * @param began milliseconds since 1970
 */
export function canaryOf(events: readonly JournalEvent[], began: number, tagOf: TagOf): CanaryResult | null {
  const all = events.filter(({ phase }) => phase === PHASE);
  const first = all.findLastIndex(({ event }) => event === "start");
  const [begin, ...own] = all.slice(Math.max(0, first));
  if (first < 0 || begin === undefined) return null;
  const at = ({ time }: JournalEvent): number => seconds(Math.max(0, Date.parse(time) - began));
  const looks = own.flatMap((event) => {
    const data = event.event === "progress" ? told.safeParse(event.data).data : undefined;
    return data === undefined ? [] : [{ at: at(event), words: event.message, ...data }];
  });
  const last = looks.at(-1);
  const ended = own.findLast(({ event }) => event === "done" || event === "failed");
  const decided = ended?.event === "done" ? (result.safeParse(ended.data?.["verdict"]).data ?? null) : ended !== undefined && last?.verdict === "fail" ? "fail" : null;
  const revision = text(begin.data, "revision");
  return {
    revision, tag: tagOf(revision), verdict: decided,
    summary: ended === undefined ? "" : text(ended.data, ended.event === "done" ? "summary" : "why"),
    start: at(begin), end: at(own.at(-1) ?? begin),
    shares: own.flatMap((event) => (event.event === "info" ? [{ at: at(event), weight: Math.min(100, Math.max(0, number(event.data, "weight") ?? 0)) }] : []))
      // It is renewed again and again.
      .filter(({ weight }, index, all) => weight !== all[index - 1]?.weight).slice(-CANARY_LOOKS),
    looks: chosen(looks).map(({ findings, ...look }) => ({
      ...look, samples: findings.find(({ test }) => test === "errors")?.samples ?? { canary: 0, stable: 0 },
      p: Object.fromEntries(findings.flatMap(({ test, p }) => (p === null ? [] : [[test, p]]))),
    })),
    findings: last?.findings ?? [],
  };
}

function chosen<T>(all: readonly T[]): T[] {
  const every = Math.max(1, Math.ceil(all.length / CANARY_LOOKS));
  return all.filter((_one, at) => (all.length - 1 - at) % every === 0);
}
