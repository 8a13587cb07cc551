import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { execa } from "execa";

/** How a script ended. `all` is both outputs in the order of their arrival. */
export interface Ended {
  /** 128 + the signal's number where one ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly all: string;
  /** The last line that is not empty, without colours. */
  readonly lastLine: string;
  readonly tookMs: number;
  readonly timedOut: boolean;
}

export interface RunOptions {
  readonly cwd: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Record<string, string | undefined>;
  /** The whole tree is killed after this time (default 5 minutes). */
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Output so far. */
  output(): string;
  /** Sends a signal to the process alone. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL to it and all its descendants, children first seen before any is gone. */
  killTree(): void;
}

const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, "g");

/** What is running now: it does not outlive the tests, however they end (but by SIGKILL). */
const live = new Set<number>();
process.once("exit", () => live.forEach(killTree));
process.once("SIGTERM", () => process.exit(143));

/** Starts a command in a process group of its own. PBJRAG_TEST_ECHO=1 shows its output. */
export function start(file: string, args: readonly string[], { cwd, env = {}, timeoutMs = 300_000, input, onOutput }: RunOptions): Running {
  const began = performance.now();
  const child = execa(file, [...args], {
    cwd, env, reject: false, all: true, detached: true, cleanup: false, stripFinalNewline: false, maxBuffer: 50_000_000,
    // Who is asked to end is not to be killed while it puts things right.
    forceKillAfterDelay: false,
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${file} in ${cwd}`);
  live.add(pid);
  let all = "";
  let timedOut = false;
  child.all.on("data", (part: Buffer) => {
    const text = part.toString("utf8");
    all += text;
    onOutput?.(text);
    if (process.env.PBJRAG_TEST_ECHO === "1") process.stdout.write(text);
  });
  const timer = setTimeout(() => {
    timedOut = true;
    killTree(pid);
  }, timeoutMs);
  const ended = child.then((result): Ended => {
    clearTimeout(timer);
    live.delete(pid);
    return {
      exitCode: result.exitCode ?? 128 + (result.signal === "SIGKILL" ? 9 : result.signal === "SIGINT" ? 2 : 15),
      stdout: result.stdout, stderr: result.stderr, all, lastLine: lastLineOf(all), tookMs: performance.now() - began, timedOut,
    };
  });
  return {
    pid, ended, output: () => all,
    signal: (name) => void child.kill(name),
    killTree: () => killTree(pid),
  };
}

/** Runs a command to its end. */
export function run(file: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  return start(file, args, options).ended;
}

/** Runs one that must succeed; throws with its output otherwise. */
export async function mustRun(file: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  const ended = await run(file, args, options);
  if (ended.exitCode !== 0) throw new Error(`${file} ${args.join(" ")}: exit ${ended.exitCode}${ended.timedOut ? " (timed out)" : ""}\n${ended.all.slice(-4000)}`);
  return ended;
}

export function lastLineOf(output: string): string {
  return output.replace(COLOURS, "").split(/[\r\n]+/).map((line) => line.trimEnd()).filter((line) => line !== "").at(-1) ?? "";
}

/** The process and its descendants now, it first. */
export function treeOf(pid: number): number[] {
  const parents = processes();
  const found = [pid];
  for (const parent of found) found.push(...parents.filter((one) => one.parent === parent).map((one) => one.pid));
  return found;
}

/** Processes whose environment has `name=value`: what a run started, also what outlived its parent. */
export function withEnvironment(name: string, value: string): number[] {
  return processes().map(({ pid }) => pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`${name}=${value}`);
    } catch {
      return false;
    }
  });
}

/** The process that runs `node <program>` in a directory; null: there is none. */
export function nodeProcess(program: string, cwd: string): number | null {
  const found = processes().find(({ pid }) => {
    try {
      const [file = "", first = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return basename(file) === "node" && first === program && readlinkSync(`/proc/${pid}/cwd`) === cwd;
    } catch {
      return false;
    }
  });
  return found?.pid ?? null;
}

/** Stopped first: what is about to start a child would leave that one alive, which nobody finds once its parent is gone. */
function killTree(pid: number): void {
  const tree = new Set<number>();
  for (let found = [pid]; found.length > 0; found = treeOf(pid).filter((one) => !tree.has(one))) {
    for (const one of found) {
      tree.add(one);
      send(one, "SIGSTOP");
    }
  }
  for (const one of tree) send(one, "SIGKILL");
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function processes(): { pid: number; parent: number }[] {
  return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).flatMap((name) => {
    try {
      // "pid (name) state ppid": the name may hold spaces and brackets.
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) }];
    } catch {
      return [];
    }
  });
}
