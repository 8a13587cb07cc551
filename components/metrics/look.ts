/** One look at everything that is measured of a stack. */
import { stackNames } from "../release/names.js";
import { generationOf, type TrafficTable } from "../traffic/model.js";
import { openSessions } from "../traffic/sessions.js";
import type { ByClient } from "./clients.js";
import { type Kept, keep, nothingKept, readKept, type Seen, shiftedKept, writeKept } from "./kept.js";
import { qdrantNumbers } from "./qdrant.js";
import { type ContainerUse, resourceUse } from "./resources.js";
import type { TrafficByRevision } from "./traffic.js";
import { type Cursor, cursorAt, readTraffic } from "./traffic-log.js";
import type { DataPaths } from "../runtime/paths.js";

export interface Look {
  /** Since the cursor that was looked from. */
  traffic: TrafficByRevision;
  /** The same by revision and client; absent where it was not told apart. */
  clients?: Readonly<Record<string, ByClient>>;
  cursor: Cursor;
  uses: readonly ContainerUse[];
  /** Open sessions by revision. */
  open: Record<string, number>;
  /** What Qdrant tells of itself; empty where it does not. */
  qdrant: Record<string, number>;
}

/** @throws ReleaseError of Docker; Error when the proxy runs and its master does not answer */
export async function lookAround(stack: string, table: TrafficTable, since: Cursor): Promise<Look> {
  const { serving } = table;
  const qdrant = serving === null ? Promise.resolve({}) : qdrantNumbers(stackNames(stack).qdrantContainer(generationOf(serving)));
  const [read, uses, sessions, numbers] = await Promise.all([readTraffic(stack, since), resourceUse(stack), openSessions(stack), qdrant]);
  return { ...read, uses, open: sessions.byRevision, qdrant: numbers };
}

export interface MeasureOptions {
  /** What else was seen, looked at while the rest is. */
  seen?: Promise<Seen>;
  /** Milliseconds by which the wall clock was set since the last look. */
  clockSetBy?: number;
}

/** Looks, and keeps what was seen. @throws as {@link lookAround} */
export async function measure(paths: DataPaths, table: TrafficTable, { seen, clockSetBy = 0 }: MeasureOptions = {}): Promise<{ kept: Kept; look: Look }> {
  const now = Date.now();
  const before = shiftedKept(readKept(paths) ?? nothingKept(now, cursorAt(now)), clockSetBy);
  const [look, also] = await Promise.all([lookAround(paths.stack, table, before.cursor), seen]);
  const kept = keep(before, look, now, also);
  writeKept(paths, kept);
  return { kept, look };
}
