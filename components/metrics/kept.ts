/**
 * What was measured, kept in one file of a bounded size: sums since the measuring began, and a series of slots, the newest of which are as
 * they were measured. Everything but reading and writing is pure.
 */
import { join } from "node:path";
import { z } from "zod";
import type { DataPaths } from "../runtime/paths.js";
import { readJson, writeWhole } from "../runtime/whole-file.js";
import { addByClient, type ByClient, weightiest } from "./clients.js";
import type { Look } from "./look.js";
import { memoryShare } from "./resources.js";
import { addByRevision, type TrafficByRevision } from "./traffic.js";

const count = z.number().min(0);
const traffic = z.object({
  requests: count, errors: count, left: count, socketsEnded: count, socketsFailed: count,
  // Not counted before there were parts.
  partsLent: count.default(0), partsMissing: count.default(0),
  latency: z.record(z.string().regex(/^\d+$/), count),
});
const numbers = z.record(z.string(), z.number());

const slot = z.object({
  /** Milliseconds since 1970: after the first, up to and with the second. */
  from: z.number(), to: z.number(),
  traffic: z.record(z.string(), traffic),
  /** Of it, what the clients got that could decide anything alone, by revision; absent where clients were not told apart. */
  clients: z.record(z.string(), z.record(z.string(), traffic)).optional(),
  /** Open sessions, by revision: the most. */
  open: numbers,
  /** Share of its limit, by revision: of the container nearest to it, the most. From 0 to 1. */
  memory: numbers,
  /** Cores in use, by revision: the mean. */
  cores: numbers,
  /** Rounds of health checks that failed, and why the last of them did. */
  failed: count, reason: z.string(),
  /** Lines of the app's log that tell of an error. */
  logErrors: count,
});

const kept = z.object({
  schema: z.literal(1),
  /** How far the proxy's log was read: see traffic-log.ts. */
  cursor: z.string(),
  /** Milliseconds since 1970. */
  since: z.number(), at: z.number(),
  totals: z.record(z.string(), traffic),
  /** Seconds of CPU, by container, at the last look. */
  cpuSeconds: numbers,
  slots: z.array(slot),
});

export type Slot = z.output<typeof slot>;
export type Kept = z.output<typeof kept>;

/** Slots that are kept; at one each ten seconds the newest hour is as it was measured. */
export const SLOTS = 720;
/** Revisions whose sums are kept. */
const REVISIONS = 8;

/** Nothing measured yet. */
export function nothingKept(now: number, cursor: string): Kept {
  return { schema: 1, cursor, since: now, at: now, totals: {}, cpuSeconds: {}, slots: [] };
}

/** What else a watch has seen in a slot. */
export type Seen = Pick<Slot, "failed" | "reason" | "logErrors">;

/** The kept with one more look at `now`. */
export function keep(before: Kept, look: Look, now: number, seen: Seen = { failed: 0, reason: "", logErrors: 0 }): Kept {
  const to = Math.max(now, before.at + 1);
  const revisions = [...new Set(look.uses.filter(({ role }) => role === "app").map(({ revision }) => revision))];
  const memory = revisions.flatMap((revision): [string, number][] => [[revision, memoryShare(look.uses, revision) ?? 0]]);
  const next: Slot = { from: before.at, to, traffic: clone(look.traffic), ...(look.clients === undefined ? {} : { clients: weightiestOf(look.clients) }), open: look.open, memory: Object.fromEntries(memory), cores: coresOf(before, look, to), ...seen };
  return {
    schema: 1, cursor: look.cursor, since: before.since, at: to,
    totals: newest(clone(addByRevision([before.totals, look.traffic])), look),
    cpuSeconds: Object.fromEntries(look.uses.map(({ container, cpuSeconds }) => [container, cpuSeconds])),
    slots: bounded([...before.slots, next]),
  };
}

/** The wall clock was set by so many milliseconds: what was measured stays as far back as it was. */
export function shiftedKept(kept: Kept, ms: number): Kept {
  return { ...kept, since: kept.since + ms, at: kept.at + ms, slots: kept.slots.map((one) => ({ ...one, from: one.from + ms, to: one.to + ms })) };
}

function clone(all: TrafficByRevision): Kept["totals"] {
  return Object.fromEntries(Object.entries(all).map(([revision, one]) => [revision, { ...one, latency: { ...one.latency } }]));
}

function weightiestOf(clients: Readonly<Record<string, ByClient>>): NonNullable<Slot["clients"]> {
  return Object.fromEntries(Object.entries(clients).map(([revision, all]) => [revision, clone(weightiest(all))]));
}

/** The clients of two neighbours; where one of them does not tell, nothing is known of both. */
function joined(a: Slot["clients"], b: Slot["clients"]): Pick<Slot, "clients"> {
  if (a === undefined || b === undefined) return {};
  const revisions = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return { clients: weightiestOf(Object.fromEntries(revisions.map((revision) => [revision, addByClient([a[revision] ?? {}, b[revision] ?? {}])]))) };
}

/** A container that was started meanwhile counts from its start. */
function coresOf(before: Kept, { uses }: Look, to: number): Record<string, number> {
  const seconds = Math.max(1, to - before.at) / 1000;
  const cores: Record<string, number> = {};
  for (const { container, revision, role, cpuSeconds } of uses) {
    const last = before.cpuSeconds[container] ?? cpuSeconds;
    const used = cpuSeconds >= last ? cpuSeconds - last : cpuSeconds;
    if (role === "app") cores[revision] = (cores[revision] ?? 0) + used / seconds;
  }
  return cores;
}

/** Those with containers stay, and of the others the newest: sums are in the order in which revisions came. */
function newest(totals: Kept["totals"], { uses }: Look): Kept["totals"] {
  const all = Object.entries(totals);
  const running = all.filter(([revision]) => uses.some((use) => use.revision === revision));
  const gone = all.filter(([revision]) => !uses.some((use) => use.revision === revision));
  return Object.fromEntries([...gone.slice(-Math.max(1, REVISIONS - running.length)), ...running]);
}

/** The older half becomes coarser when there are too many. */
export function bounded(slots: readonly Slot[], most: number = SLOTS): Slot[] {
  if (slots.length <= most) return [...slots];
  const half = Math.floor(most / 2);
  const old = slots.slice(0, half);
  const joined = old.flatMap((one, at) => (at % 2 === 1 ? [inOne(old[at - 1] ?? one, one)] : at === old.length - 1 ? [one] : []));
  return [...joined, ...slots.slice(half)];
}

/** At most so many, each of as many neighbours in one. */
export function coarser(slots: readonly Slot[], most: number): Slot[] {
  const size = Math.max(1, Math.ceil(slots.length / most));
  return Array.from({ length: Math.ceil(slots.length / size) }, (_, at) => slots.slice(at * size, (at + 1) * size).reduce(inOne));
}

function inOne(a: Slot, b: Slot): Slot {
  const [inA, inB] = [a.to - a.from, b.to - b.from];
  const each = (x: Record<string, number>, y: Record<string, number>, how: (p: number, q: number) => number): Record<string, number> =>
    Object.fromEntries([...new Set([...Object.keys(x), ...Object.keys(y)])].map((key) => [key, how(x[key] ?? 0, y[key] ?? 0)]));
  return {
    from: a.from, to: b.to, traffic: clone(addByRevision([a.traffic, b.traffic])), ...joined(a.clients, b.clients), open: each(a.open, b.open, Math.max), memory: each(a.memory, b.memory, Math.max),
    cores: each(a.cores, b.cores, (x, y) => (x * inA + y * inB) / (inA + inB)),
    failed: a.failed + b.failed, reason: b.reason === "" ? a.reason : b.reason, logErrors: a.logErrors + b.logErrors,
  };
}

const fileOf = (paths: DataPaths): string => join(paths.run, "metrics.json");

/** Null when there is none, or it is damaged: then measuring begins anew. */
export function readKept(paths: DataPaths): Kept | null {
  return readJson(fileOf(paths), kept);
}

/** What another process has measured since is not put back. */
export function writeKept(paths: DataPaths, now: Kept): void {
  const there = readKept(paths);
  if (there === null || there.cursor <= now.cursor) writeWhole(fileOf(paths), JSON.stringify(now));
}
