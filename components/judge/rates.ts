/** Shares of what failed, compared: exact tests on counts, and intervals. Pure; distributions are a library's. */
import binomialCdf from "@stdlib/stats-base-dists-binomial-cdf";
import hypergeometricCdf from "@stdlib/stats-base-dists-hypergeometric-cdf";
import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";

/** So many of so many. */
export interface Count {
  failed: number;
  of: number;
}

/** Of intervals: 5 % of chance on either side. */
const Z = normalQuantile(0.95, 0, 1);

export function rateOf({ failed, of }: Count): number {
  return of === 0 ? 0 : failed / of;
}

/** Fisher's exact test, one-sided: how often chance alone would give the first so many of the failures, or more. */
export function fisher(first: Count, second: Count): number {
  const all = first.failed + second.failed;
  if (first.failed === 0 || first.of === 0 || second.of === 0) return 1;
  // Counted from the other side: what is close to 0 must not come out as a difference of two numbers close to 1.
  return hypergeometricCdf(second.failed, first.of + second.of, all, second.of);
}

/** How often at least so many of so many happen that each happen with this probability. */
export function atLeast({ failed, of }: Count, probability: number): number {
  // The same care as above.
  return failed === 0 ? 1 : binomialCdf(of - failed, of, 1 - probability);
}

/** Wilson's score interval of a rate. */
function wilson(count: Count): [low: number, high: number] {
  if (count.of === 0) return [0, 1];
  const [rate, z2] = [rateOf(count), Z * Z];
  const center = (rate + z2 / (2 * count.of)) / (1 + z2 / count.of);
  const half = (Z * Math.sqrt((rate * (1 - rate)) / count.of + z2 / (4 * count.of * count.of))) / (1 + z2 / count.of);
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10) of the first rate minus the second. */
export function difference(first: Count, second: Count): [low: number, high: number] {
  const [a, b] = [rateOf(first), rateOf(second)];
  const [[lowA, highA], [lowB, highB]] = [wilson(first), wilson(second)];
  return [a - b - Math.hypot(a - lowA, highB - b), a - b + Math.hypot(highA - a, b - lowB)];
}
