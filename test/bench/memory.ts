import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const EVERY_MS = 50;

/** The most resident memory that a process and its children had at one time, in MiB, looked at until `ended`. */
export async function measureMemory(pid: number, ended: Promise<unknown>): Promise<number> {
  const over = new AbortController();
  void ended.finally(() => over.abort()).catch(() => undefined);
  let most = 0;
  while (!over.signal.aborted) {
    most = Math.max(most, [pid, ...childrenOf(pid)].reduce((sum, one) => sum + residentKib(one), 0) / 1024);
    await delay(EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined);
  }
  return most;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter((one) => one !== "").map(Number));
  } catch {
    return [];
  }
}

function residentKib(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
