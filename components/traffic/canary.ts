/** The share of the users that a canary has at the live front door. How much is its judge's affair, not the route's. */
import { applyTable, type ApplyOptions, readLive } from "./live.js";
import { leaseEnd, type TrafficCanary, type TrafficTable } from "./model.js";

export interface Share {
  /** Percent of new users; 0: none, and those that it has leave with their next request. */
  weight: number;
  /** Milliseconds until it ends by itself; null: it lasts. */
  leaseMs: number | null;
}

/**
 * Gives a canary its share.
 * @throws ReleaseError routeFailed; Error where the front door knows no such canary
 */
export async function setShare(stack: string, revision: string, { weight, leaseMs }: Share, options: ApplyOptions): Promise<void> {
  const live = await readLive(stack);
  const canary = live?.table.canary;
  if (live === null || canary?.revision.revision !== revision) throw new Error(`the front door knows no canary ${revision}`);
  await applyTable(stack, { ...live.table, canary: shareOf(canary, { weight, leaseMs }) }, { ...options, look: live.look });
}

function shareOf({ revision }: TrafficCanary, { weight, leaseMs }: Share): TrafficCanary {
  return { revision, weight, ...(leaseMs === null ? {} : { until: leaseEnd(leaseMs) }) };
}

/**
 * Takes its share from a canary that was being judged by a run that is gone. One that holds its share, as a person wants it, keeps it.
 * @returns its tag; null: there was none
 */
export async function endAbandoned(stack: string, options: ApplyOptions): Promise<string | null> {
  const live = await readLive(stack);
  const canary = live?.table.canary;
  if (live === null || canary === undefined || canary.weight === 0 || canary.until === undefined) return null;
  await applyTable(stack, { ...live.table, canary: shareOf(canary, { weight: 0, leaseMs: null }) }, { ...options, look: live.look });
  return canary.revision.tag;
}

/** The wanted routes with the share that this very canary has at the front door. Pure. */
export function withShareOf(live: TrafficTable | null, wanted: TrafficTable): TrafficTable {
  const now = live?.canary;
  if (wanted.canary === undefined || now?.revision.revision !== wanted.canary.revision.revision) return wanted;
  const { until } = now;
  return { ...wanted, canary: { ...wanted.canary, weight: now.weight, ...(until === undefined ? {} : { until }) } };
}

/** The same routes for all but a canary. Pure. */
export function withoutCanary({ canary: _, ...table }: TrafficTable): TrafficTable {
  return table;
}
