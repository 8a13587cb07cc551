/** The gate's work: one function for a new gate and a repeated one. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { asReleaseError, errors, messageOf, type ReleaseError } from "../runtime/errors.js";
import { openJournal, type Journal } from "../runtime/journal.js";
import { assertHolds } from "../runtime/lock.js";
import { handlerPaths, type DataPaths } from "../runtime/paths.js";
import { readable } from "../runtime/readable.js";
import { resumeWrites } from "../traffic/freeze.js";
import { readEntrance } from "../traffic/live.js";
import { saveAppLog, type SavedLog } from "./app-log.js";
import type { Concern, GateInputs, GateOuts, Sample, Verdict } from "./model.js";
import { lookInside } from "./inside.js";
import { Prober } from "./probe.js";
import type { Live } from "./probe-once.js";
import { runGate } from "./run.js";

/** Milliseconds between two events of a gate whose reason does not change. */
const PROGRESS_MS = 5000;

/**
 * @param live finds the front door
 * @throws ReleaseError gateFailed, or lockHeld, lockLost, frontFailed, dockerUnavailable
 */
export async function performGate(inputs: GateInputs, live: (stack: string) => Promise<Live | null> = readEntrance): Promise<GateOuts> {
  const paths = handlerPaths(inputs);
  assertHolds(paths);
  const journal = openJournal(paths);
  journal.write({ phase: "gate", event: "start", message: `proving ${inputs.tag} (${inputs.revision})`, data: { revision: inputs.revision, role: inputs.role } });
  try {
    const outs = await prove(inputs, paths, journal, live);
    journal.write({ phase: "gate", event: "done", message: [`${inputs.tag} passed ${inputs.passes} rounds in a row`, ...(outs.measured.notes ?? [])].join("; "), data: { revision: inputs.revision, ...outs.measured } });
    return outs;
  } catch (error) {
    const failed = asReleaseError(error, `${inputs.tag} (${inputs.revision}) could not be gated`);
    journal.failed("gate", failed);
    // If that fails as well, the pause ends by itself.
    if (inputs.writesPaused === true) await resumeWrites(inputs.stack, { assertHolds: () => assertHolds(paths) }).catch(() => undefined);
    throw failed;
  }
}

async function prove(inputs: GateInputs, paths: DataPaths, journal: Journal, live: (stack: string) => Promise<Live | null>): Promise<GateOuts> {
  const front = await live(inputs.stack);
  if (front === null) {
    throw errors.frontFailed({ why: "the proxy is not there or does not answer, and the gate looks through it" });
  }
  const prober = new Prober({ ...inputs, ...front, qdrantContainer: inputs.qdrant.container }, undefined, lookInside);
  const record = recorder(inputs, paths, journal);
  try {
    const { verdict, measured } = await runGate(
      { ...inputs, before: inputs.qdrant.before },
      {
        sample: (elapsed) => prober.sample(elapsed),
        monotonic: () => performance.now(),
        sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        onRound: (sample, now) => {
          record(sample, now);
          assertHolds(paths);
        },
      },
    );
    if (verdict.verdict === "fail") {
      throw await gateError(inputs, paths, verdict);
    }
    return { ...inputs, measured };
  } finally {
    prober.close();
  }
}

/** Keeps every round in a file, and tells the journal when something changes. */
function recorder(inputs: GateInputs, paths: DataPaths, journal: Journal): (sample: Sample, verdict: Verdict) => void {
  mkdirSync(paths.run, { recursive: true, mode: 0o700 });
  const file = join(paths.run, `gate-${inputs.revision}.ndjson`);
  writeFileSync(file, "", { mode: 0o600 });
  let told = "";
  let toldAt = 0;
  return (sample, verdict) => {
    appendFileSync(file, readable(`${JSON.stringify({ ...sample, verdict })}\n`));
    if (verdict.verdict === "continue" && (verdict.reason !== told || sample.at - toldAt >= PROGRESS_MS)) {
      told = verdict.reason;
      toldAt = sample.at;
      journal.write({ phase: "gate", event: "progress", message: verdict.reason, data: { revision: inputs.revision, atMs: Math.round(sample.at) } });
    }
  };
}

async function gateError(inputs: GateInputs, paths: DataPaths, concern: Concern): Promise<ReleaseError> {
  const { tag, revision, containers } = inputs;
  const about = concern.container ?? "";
  const saved = await saveAppLog(paths, revision, containers, about, inputs.secretEnv).catch((error: unknown): SavedLog => ({ file: "", lines: [`(the app's log could not be saved: ${messageOf(error)})`], culprit: "" }));
  const said = saved.culprit === "" ? "" : `; its log ends with: ${saved.culprit}`;
  // A fault that is about no container (a collection, Qdrant) is not in the app's log.
  return errors.gateFailed({
    tag,
    revision,
    reason: `${concern.reason}${said}`,
    log: saved.file === "" ? "" : relative(paths.dataDir, saved.file),
    lines: saved.lines,
    ...(about === "" ? { next: "see the container's state and log, remove the cause, and run again" } : {}),
  });
}
