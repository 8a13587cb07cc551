/** The judge's work: one function for a new judging and a repeated one. Whatever ends it but a verdict takes the canary's share first. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Finding } from "../judge/model.js";
import { errors, EXIT, messageOf, ReleaseError } from "../runtime/errors.js";
import { openJournal, type Journal } from "../runtime/journal.js";
import { assertHolds } from "../runtime/lock.js";
import { handlerPaths } from "../runtime/paths.js";
import { setShare } from "../traffic/canary.js";
import { entranceOf, inWords, readLive } from "../traffic/live.js";
import type { JudgeInputs, JudgeOuts, JudgeTold } from "./model.js";
import { Observer } from "./observe.js";
import { type CanaryWorld, type Look, runJudging } from "./run.js";
import { watchForStop } from "./stop.js";
import { SyntheticPair } from "./synthetic.js";

/** Milliseconds in which a loss of the lock is noticed. */
const HOLDS_MS = 1000;

/** @throws ReleaseError canaryFailed, interrupted, or lockHeld, lockLost, routeFailed, dockerUnavailable; no user is sent to the canary then */
export async function performJudging(inputs: JudgeInputs): Promise<JudgeOuts> {
  const paths = handlerPaths(inputs);
  const holds = (): void => assertHolds(paths);
  holds();
  const { stack, tag, revision } = inputs;
  const journal = openJournal(paths);
  journal.write({ phase: "judge", event: "start", message: `trying ${tag} (${revision}) beside ${inputs.serving.tag}`, data: { revision } });
  const stop = watchForStop(paths, journal.run);
  let synthetic: SyntheticPair | null = null;
  try {
    synthetic = await syntheticOf(inputs);
    const judged = await runJudging(inputs, world(inputs, journal, holds, stop.signal, synthetic));
    if (judged.verdict === "fail") {
      tell(journal, inputs, judged, 0);
      throw errors.canaryFailed({ tag, revision, why: judged.summary, lines: judged.findings.map(inLine) });
    }
    const words = judged.verdict === "pass" ? `${tag} passed as a canary` : `${tag} was tried${judged.promotes ? "" : ", and keeps its share"}`;
    journal.write({ phase: "judge", event: "done", message: `${words}: ${judged.summary}`, data: { ...judged, revision } });
    return { ...inputs, ...judged };
  } catch (error) {
    // Before anything else: whoever reads of it must find it so.
    const left = await giveBack(stack, revision, holds, error);
    const failure = left === null ? failureOf(error, inputs, stop.signal) : routeLeft(inputs, error, left);
    journal.failed("judge", failure);
    throw failure;
  } finally {
    stop.end();
    await synthetic?.end();
  }
}

async function syntheticOf({ stack, containers, serving, synthetic: { sessions, port, requestTimeoutMs } }: JudgeInputs): Promise<SyntheticPair | null> {
  if (sessions === 0) return null;
  const live = await readLive(stack);
  if (live === null) throw new Error("there is no front door");
  const { table } = live;
  const target = { ...entranceOf(live), requestTimeoutMs };
  return new SyntheticPair({ ...target, port, containers }, { ...target, port: table.serving?.port ?? port, containers: serving.containers }, sessions);
}

function world(inputs: JudgeInputs, journal: Journal, holds: () => void, stopped: AbortSignal, synthetic: SyntheticPair | null): CanaryWorld {
  const { stack, tag, revision } = inputs;
  let observer: Observer | null = null;
  return {
    share: async (weight, leaseMs) => {
      stopped.throwIfAborted();
      await setShare(stack, revision, { weight, leaseMs }, { assertHolds: holds });
      journal.write({ phase: "judge", event: "info", message: `${tag} gets ${weight} % of new users`, data: { revision, weight } });
    },
    begin: async () => {
      observer = await Observer.begin(inputs);
      synthetic?.reset();
    },
    observe: async () => {
      observer ??= await Observer.begin(inputs);
      return { ...(await observer.observe()), synthetic: synthetic?.read() ?? null };
    },
    pause: async (ms) => {
      const until = performance.now() + ms;
      do {
        await sleep(Math.max(0, Math.min(HOLDS_MS, until - performance.now())), undefined, { signal: stopped }).catch(() => stopped.throwIfAborted());
        holds();
      } while (performance.now() < until);
    },
    onLook: (look) => onLook(journal, inputs, look),
    monotonic: () => performance.now(),
  };
}

function onLook(journal: Journal, inputs: JudgeInputs, { step, weight, look, of, verdict }: Look): void {
  const where = inputs.steps.length === 1 ? "" : `step ${step} of ${inputs.steps.length}, `;
  tell(journal, inputs, verdict, weight, `${where}look ${look} of ${of} at ${inputs.tag}: ${verdict.summary}`);
}

function tell(journal: Journal, { revision }: JudgeInputs, { verdict, findings, summary }: Pick<JudgeTold, "verdict" | "findings"> & { summary: string }, weight: number, message = summary): void {
  journal.write({ phase: "judge", event: "progress", message, data: { revision, weight, verdict, findings } satisfies JudgeTold });
}

/** @returns null when nobody is sent to the canary any more, else why that could not be made sure of */
async function giveBack(stack: string, revision: string, holds: () => void, cause: unknown): Promise<string | null> {
  // Another run has the front door then.
  if (cause instanceof ReleaseError && (cause.code === "lockLost" || cause.code === "lockHeld")) return null;
  try {
    await setShare(stack, revision, { weight: 0, leaseMs: null }, { assertHolds: holds });
    return null;
  } catch (error) {
    return inWords(error);
  }
}

function failureOf(error: unknown, { tag, revision, serving }: JudgeInputs, stopped: AbortSignal): ReleaseError {
  if (error instanceof ReleaseError) return error;
  if (stopped.aborted) return errors.interrupted({ serving: `${messageOf(stopped.reason)}, nobody is sent to ${tag} any more; ${serving.tag}` });
  return errors.canaryFailed({ tag, revision, why: `it could not be judged: ${inWords(error)}` });
}

function routeLeft({ tag, serving }: JudgeInputs, cause: unknown, why: string): ReleaseError {
  return new ReleaseError({
    code: "canaryLeft", exitCode: EXIT.notRolledBack, what: `Users may still be sent to the canary ${tag}`,
    why: `${inWords(cause)}; and its share could not be taken from it: ${why}`,
    next: `run scripts/deploy.sh --version ${serving.tag}, which removes it; its share ends by itself`, cause,
  });
}

function inLine({ test, result, what }: Finding): string {
  return `${result === "pass" ? "well" : result === "fail" ? "FAIL" : "?"} ${test}: ${what}`;
}
