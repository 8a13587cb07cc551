/**
 * A pause of writes: pages are served, websockets and everything that changes something are refused. It is a lease in the
 * traffic table, so that a run that is killed need not be there to end it, and nobody goes on from one that is over.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { stackNames } from "../release/names.js";
import { docker, dockerCall } from "../runtime/docker.js";
import { errors } from "../runtime/errors.js";
import { demultiplex } from "../runtime/docker-exec.js";
import { applyTable, readLive, type ApplyOptions, type LiveTraffic } from "./live.js";
import { leaseEnd, revisionsOf, type TrafficTable } from "./model.js";
import { activeOnOldWorkers, closeSessions, endOnOldWorkers } from "./sessions.js";

export interface PauseOptions extends ApplyOptions {
  /** Milliseconds until it ends by itself. */
  leaseMs: number;
}

export interface Paused {
  /** Milliseconds since 1970, of this host's clock: nobody was refused before. */
  from: number;
  /** Websockets that were closed. */
  closed: number;
  /** Requests that were under way too long, and were ended. */
  ended: number;
}

/** Milliseconds that requests which came before the pause have to end by themselves. */
const SETTLE_MS = 10_000;
/** Milliseconds after which what was ended must be gone. */
const GONE_MS = 5000;
const POLL_MS = 50;
/** Milliseconds before its end from which on a pause is not gone on from: a renewal takes a moment. */
const RENEW_MS = 1000;

/** Milliseconds that a pause goes on; 0: none is, or it is over. Pure. */
export function pauseLeft({ frozenUntil }: Pick<TrafficTable, "frozenUntil">, now: number = Date.now()): number {
  return Math.max(0, (frozenUntil ?? 0) * 1000 - now);
}

/**
 * Pauses writes, and returns once those that were under way have ended.
 * @throws ReleaseError routeFailed; Error when they do not end
 */
export async function pauseWrites(stack: string, options: PauseOptions): Promise<Paused> {
  const live = await served(stack);
  const from = Date.now();
  await applyTable(stack, { ...live.table, frozenUntil: leaseEnd(options.leaseMs) }, { ...options, look: live.look });
  let closed = 0;
  const close = async (): Promise<number> => {
    for (const { revision } of revisionsOf(live.table)) closed += await closeSessions(stack, revision);
    return activeOnOldWorkers(stack);
  };
  if (await quiet(close, SETTLE_MS)) return { from, closed, ended: 0 };
  const ended = await endOnOldWorkers(stack);
  if (await quiet(close, GONE_MS)) return { from, closed, ended };
  throw new Error("requests that came before the pause of writes do not end");
}

/** Makes a pause last longer. @throws ReleaseError pauseOver */
export async function extendPause(stack: string, options: PauseOptions): Promise<void> {
  const { table, look } = await served(stack);
  assertPaused(table);
  await applyTable(stack, { ...table, frozenUntil: leaseEnd(options.leaseMs) }, { ...options, look });
}

/** Renews a pause while something else is done. */
export interface Keeper {
  /** Returns when it has let go of the front door. Who goes on from the pause makes sure that it still is one. */
  stop(): Promise<void>;
}

export function keepPaused(stack: string, options: PauseOptions): Keeper {
  const ending = new AbortController();
  const renew = async (): Promise<void> => {
    for (;;) {
      await sleep(options.leaseMs / 3, undefined, { signal: ending.signal });
      await extendPause(stack, options);
    }
  };
  // One that cannot be renewed runs out, which is seen at the end.
  const renewing = renew().catch(() => undefined);
  return {
    stop: async () => {
      ending.abort();
      await renewing;
    },
  };
}

/** Does something within a pause that others have begun, and that goes on after it. @throws ReleaseError pauseOver; then, and when it fails, users write on */
export async function whilePaused<T>(stack: string, options: PauseOptions, work: () => Promise<T>): Promise<T> {
  await extendPause(stack, options);
  const keeper = keepPaused(stack, options);
  try {
    const done = await work();
    await keeper.stop();
    await extendPause(stack, options);
    return done;
  } catch (error) {
    await keeper.stop();
    // If that fails as well, it ends by itself.
    await resumeWrites(stack, options).catch(() => undefined);
    throw error;
  }
}

/** Ends a pause that must have lasted until now. @throws ReleaseError pauseOver */
export async function endPause(stack: string, options: ApplyOptions): Promise<void> {
  const { table, look } = await served(stack);
  await applyTable(stack, withoutPause(table), { ...options, look });
  assertPaused(table);
}

/** @throws ReleaseError pauseOver unless writes are paused now, and for as long as it takes to make that longer */
export function assertPaused(table: TrafficTable): void {
  if (pauseLeft(table) <= RENEW_MS) {
    throw errors.pauseOver({ stack: table.stack });
  }
}

/** Ends a pause, if there is one. @returns whether there was */
export async function resumeWrites(stack: string, options: ApplyOptions): Promise<boolean> {
  const live = await readLive(stack);
  if (live === null || live.table.frozenUntil === undefined) {
    return false;
  }
  await applyTable(stack, withoutPause(live.table), { ...options, look: live.look });
  return true;
}

/** The same routes, with writes. Pure. */
export function withoutPause({ frozenUntil: _, ...table }: TrafficTable): TrafficTable {
  return table;
}

/** Milliseconds after which a log that says the same is taken to be all there, and for which it is waited. */
const LOG_LAG_MS = 200;
const LOG_WITHIN_MS = 3000;

/** Requests that were refused since a moment (milliseconds since 1970), when the pause is over: the log comes a moment late. */
export async function refusedInAll(stack: string, since: number): Promise<number> {
  const until = performance.now() + LOG_WITHIN_MS;
  for (let before = await refusedSince(stack, since); ; ) {
    await sleep(LOG_LAG_MS);
    const now = await refusedSince(stack, since);
    if (now === before || performance.now() > until) return now;
    before = now;
  }
}

/** The same as the proxy's log has them now: at least so many, as HAProxy gives up a line of it rather than wait. */
export async function refusedSince(stack: string, since: number): Promise<number> {
  const container = stackNames(stack).proxyContainer;
  const raw = await dockerCall(`read the log of ${container}`, () => docker().getContainer(container).logs({ stdout: true, stderr: false, follow: false, since: Math.floor(since / 1000) }));
  return countRefused(demultiplex(raw).toString("utf8"));
}

/** Pure. @param log lines of JSON, and others */
export function countRefused(log: string): number {
  return log.split("\n").filter((line) => /^\{.*"kind":"frozen"/.test(line)).length;
}

async function served(stack: string): Promise<LiveTraffic> {
  const live = await readLive(stack);
  if (live === null || live.digest === null) {
    throw new Error("the front door does not answer, so writes cannot be paused");
  }
  return live;
}

/** New workers refuse; what an old one took before goes on there. @returns false when it is not over in time */
async function quiet(active: () => Promise<number>, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  for (;;) {
    try {
      if ((await active()) === 0) return true;
    } catch (error) {
      // HAProxy's master is away for a moment while it takes up a new config.
      if (performance.now() > until) throw error;
    }
    if (performance.now() > until) return false;
    await sleep(POLL_MS);
  }
}
