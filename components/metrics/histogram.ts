/**
 * Times, counted in classes of which each is 5 % wider than the one below: what is kept stays small however many there are, two
 * histograms add up exactly, and a quantile is right to 2.5 %. Pure.
 */

/** How many times fell into each class; milliseconds. */
export type Histogram = Readonly<Record<number, number>>;

const GROWTH = 1.05;
/** Milliseconds: what took longer than a day is counted as a day. */
const LONGEST = 24 * 3_600_000;

/** Class of a time: 0 for a millisecond or less. */
export function classOf(ms: number): number {
  return ms <= 1 ? 0 : Math.ceil(Math.log(Math.min(ms, LONGEST)) / Math.log(GROWTH) - 1e-9);
}

/** Milliseconds up to which (inclusive) a class reaches. */
export function upperOf(at: number): number {
  return GROWTH ** at;
}

/** The times of a class are taken to be this many milliseconds: at most 2.5 % off. */
export function middleOf(at: number): number {
  return at === 0 ? 1 : GROWTH ** (at - 0.5);
}

export function histogramOf(times: readonly number[]): Histogram {
  const counts: Record<number, number> = {};
  for (const ms of times) {
    const at = classOf(ms);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

export function addHistograms(all: readonly Histogram[]): Histogram {
  const counts: Record<number, number> = {};
  for (const [at, count] of all.flatMap(classes)) {
    counts[at] = (counts[at] ?? 0) + count;
  }
  return counts;
}

export function countOf(histogram: Histogram): number {
  return classes(histogram).reduce((sum, [, count]) => sum + count, 0);
}

/** The nearest rank's time, in milliseconds; null where nothing was counted. @param share from 0 to 1 */
export function quantile(histogram: Histogram, share: number): number | null {
  let left = Math.max(1, Math.ceil(share * countOf(histogram) - 1e-9));
  for (const [at, count] of classes(histogram)) {
    left -= count;
    if (left <= 0) return middleOf(at);
  }
  return null;
}

/** One number for each time counted, ascending: for tests that rank them. Those of one class are ties. */
export function samplesOf(histogram: Histogram): number[] {
  return classes(histogram).flatMap(([at, count]) => Array.from({ length: count }, () => middleOf(at)));
}

/** Ascending. */
export function classes(histogram: Histogram): [at: number, count: number][] {
  return Object.entries(histogram).map(([at, count]): [number, number] => [Number(at), count]).sort(([a], [b]) => a - b);
}
