/** Whether a process of this host still runs, told apart from another one that got its number later. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { codeOf } from "./errors.js";

export interface ProcessIdentity {
  pid: number;
  /** Clock ticks from boot to its start (/proc/<pid>/stat, field 22); null where the system does not tell. */
  startTime: number | null;
}

export interface HostIdentity {
  host: string;
  /** Differs after each boot and between machines; "" where the system does not tell. */
  bootId: string;
}

export function thisHost(): HostIdentity {
  return { host: hostname(), bootId: readOr("/proc/sys/kernel/random/boot_id", "").trim() };
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, startTime: startTimeOf(process.pid) };
}

interface Stat {
  /** `R`, `S`, `Z`, … */
  state: string;
  parent: number;
  startTime: number;
}

/** Null: no such process, or it is not ours to see. */
export function readStat(pid: number): Stat | null {
  const text = readOr(`/proc/${pid}/stat`, "");
  // The name, in brackets, may contain spaces and brackets itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent, startTime] = [fields[0], Number(fields[1]), Number(fields[19])];
  return text === "" || state === undefined || !Number.isFinite(parent) || !Number.isFinite(startTime) ? null : { state, parent, startTime };
}

export function startTimeOf(pid: number): number | null {
  return readStat(pid)?.startTime ?? null;
}

/** False only if it is certain: another process has its number, it is a zombie, or there is none. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (!exists(identity.pid)) {
    return false;
  }
  const stat = readStat(identity.pid);
  if (stat === null) {
    // Hidden (hidepid) or no /proc: that it exists is all there is to know. It may have ended between the two looks.
    return exists(identity.pid);
  }
  const another = identity.startTime !== null && identity.startTime !== stat.startTime;
  return !another && stat.state !== "Z" && stat.state !== "X";
}

function exists(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) {
    return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to someone else.
    return codeOf(error) === "EPERM";
  }
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}
