/** How much traffic it takes to tell. Pure. */
import binomialCdf from "@stdlib/stats-base-dists-binomial-cdf";
import { type Count, difference, fisher, rateOf } from "./rates.js";

/** Beyond so many requests nobody waits. */
const MOST = 10_000_000;

/** The least whole number, from 1 to {@link MOST}, at which something is so that stays so; null: it never is. */
function least(holds: (n: number) => boolean): number | null {
  let high = 1;
  while (!holds(high)) {
    high *= 2;
    if (high > MOST) return null;
  }
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** What serves gets the rest of the users. @param weight percent of users that the canary gets */
const restOf = (requests: number, weight: number): number => Math.max(1, Math.round((requests * (100 - weight)) / weight));

/**
 * Requests that the canary must get to pass, if this share of those on either side fails.
 * @param allowed by how much its share of failures may be higher, from 0 to 1
 */
export function requestsToPass(allowed: number, weight: number, rate = 0): number | null {
  return least((of) => difference({ failed: of * rate, of }, { failed: restOf(of, weight) * rate, of: restOf(of, weight) })[1] <= allowed);
}

export interface Chance {
  /** Requests to the canary. */
  requests: number;
  weight: number;
  /** Share of its requests that fail, and by how much it may be higher than that of what serves: where none fails. */
  rate: number;
  allowed: number;
  /** Of a false alarm, at one look of one test. */
  alpha: number;
}

/** Probability that a canary, of whose requests such a share fails, is found out by its errors at one look. */
export function powerOf({ requests, weight, rate, allowed, alpha }: Chance): number {
  const rest = restOf(requests, weight);
  const found = (failed: number): boolean => failed / requests > allowed && fisher({ failed, of: requests }, { failed: 0, of: rest }) <= alpha;
  let enough = 0;
  while (enough <= requests && !found(enough)) enough += 1;
  return enough > requests ? 0 : enough === 0 ? 1 : 1 - binomialCdf(enough - 1, requests, rate);
}

/** Requests to the canary by which it is decided, should both go on as they did; null: no number decides. */
export function evidenceToDecide(canary: Count, stable: Count, allowed: number, alpha: number): number | null {
  if (canary.of === 0 || stable.of === 0) return requestsToPass(allowed, 50);
  const more = rateOf(canary) - rateOf(stable) > allowed;
  const at = (of: number, { failed, of: seen }: Count): Count => ({ failed: Math.round((failed * of) / seen), of });
  return least((of) => {
    const [ours, theirs] = [at(of, canary), at(Math.max(1, Math.round((of * stable.of) / canary.of)), stable)];
    return more ? fisher(ours, theirs) <= alpha : difference(ours, theirs)[1] <= allowed;
  });
}
