/**
 * What users got, read from the proxy's log as Docker keeps it. All of HAProxy's workers write there, so a reload loses nothing, and
 * neither does a restart of the proxy. The log is bounded (three files of 10 MiB, some 90,000 requests): who wants more reads it in time.
 */
import { stackNames } from "../release/names.js";
import { dockerCallOrNull } from "../runtime/docker.js";
import { demultiplex } from "../runtime/docker-exec.js";
import { type ByClient, tallyByClient } from "./clients.js";
import { parseLines, tally } from "./log-line.js";
import type { TrafficByRevision } from "./traffic.js";

/** How far the log was read: the time of the last line, as Docker writes it, `2026-01-01T12:00:00.123456789Z`. */
export type Cursor = string;

export interface Read {
  traffic: TrafficByRevision;
  /** By revision and client. */
  clients: Readonly<Record<string, ByClient>>;
  cursor: Cursor;
}

export interface Fresh {
  texts: string[];
  cursor: Cursor;
}

/** Everything that ends from then on. @param ms milliseconds since 1970 */
export function cursorAt(ms: number): Cursor {
  return new Date(ms).toISOString().replace("Z", "000000Z");
}

/** Lines that are asked for at first. */
const FIRST_TAIL = 2000;
/** From so many on, all of them are. */
const LAST_TAIL = 128_000;
/** Milliseconds by which a cursor may be ahead: more, and the clock was set back. */
const AHEAD_MS = 5000;

/**
 * Counts what has ended since a cursor, and gives the next one.
 * @throws ReleaseError of Docker; a proxy that is not there has no traffic
 */
export async function readTraffic(stack: string, since: Cursor, now: number = Date.now()): Promise<Read> {
  const { texts, cursor } = await readFresh(stack, since, now);
  const lines = parseLines(texts);
  return { traffic: tally(lines), clients: tallyByClient(lines), cursor };
}

/** What the proxy said since a cursor, without Docker's times; and the next one. @throws as {@link readTraffic} */
export async function readFresh(stack: string, since: Cursor, now: number = Date.now()): Promise<Fresh> {
  const from = since > cursorAt(now + AHEAD_MS) ? cursorAt(now) : since;
  // Docker reads its log backwards if it is told how many lines, and all 30 MiB of it if not.
  for (let tail = FIRST_TAIL; ; tail *= 8) {
    const all = tail > LAST_TAIL;
    const lines = await linesSince(stack, from, all ? undefined : tail);
    if (all || lines.length < tail) return fresh(lines, from);
  }
}

async function linesSince(stack: string, cursor: Cursor, tail: number | undefined): Promise<string[]> {
  const since = `${Math.floor(Date.parse(cursor) / 1000)}.${cursor.slice(20, 29)}`;
  return (await logLines(stack, { since, ...(tail === undefined ? {} : { tail }) })) ?? [];
}

/**
 * The proxy's log as Docker keeps it, each line with its time before it.
 * @param which the last so many, or those since a moment (seconds since 1970, with a fraction)
 * @returns null where there is no proxy. @throws ReleaseError of Docker
 */
export async function logLines(stack: string, which: { since?: string; tail?: number }): Promise<string[] | null> {
  const container = stackNames(stack).proxyContainer;
  const raw = await dockerCallOrNull(`read the log of ${container}`, (client, abortSignal) =>
    client.getContainer(container).logs({ stdout: true, stderr: false, follow: false, timestamps: true, abortSignal, ...which }),
  );
  return raw === null ? null : demultiplex(raw).toString("utf8").split("\n").filter((line) => line !== "");
}

/** Pure. @param lines each with its time before it; what is not after the cursor was counted before */
export function fresh(lines: readonly string[], cursor: Cursor): Fresh {
  const after = lines.map(timed).filter(({ time }) => time > cursor);
  return { texts: after.map(({ text }) => text), cursor: after.reduce((latest, { time }) => (time > latest ? time : latest), cursor) };
}

/** A line's time and what it says; both "" for one that is cut. */
export function timed(line: string): { time: string; text: string } {
  const [, time = "", text = ""] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (.*)$/.exec(line) ?? [];
  return { time, text };
}
