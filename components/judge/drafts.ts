/** The judge's tests of users' requests and of synthetic runs, before it is known which p-value is small enough. Pure. */
import { classes, countOf, type Histogram, middleOf, quantile } from "../metrics/histogram.js";
import { msInWords, percent } from "../metrics/traffic.js";
import type { Finding, TestName, Thresholds } from "./model.js";
import { evidenceToDecide } from "./needed.js";
import { medianInterval, rank, type Ranked, samplesToRank } from "./ranks.js";
import { atLeast, type Count, difference, fisher, rateOf } from "./rates.js";

/** Of declaring a canary as good that is worse by what is allowed: of each test. */
export const FALSE_PASSES = 0.05;
/** Answers without which a quantile says nothing. */
const FOR_P99 = 100;
const FOR_P50 = 20;
const POWER = 0.8;

/** One test before it is known which p-value is small enough. */
export interface Draft extends Omit<Finding, "result"> {
  /** The numbers are beyond what is allowed, so that a small p-value means something. */
  beyond: boolean;
  /** With no p-value: it has failed. */
  failed?: boolean;
  /** There is evidence that it keeps within. `unneeded`: it may fail, but need not be shown to be well. */
  well: boolean | "unneeded";
}

/** @param noun what failed or did not, in the plural */
export function failures(test: TestName, noun: string, a: Count, b: Count, { allowed, alpha }: { allowed: number; alpha: number }): Draft {
  const interval = difference(a, b);
  const points = interval.map((share) => (share * 100).toFixed(2)).join(" to ");
  return {
    test, p: fisher(a, b), samples: { canary: a.of, stable: b.of }, interval: [interval[0] * 100, interval[1] * 100],
    what: a.of === 0 || b.of === 0
      ? `no ${noun} to compare: ${a.of} of the canary, ${b.of} of what serves`
      : `${a.failed} of ${a.of} ${noun} failed (${percent(rateOf(a))}) against ${b.failed} of ${b.of} (${percent(rateOf(b))}), a difference of ${points} percentage points`,
    beyond: rateOf(a) - rateOf(b) > allowed,
    well: a.of > 0 && b.of > 0 && interval[1] <= allowed,
    needed: evidenceToDecide(a, b, allowed, alpha),
  };
}

/** Beside the factor, a time of its own is allowed: twice of a millisecond is no harm. */
export function slower(test: TestName, noun: string, canary: Histogram, stable: Histogram, { slower: share, slack }: Thresholds): Draft {
  const ranked = rank(canary, stable, (ms) => Math.min(ms / (1 + share / 100), ms - slack));
  const samples = { canary: countOf(canary), stable: countOf(stable) };
  const interval = medianInterval(canary);
  const half = (times: Histogram): string => msInWords(quantile(times, 0.5) ?? 0);
  return {
    test, p: ranked?.longer ?? null, samples, interval, beyond: true,
    what: ranked === null || interval === null
      ? `no ${noun} to compare: ${samples.canary} of the canary, ${samples.stable} of what serves`
      : `half of ${samples.canary} ${noun} within ${half(canary)} (${interval.map(msInWords).join(" to ")}) against ${half(stable)} of ${samples.stable}; ${share} % or ${msInWords(slack)} more are allowed`,
    well: ranked !== null && ranked.shorter <= FALSE_PASSES,
    needed: ranked === null ? null : toRank(ranked, samples),
  };
}

function toRank({ superiority }: Ranked, { canary, stable }: Finding["samples"]): number | null {
  const needed = samplesToRank(superiority, canary / (canary + stable), FALSE_PASSES, POWER);
  return Number.isFinite(needed) && needed > canary ? needed : null;
}

export function limits(names: Readonly<Record<"p50" | "p99", TestName>>, noun: string, answers: Histogram, { p50, p99 }: Thresholds): Draft[] {
  const of = (test: TestName, share: number, limit: number, least: number): Draft => {
    const count = countOf(answers);
    const over = classes(answers).reduce((sum, [at, inClass]) => (middleOf(at) > limit ? sum + inClass : sum), 0);
    const measured = quantile(answers, share);
    return {
      test, p: atLeast({ failed: over, of: count }, 1 - share), samples: { canary: count, stable: 0 }, interval: null,
      what: measured === null ? `no ${noun}` : `p${share * 100} ${msInWords(measured)} of ${count} ${noun}, with a limit of ${msInWords(limit)}`,
      beyond: over > count * (1 - share),
      well: count >= least && over <= count * (1 - share),
      needed: count < least ? least : null,
    };
  };
  return [...(p50 === null ? [] : [of(names.p50, 0.5, p50, FOR_P50)]), of(names.p99, 0.99, p99, FOR_P99)];
}
