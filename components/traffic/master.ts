/** HAProxy's master process: it knows all workers, the old ones too, and speaks inside the proxy's container only. */
import { setTimeout as sleep } from "node:timers/promises";
import { execIn } from "../runtime/docker-exec.js";
import { ReleaseError } from "../runtime/errors.js";
import { MASTER_PORT } from "./model.js";

/** Milliseconds for one conversation; an answer takes about 20. */
const TALK_MS = 15_000;
/** Milliseconds in which a master that reloads must be back: it refuses connections, or drops them without an answer, for a moment. */
const RELOAD_MS = 5000;
const AGAIN_MS = 100;
const SEPARATOR = "\x1e";

// The official image has bash and no socat. `quit` makes the master close the connection after its answer.
const TALK = `for command in "$@"; do
  exec 3<>/dev/tcp/127.0.0.1/${MASTER_PORT} || exit 69
  printf '%s\\nquit\\n' "$command" >&3
  cat <&3
  exec 3>&-
  printf '\\036'
done`;

/**
 * Asks what is never answered by nothing.
 * @param questions one connection each, in order; `@!<pid> …` is for a worker
 * @returns an answer for each
 * @throws Error when the master does not answer; ReleaseError of Docker
 */
export function askMaster(container: string, questions: readonly string[]): Promise<string[]> {
  return persistently(async () => {
    const answers = await talk(container, questions);
    const silent = answers.findIndex((answer) => answer.trim() === "");
    if (silent >= 0) throw new Error(`HAProxy's master in ${container} says nothing to ${questions[silent] ?? ""}`);
    return answers;
  });
}

/**
 * Has something done that may be done twice.
 * @param orders one in each line
 * @throws Error when the master does not answer; ReleaseError of Docker
 */
export async function orderMaster(container: string, orders: readonly string[]): Promise<void> {
  await persistently(() => talk(container, [orders.join("\n")]));
}

async function persistently<T>(work: () => Promise<T>): Promise<T> {
  const until = performance.now() + RELOAD_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ReleaseError || performance.now() > until) throw error;
    }
    await sleep(AGAIN_MS);
  }
}

async function talk(container: string, commands: readonly string[]): Promise<string[]> {
  if (commands.length === 0) {
    return [];
  }
  const { exitCode, stdout, stderr } = await execIn(container, ["bash", "-c", TALK, "ask", ...commands], { timeoutMs: TALK_MS });
  const answers = stdout.split(SEPARATOR).slice(0, -1);
  if (exitCode !== 0 || answers.length !== commands.length) {
    throw new Error(`HAProxy's master in ${container} does not answer: ${stderr.trim().split("\n").at(-1) ?? ""} (exit code ${exitCode})`);
  }
  return answers;
}

export interface Worker {
  pid: number;
  /** A reload has replaced it; it lives as long as connections are open on it. */
  old: boolean;
}

/** Reads `show proc`. Pure. */
export function parseWorkers(answer: string): Worker[] {
  let old = false;
  const workers: Worker[] = [];
  for (const line of answer.split("\n")) {
    if (line.startsWith("#")) {
      old = line.includes("old workers");
    }
    const [pid = "", type] = line.trim().split(/\s+/);
    if (type === "worker" && /^[0-9]+$/.test(pid)) {
      workers.push({ pid: Number(pid), old });
    }
  }
  return workers;
}

export interface StatLine {
  backend: string;
  /** `BACKEND` for the sum of it. */
  server: string;
  /** Open now. */
  current: number;
}

/** Reads `show stat`. Pure. What is no statistics (a worker that has just ended) has no lines. */
export function parseStat(answer: string): StatLine[] {
  const [head = "", ...lines] = answer.trim().split("\n");
  const names = head.replace(/^# /, "").split(",");
  const [backend, server, current] = ["pxname", "svname", "scur"].map((name) => names.indexOf(name));
  if (backend !== 0 || server !== 1 || current === undefined || current < 0) {
    return [];
  }
  return lines.flatMap((line) => {
    const fields = line.split(",");
    return fields.length > current ? [{ backend: fields[0] ?? "", server: fields[1] ?? "", current: Number(fields[current]) }] : [];
  });
}

export interface SessionLine {
  /** HAProxy's handle of it, for `shutdown session`. */
  id: string;
  backend: string;
}

/** Reads `show sess`. Pure. */
export function parseSessions(answer: string): SessionLine[] {
  return answer.split("\n").flatMap((line) => {
    const [, id, backend] = /^(0x[0-9a-f]+): .*? be=(\S+) /.exec(line) ?? [];
    return id === undefined || backend === undefined ? [] : [{ id, backend }];
  });
}
