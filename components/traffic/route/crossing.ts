/** Moving traffic to other data: nobody may write to the old any more, and what only the old has is told. */
import { connectTo, countAll } from "../../qdrant/connect.js";
import { under } from "../../qdrant/named.js";
import type { HeldPause } from "../../backup/model.js";
import { errors, messageOf } from "../../runtime/errors.js";
import type { Journal } from "../../runtime/journal.js";
import { extendPause, pauseWrites, type Paused, refusedInAll, resumeWrites } from "../freeze.js";
import { pauseInWords } from "../pause-words.js";
import { generationOf, type TrafficTable } from "../model.js";

/** The data that is left. */
export interface Leaving {
  /** Container of its Qdrant. */
  qdrant: string;
  generation: string;
  /** The backup that this update made of it; "" where none was made. */
  backup: string;
  /** Points of each collection in that backup. */
  counts: Record<string, number>;
  /** Writes are paused since that backup, and the new data is made from it; null: they are not. */
  paused: HeldPause | null;
}

/** Milliseconds: moving takes a fraction of a second, and a run that is killed leaves users without writes for the rest. */
const LEASE_MS = 60_000;

/** Whether users who are somewhere are moved to other data. Pure. */
export function crosses(before: TrafficTable | null, after: TrafficTable): boolean {
  const [from, to] = [before?.serving ?? null, after.serving];
  return from !== null && to !== null && generationOf(from) !== generationOf(to);
}

/**
 * Pauses writes and closes the sessions of the release that is left, moves, and tells how long that took and what was refused.
 * Where the move fails, users write on to where they were.
 * @throws ReleaseError pauseOver, writtenMeanwhile where the new data is made from what was left just before
 */
export async function cross<T>(stack: string, leaving: Leaving | undefined, journal: Journal, holds: () => void, move: () => Promise<T>): Promise<T> {
  const options = { assertHolds: holds, leaseMs: LEASE_MS };
  const held = leaving?.paused ?? null;
  try {
    const began = Date.now();
    if (held !== null) await extendPause(stack, options);
    const paused = await pauseWrites(stack, options);
    if (leaving !== undefined) await tellWritten(leaving, journal);
    const moved = await move();
    const whole = held === null ? paused : { ...paused, from: held.from, closed: paused.closed + held.closed };
    await tellPause(stack, whole, Date.now() - (held?.from ?? began), journal);
    return moved;
  } catch (error) {
    await resumeWrites(stack, options).catch((failure: unknown) => {
      journal.write({ phase: "route", event: "info", message: `the pause of writes ends by itself, as it could not be ended: ${messageOf(failure)}` });
    });
    throw error;
  }
}

/** The final count: nobody writes any more. What was written past the front door must not be left behind unasked. */
async function tellWritten(leaving: Leaving, journal: Journal): Promise<void> {
  const { generation, backup, counts, paused } = leaving;
  const now = await countLeft(leaving, journal);
  if (now === null) return;
  const changed = differences(counts, now);
  if (paused !== null && changed.length > 0) throw errors.writtenMeanwhile({ changed });
  const since = backup === "" ? "" : ` since backup ${backup}`;
  const message = changed.length === 0 ? `data generation ${generation} has as many points as its backup ${backup}` : `only in data generation ${generation}${since}: ${changed.join(", ")}`;
  journal.write({ phase: "route", event: "info", message, data: { generation, backup, counts, now } });
}

/** Null where it cannot be done, and nothing hangs on it. */
async function countLeft({ qdrant, generation, paused }: Leaving, journal: Journal): Promise<Record<string, number> | null> {
  try {
    return await countAll(await connectTo(qdrant));
  } catch (error) {
    if (paused !== null) throw error;
    journal.write({ phase: "route", event: "info", message: `the points that are left could not be counted: ${messageOf(error)}`, data: { generation } });
    return null;
  }
}

/** In words; nothing where both are the same. Pure. */
export function differences(then: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    const [before, after] = [under(then, name), under(now, name)];
    if (before === after) return [];
    return [after === undefined ? `collection ${name} is gone` : `collection ${name}: ${after} points${before === undefined ? "" : ` instead of ${before}`}`];
  });
}

async function tellPause(stack: string, { from, closed, ended }: Paused, tookMs: number, journal: Journal): Promise<void> {
  const refused = await refusedInAll(stack, from).catch(() => null);
  const cut = ended === 0 ? "" : `, ${ended} requests that did not end were ended`;
  const message = `${pauseInWords(tookMs, closed, refused)}${cut}`;
  journal.write({ phase: "route", event: "info", message, data: { pausedMs: tookMs, closed, refused, ended } });
}
