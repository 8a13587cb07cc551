/** What the journal of a run tells of each of its steps. Pure. */
import { z } from "zod";
import type { Manifest } from "../backup/manifest.js";
import { backupOutcomeSchema } from "../backup/model.js";
import { sendOutcomeSchema } from "../repository/model.js";
import { restoreOutcomeSchema } from "../restore/model.js";
import type { JournalEvent, Phase } from "../runtime/journal.js";
import type { BackupResult, GateResult, Receipt, Sessions } from "./model.js";
import { seconds } from "./spans.js";

/** Tag of a revision. */
export type TagOf = (revision: string) => string;

const gateDone = z.object({
  rounds: z.number(),
  tookMs: z.number(),
  // Absent in what an older program wrote.
  probes: z.number().nullable().default(null),
  latency: z.record(z.string(), z.object({ p50: z.number(), p99: z.number() })).default({}),
  collections: z.record(z.string(), z.object({ status: z.string(), count: z.number() })).default({}),
});

/** @param began milliseconds since 1970 */
export function gatesOf(events: readonly JournalEvent[], began: number, tagOf: TagOf): GateResult[] {
  const gates: GateResult[] = [];
  let startedAt = 0;
  for (const { phase, event, data, message, time } of events) {
    const revision = text(data, "revision");
    if (phase !== "gate") continue;
    if (event === "start") {
      startedAt = Date.parse(time);
      gates.push({ revision, tag: tagOf(revision), passed: null, reason: "it did not come to its end", seconds: 0, rounds: null, probes: null, latency: {}, collections: {}, seen: [] });
    }
    const gate = gates.at(-1);
    if (gate === undefined) continue;
    gate.seconds = seconds(Math.max(0, Date.parse(time) - startedAt));
    if (event === "progress" && gate.seen.at(-1)?.words !== message) gate.seen.push({ at: seconds(Math.max(0, Date.parse(time) - began)), words: message });
    if (event === "failed") Object.assign(gate, { passed: false, reason: text(data, "why") || firstLine(message) });
    const done = event === "done" ? gateDone.safeParse(data).data : undefined;
    if (done === undefined) continue;
    const { tookMs, ...measured } = done;
    Object.assign(gate, { ...measured, passed: true, reason: "", seconds: seconds(tookMs) });
  }
  return gates;
}

/** @param moved whether traffic was moved to another release */
export function sessionsOf(events: readonly JournalEvent[], moved: boolean, tagOf: TagOf): Sessions {
  const told = events.filter(({ phase, event }) => phase === "sessions" && event === "info");
  const lost = told.find(({ data }) => text(data, "error") !== "");
  if (lost !== undefined) return { measured: false, why: firstLine(lost.message) };
  if (!moved) return { measured: false, why: "nobody was moved to another release" };
  const kept: Extract<Sessions, { measured: true }>["kept"] = [];
  const cut: Extract<Sessions, { measured: true }>["cut"] = [];
  for (const { data } of told) {
    const revision = text(data, "revision");
    const [open, ended, closed] = [number(data, "open"), number(data, "cut"), number(data, "closed")];
    if (closed !== null && closed > 0) cut.push({ revision, tag: tagOf(revision), count: closed, why: "closed, to connect again to what serves" });
    if (ended !== null && ended > 0) cut.push({ revision, tag: tagOf(revision), count: ended, why: "ended with the containers, which were removed" });
    if (open !== null && open > 0 && ended === null) kept.push({ revision, tag: tagOf(revision), count: open });
  }
  return { measured: true, kept, cut };
}

export function pausesOf(events: readonly JournalEvent[]): Receipt["pauses"] {
  return events.flatMap(({ data }) => {
    const ms = number(data, "pausedMs");
    return ms === null ? [] : [{ seconds: seconds(ms), closed: number(data, "closed") ?? 0, refused: number(data, "refused") }];
  });
}

/** A backup's manifest, and the SHA-256 of its file. */
export interface ReadManifest {
  manifest: Manifest;
  sha256: string;
}

/** @param manifestOf reads one by the backup's name; null where it cannot be read */
export function backupOf(events: readonly JournalEvent[], manifestOf: (name: string) => ReadManifest | null): BackupResult | null {
  const own = events.filter(({ phase }) => phase === "backup");
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined) return null;
  const nothing = { name: "", of: "", bytes: 0, files: 0, qdrantVersion: "", collections: [], proof: null, sha256: "", sent: null, seconds: seconds(Math.max(0, Date.parse(last.time) - Date.parse(first.time))) };
  if (last.event === "failed") return { ...nothing, reason: text(last.data, "why") || firstLine(last.message) };
  const outcome = backupOutcomeSchema.safeParse(last.data).data;
  if (last.event !== "done" || outcome === undefined) return { ...nothing, reason: "it did not come to its end" };
  const { backup, reason, bytes, files, qdrantVersion, collections, tookMs } = outcome;
  const read = backup === "" ? null : manifestOf(backup);
  const compared = (name: string): BackupResult["collections"][number]["compared"] => {
    const sampled = read?.manifest.qdrant?.collections[name]?.sampled ?? null;
    return sampled === null ? null : { points: sampled.points, queries: sampled.queries };
  };
  return {
    name: backup, reason, bytes, files, qdrantVersion, seconds: seconds(tookMs),
    of: read?.manifest.of?.tag ?? "",
    collections: Object.entries(collections).map(([name, points]) => ({ name, points, compared: compared(name) })),
    proof: read?.manifest.proof ?? null,
    sha256: read?.sha256 ?? "",
    sent: sentOf(events, backup),
  };
}

function sentOf(events: readonly JournalEvent[], backup: string): BackupResult["sent"] {
  const begun = events.some(({ phase, event, data }) => phase === "send" && event === "start" && text(data, "backup") === backup);
  if (backup === "" || !begun) return null;
  const last = lastOf(events, "send", "done");
  const outcome = sendOutcomeSchema.safeParse(last?.data).data;
  return last === undefined || outcome === undefined ? { done: false, words: "the process that sends it did not come to its end" } : { done: outcome.sent, words: outcome.sent ? last.message : outcome.problem };
}

export function restoredOf(events: readonly JournalEvent[]): Receipt["restored"] {
  const outcome = restoreOutcomeSchema.safeParse(lastOf(events, "restore", "done")?.data).data;
  if (outcome === undefined) return null;
  const { generation, from, files, bytes, collections } = outcome;
  return { generation, from, files, bytes, collections };
}

export const lastOf = (events: readonly JournalEvent[], phase: Phase, event: JournalEvent["event"]): JournalEvent | undefined =>
  events.findLast((one) => one.phase === phase && one.event === event);

/** "" where there is no such text. */
export function text(data: JournalEvent["data"], key: string): string {
  const value = data?.[key];
  return typeof value === "string" ? value : "";
}

export function number(data: JournalEvent["data"], key: string): number | null {
  const value = data?.[key];
  return typeof value === "number" ? value : null;
}

export const firstLine = (message: string): string => message.split("\n")[0] ?? "";
