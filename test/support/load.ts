import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadResult } from "../load/result.js";
import { start } from "./processes.js";
import { waitFor } from "./wait.js";

const PROGRAM = join(__dirname, "../load/main.js");

export interface LoadSetting {
  readonly url: string;
  readonly rate?: number;
  readonly sessions?: number;
  readonly reloading?: number;
  /** False where a proxy answers script health checks to its operator alone. */
  readonly scriptHealth?: boolean;
  /** Ends by itself after this; without it `stop` ends it. */
  readonly seconds?: number;
}

export interface Load {
  /** The progress lines so far. */
  progress(): string;
  /** Ends the run (or waits for its end where `seconds` was given) and reads the result. */
  stop(): Promise<LoadResult>;
  /** Ends it whatever it does; for `after` hooks. Harmless when it has ended. */
  kill(): void;
}

/** Starts the load in a process of its own; resolves when all sessions are open and the first requests are on their way. */
export async function startLoad(setting: LoadSetting): Promise<Load> {
  const dir = await mkdtemp(join(tmpdir(), "pbjrag-load-"));
  const out = join(dir, "result.json");
  const { url, seconds } = setting;
  const sizes = (["rate", "sessions", "reloading"] as const).flatMap((name) => (setting[name] === undefined ? [] : [`--${name}`, String(setting[name])]));
  const child = start(process.execPath, [
    PROGRAM, "--url", url, "--out", out, ...sizes, ...(setting.scriptHealth === false ? ["--no-script-health"] : []), ...(seconds === undefined ? ["--until-signal"] : ["--seconds", String(seconds)]),
  ], { cwd: dir, timeoutMs: 3_700_000 });
  let ended = false;
  void child.ended.then(() => { ended = true; });
  const started = (): boolean => child.output().includes("load: started");
  await waitFor("the load to start", () => ended || started(), { withinMs: 45_000 });
  if (!started()) throw new Error(`the load ended at once:\n${child.output()}`);
  return {
    progress: () => child.output(),
    kill: () => child.killTree(),
    stop: async () => {
      if (seconds === undefined) child.signal("SIGTERM");
      const { all } = await child.ended;
      try {
        return JSON.parse(await readFile(out, "utf8")) as LoadResult;
      } catch (error) {
        throw new Error(`the load left no result:\n${all}`, { cause: error });
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  };
}

/** What a test prints of a run, in one line. */
export function describeLoad({ valid, sent, failed, rate, latency, longestGapMs, sessions }: LoadResult): string {
  return `${valid ? "" : "INVALID "}${sent} requests, ${failed} failed, ${(rate.reached * 100).toFixed(2)} % on time, p50 ${latency.p50} ms, p99 ${latency.p99} ms, `
    + `max ${latency.max} ms, longest gap ${longestGapMs} ms; ${sessions.kept} of ${sessions.wanted} sessions kept, ${sessions.cut} cut, `
    + `${sessions.reruns} reruns (${sessions.rerunsFailed} failed)`;
}

/** Throws with the first failures in words unless the run was clean. */
export function assertClean(result: LoadResult): void {
  if (!result.clean) throw new Error(`the load was not clean: ${describeFailures(result)}`);
}

/** The run in one line, and the first of its failures with their moments. */
export function describeFailures(result: LoadResult): string {
  const { failures, sessions } = result;
  const when = (at: number): string => `${((at - result.startedAt) / 1000).toFixed(1)} s`;
  return [
    describeLoad(result),
    ...[...failures, ...sessions.rerunFailures].map((one) => `  ${when(one.at)} ${one.kind} by ${one.who}: ${one.reason} (${one.latencyMs} ms)`),
    ...sessions.cuts.map((cut) => `  ${when(cut.at)} session ${cut.session} cut (${cut.code} ${cut.reason}) on ${cut.release ?? "no release"}`),
    ...sessions.connectProblems.map((one) => `  ${when(one.at)} session ${one.session} did not connect: ${one.reason}`),
    ...(sessions.down === 0 ? [] : [`  ${sessions.down} sessions were down at the end`]),
  ].join("\n");
}
