/** What clients met, each counted once: so that none of them decides alone. Pure. */
import { classes, type Histogram, middleOf } from "../metrics/histogram.js";
import type { Clients, Side } from "./model.js";
import { type Count, fisher, rateOf } from "./rates.js";

/** Clients without which what was met may be their own doing. */
export const SEVERAL = 3;
/** By chance: less, and clients are worse off. */
export const WORSE = 0.05;

/** How often chance alone would let so many of the clients meet a failure, or more. */
export function pOfClients(canary: Count, stable: Count): number {
  return canary.failed < SEVERAL || rateOf(canary) <= rateOf(stable) ? 1 : fisher(canary, stable);
}

/** Whether more of the canary's clients met a failure than would where no more of its requests fail than is allowed. */
export function isWorseByClients(canary: Pick<Side, "requests" | "clients">, stable: Pick<Side, "clients">, allowed: number): boolean {
  const [a, b] = [canary, stable].map(({ clients }): Count => ({ failed: clients.failed, of: clients.all }));
  if (a === undefined || b === undefined || a.of === 0) return false;
  return rateOf(a) - rateOf(b) > (allowed * canary.requests) / a.of && pOfClients(a, b) <= WORSE;
}

/** @param slowest one time for each client. @param limit milliseconds */
export function clientsOver(slowest: Histogram, limit: number): number {
  return classes(slowest).reduce((sum, [at, count]) => (middleOf(at) > limit ? sum + count : sum), 0);
}

/** What is left out of the count; "" where nothing is. */
export function clientsInWords(canary: Clients, stable: Clients): string {
  const leftOut = canary.leftOut + stable.leftOut;
  return leftOut === 0 ? "" : `; ${leftOut} requests are left out, as no client counts for more than a fifth (${canary.all} clients of the canary, ${stable.all} of what serves)`;
}
