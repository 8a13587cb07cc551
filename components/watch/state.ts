/** What a watch must know to be gone on with: one small file for each stack. */
import { join } from "node:path";
import { z } from "zod";
import { isAlive, thisHost, thisProcess } from "../runtime/liveness.js";
import type { DataPaths } from "../runtime/paths.js";
import { readJson, writeWhole } from "../runtime/whole-file.js";
import { RULES } from "./judge.js";

const target = z.object({
  revision: z.string(), tag: z.string(),
  containers: z.array(z.string()).min(1), port: z.number(), healthPath: z.string(),
  /** "": the app has no script. */
  scriptPath: z.string(),
  /** Milliseconds. */
  requestTimeoutMs: z.number(),
});

const finding = z.object({ rule: z.enum(RULES), action: z.enum(["rollback", "freeze", "alert"]), what: z.string() });

const state = z.object({
  schema: z.literal(1),
  /** Of the process that goes on with it. */
  id: z.string(), host: z.string(), bootId: z.string(), pid: z.number(), startTime: z.number().nullable(),
  target,
  /** Milliseconds since 1970, of the wall clock. */
  startedAt: z.number(), endsAt: z.number(),
  /** `watching` of a process that is gone means that it was killed. */
  state: z.enum(["watching", "interrupted", "ended"]),
  /** How it ended, in words and as exit code; before: "" and null. */
  ending: z.string(), exitCode: z.literal([0, 2, 3, 4, 5, 6, 130]).nullable(),
  /** Rules that were met at the last look. */
  met: z.array(finding),
  /** All that were ever met, oldest first. */
  history: z.array(finding.extend({ at: z.string() })),
});

export type WatchTarget = z.output<typeof target>;
export type WatchState = z.output<typeof state>;

/** Entries of the history that are kept. */
const HISTORY = 100;

export function newWatch(id: string, of: WatchTarget, now: number, forMs: number): WatchState {
  return { schema: 1, id, ...thisHost(), ...thisProcess(), target: of, startedAt: now, endsAt: now + forMs, state: "watching", ending: "", exitCode: null, met: [], history: [] };
}

/** The same watch in this process. */
export function goneOnWith(before: WatchState, id: string): WatchState {
  return { ...before, id, ...thisHost(), ...thisProcess(), state: "watching", ending: "", exitCode: null, met: [] };
}

/** A watch that was begun, has time left and is nobody's any more, of what serves now. Pure but for the look at the process. */
export function canGoOn(found: WatchState | null, revision: string, now: number): found is WatchState {
  return found !== null && found.target.revision === revision && found.state !== "ended" && found.endsAt > now && !isWatching(found);
}

export function isWatching({ state: how, host, bootId, pid, startTime }: WatchState): boolean {
  const self = thisHost();
  return how === "watching" && host === self.host && bootId === self.bootId && isAlive({ pid, startTime });
}

/** With the rules that are met now. @returns it, and those of them that were not met before */
export function withMet(before: WatchState, met: WatchState["met"], at: string): { state: WatchState; fresh: WatchState["met"] } {
  const fresh = met.filter(({ rule }) => !before.met.some((one) => one.rule === rule));
  return { state: { ...before, met, history: [...before.history, ...fresh.map((one) => ({ ...one, at }))].slice(-HISTORY) }, fresh };
}

/** The wall clock was set by so much while it ran: nothing of the watch becomes shorter or longer by that. */
export function shifted(before: WatchState, ms: number): WatchState {
  return { ...before, startedAt: before.startedAt + ms, endsAt: before.endsAt + ms };
}

const fileOf = (paths: DataPaths): string => join(paths.run, "watch.json");

/** Null when there was none, or the file is damaged. */
export function readWatch(paths: DataPaths): WatchState | null {
  return readJson(fileOf(paths), state);
}

export function writeWatch(paths: DataPaths, now: WatchState): void {
  writeWhole(fileOf(paths), JSON.stringify(now));
}
