import { readdirSync, readFileSync } from "node:fs";
import { hostname, uptime } from "node:os";
import path from "node:path";
import { errors } from "../../components/runtime/errors.js";
import { isAlive, startTimeOf } from "../../components/runtime/liveness.js";
import { localBackend } from "./local-state.js";
import type { Workspace } from "./workspace.js";

export interface EngineLock {
  pid: number;
  since: string;
  alive: boolean;
}

/**
 * Pulumi's own lock on the stack, for a backend of local files; null where there is none, or the backend keeps its
 * own. `pulumi cancel` deletes any lock, a live one too: so we look who holds it first.
 */
export function engineLock(ws: Workspace): EngineLock | null {
  const root = localBackend(ws);
  if (root === null) return null;
  const dir = path.join(root, "locks/organization/pbjrag", ws.stack);
  const locks = readNames(dir).flatMap((name) => readLock(path.join(dir, name)));
  return locks.find((lock) => lock.alive) ?? locks[0] ?? null;
}

/**
 * The same, but for one that is held now.
 * @throws ReleaseError `lockHeld` while a pulumi of somebody else works on the stack
 */
export function abandonedEngineLock(ws: Workspace): EngineLock | null {
  const held = engineLock(ws);
  if (held?.alive !== true) return held;
  throw errors.lockHeld({ stack: ws.stack, holder: `a pulumi that these scripts did not start (pid ${held.pid}) updates it since ${held.since}` });
}

function readNames(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

function readLock(file: string): EngineLock[] {
  try {
    const lock = JSON.parse(readFileSync(file, "utf8")) as { pid: number; hostname: string; timestamp: string };
    const here = lock.hostname === hostname();
    return [{ pid: lock.pid, since: lock.timestamp, alive: !here || holds(lock.pid, Date.parse(lock.timestamp)) }];
  } catch {
    // Gone while we read it, or cut by a full disk: then nobody can hold it.
    return [];
  }
}

const ticksPerSecond = 100;

/** Commands of pulumi that take the lock. */
const LOCKING = ["up", "update", "destroy", "down", "refresh", "import", "stack", "state"];

/**
 * The process lives and may be the one that took the lock: it is old enough, or does what takes one. A later one was only given the same
 * number; its age alone does not tell that, as a clock that was set forward makes every process look later than the lock.
 */
function holds(pid: number, takenAt: number): boolean {
  if (!isAlive({ pid, startTime: null })) return false;
  const ticks = startTimeOf(pid);
  if (ticks === null || Number.isNaN(takenAt)) return true;
  const bootedAt = Date.now() - uptime() * 1000;
  return bootedAt + (ticks / ticksPerSecond) * 1000 <= takenAt + 2000 || argumentsOf(pid).some((word) => LOCKING.includes(word));
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It ended just now.
    return [];
  }
}
