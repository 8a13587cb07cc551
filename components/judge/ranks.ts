/** Whether one lot of times is longer than another: the rank test of Wilcoxon, Mann and Whitney, with ties. Pure. */
import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";
import kruskalTest from "@stdlib/stats-kruskal-test";
import { classes, countOf, type Histogram, middleOf, quantile } from "../metrics/histogram.js";

/** A test of ranks gains little from more, and takes its time for them. */
const MOST = 20_000;

export interface Ranked {
  /** How often chance alone would make the first so much longer; so much shorter. */
  longer: number;
  shorter: number;
  /** Probability that one of the first takes longer than one of the second, ties counted half. */
  superiority: number;
}

/** Null where one of them is empty. @param allowed what is taken off each of the first before it is compared */
export function rank(first: Histogram, second: Histogram, allowed: (ms: number) => number): Ranked | null {
  const [a, b] = [thinned(first).map(([ms, count]): [number, number] => [allowed(ms), count]), thinned(second)];
  const superiority = superiorityOf(a, b);
  if (superiority === null) return null;
  if (superiority === 0.5) return { longer: 0.5, shorter: 0.5, superiority };
  // With two groups, Kruskal and Wallis' test is this one, two-sided.
  const { pValue } = kruskalTest(expand(a), expand(b));
  const [toward, against] = [pValue / 2, 1 - pValue / 2];
  return superiority > 0.5 ? { longer: toward, shorter: against, superiority } : { longer: against, shorter: toward, superiority };
}

type Counted = [ms: number, count: number][];

function thinned(histogram: Histogram): Counted {
  const factor = Math.min(1, MOST / Math.max(1, countOf(histogram)));
  return classes(histogram).map(([at, count]): [number, number] => [middleOf(at), Math.round(count * factor)]);
}

function expand(counted: Counted): number[] {
  return counted.flatMap(([ms, count]) => Array.from({ length: count }, () => ms));
}

function superiorityOf(first: Counted, second: Counted): number | null {
  const total = (all: Counted): number => all.reduce((sum, [, count]) => sum + count, 0);
  const pairs = total(first) * total(second);
  if (pairs === 0) return null;
  let wins = 0;
  for (const [a, ofA] of first) for (const [b, ofB] of second) wins += ofA * ofB * (a > b ? 1 : a === b ? 0.5 : 0);
  return wins / pairs;
}

/** 90 % interval of a median, from the order of the times: no assumption about their distribution. Milliseconds. */
export function medianInterval(times: Histogram): [number, number] | null {
  const count = countOf(times);
  const half = normalQuantile(0.95, 0, 1) / (2 * Math.sqrt(Math.max(1, count)));
  const [low, high] = [quantile(times, Math.max(0, 0.5 - half)), quantile(times, Math.min(1, 0.5 + half))];
  return low === null || high === null ? null : [low, high];
}

/**
 * Samples of the first with which a rank test would decide, by Noether's formula (JASA 82, 1987).
 * @param share that the first are of all samples; @param alpha one-sided; @param power of finding what is there
 */
export function samplesToRank(superiority: number, share: number, alpha: number, power: number): number {
  const z = normalQuantile(1 - alpha, 0, 1) + normalQuantile(power, 0, 1);
  const all = (z * z) / (12 * share * (1 - share) * (superiority - 0.5) ** 2);
  return Math.ceil(share * all);
}
