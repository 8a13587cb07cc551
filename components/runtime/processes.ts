/** What a killed run leaves behind on this host: an engine's plugins and children outlive it, and would go on working. */
import { readdirSync, readFileSync } from "node:fs";
import { codeOf, EXIT, ReleaseError } from "./errors.js";
import { isAlive, readStat, startTimeOf, type ProcessIdentity } from "./liveness.js";

export interface FoundProcess extends ProcessIdentity {
  /** Its command line, cut to 200 characters. */
  command: string;
}

export interface EndOptions {
  /** Milliseconds between SIGTERM and SIGKILL. Default 5000. */
  graceMs?: number;
  /** Milliseconds from SIGKILL until it is an error that some are still there. Default 5000. */
  killMs?: number;
}

const POLL_MS = 50;

/** The environment that a run gives to all that it starts: what it leaves is known by it. `lock` tells whose `fence` it is. */
export interface RunEnv {
  run: string;
  /** Directory of the stack's lock. */
  lock: string;
  /** The number that the lock gave to the run. */
  fence: number;
}

/** Names in {@link runEnv}. */
export const RUN_VARIABLES = ["PBJRAG_RUN", "PBJRAG_LOCK", "PBJRAG_FENCE"] as const;

export function runEnv({ run, lock, fence }: RunEnv): Record<(typeof RUN_VARIABLES)[number], string> {
  return { PBJRAG_RUN: run, PBJRAG_LOCK: lock, PBJRAG_FENCE: String(fence) };
}

type Wanted = (env: ReadonlyMap<string, string>) => boolean;

const ofRun = (run: string): Wanted => (env) => env.get("PBJRAG_RUN") === run;

/**
 * Processes of this host whose environment has PBJRAG_RUN=`run`, but for this one and its ancestors.
 * Those of other users are seen by root only. Zombies are left out: they do nothing any more.
 */
export function findRun(run: string): FoundProcess[] {
  return find(ofRun(run));
}

/**
 * Ends them: SIGTERM, and SIGKILL after a while. Looks again until there are none, as they may start others meanwhile.
 * @returns those that were ended
 * @throws ReleaseError leftoversRemain
 */
export async function endRun(run: string, options: EndOptions = {}): Promise<FoundProcess[]> {
  return end(ofRun(run), options);
}

/**
 * The same for all runs that held this lock before: also for one whose successor was killed before it came to this.
 * @param fence the present holder's number
 */
export async function endFormerRuns({ lock, fence }: Omit<RunEnv, "run">, options: EndOptions = {}): Promise<FoundProcess[]> {
  return end((env) => env.get("PBJRAG_LOCK") === lock && Number(env.get("PBJRAG_FENCE")) < fence, options);
}

/** The same for those whose environment has a variable of that value. */
export async function endMarked(name: string, value: string, options: EndOptions = {}): Promise<FoundProcess[]> {
  return end((env) => env.get(name) === value, options);
}

function find(wanted: Wanted): FoundProcess[] {
  const spared = ancestry(process.pid);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => !spared.has(pid) && wanted(environmentOf(pid)))
    .map((pid) => ({ pid, startTime: startTimeOf(pid), command: read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim().slice(0, 200) }))
    .filter((found) => found.startTime !== null && isAlive(found));
}

function environmentOf(pid: number): Map<string, string> {
  return new Map(read(`/proc/${pid}/environ`).split("\0").map((item) => {
    const cut = item.indexOf("=");
    return [item.slice(0, cut), item.slice(cut + 1)];
  }));
}

async function end(wanted: Wanted, options: EndOptions): Promise<FoundProcess[]> {
  const killAt = performance.now() + (options.graceMs ?? 5000);
  const giveUpAt = killAt + (options.killMs ?? 5000);
  const ended = new Map<string, FoundProcess>();
  const asked = new Set<string>();
  for (;;) {
    const found = find(wanted);
    if (found.length === 0) {
      return [...ended.values()];
    }
    const now = performance.now();
    if (now >= giveUpAt) {
      throw leftoversRemain(found);
    }
    for (const one of found) {
      const key = `${one.pid} ${one.startTime}`;
      ended.set(key, one);
      if (now >= killAt) {
        signal(one, "SIGKILL");
      } else if (!asked.has(key)) {
        asked.add(key);
        signal(one, "SIGTERM");
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function leftoversRemain(found: readonly FoundProcess[]): ReleaseError {
  return new ReleaseError({
    code: "leftoversRemain",
    exitCode: EXIT.refused,
    what: "Processes of a killed run are still there",
    why: "they did not end after SIGKILL, or belong to another user",
    next: "end them as the user that they belong to, then run again",
    lines: found.map((one) => `pid ${one.pid}: ${one.command}`),
  });
}

/** The number may have been given to another process since: the start time tells. */
function signal(found: FoundProcess, name: NodeJS.Signals): void {
  if (!isAlive(found)) {
    return;
  }
  try {
    process.kill(found.pid, name);
  } catch (error) {
    // It ended just now (ESRCH), or it is not ours to end (EPERM): then the deadline reports it.
    if (codeOf(error) !== "ESRCH" && codeOf(error) !== "EPERM") {
      throw error;
    }
  }
}

function ancestry(pid: number): Set<number> {
  const result = new Set<number>();
  for (let at = pid; at > 0 && !result.has(at); at = readStat(at)?.parent ?? 0) {
    result.add(at);
  }
  return result;
}

/** "" for a process that ended meanwhile, or that is not ours to look into. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
