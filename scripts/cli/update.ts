import type { ReleaseRecord } from "../../components/release/model.js";
import { failedExit, failureOf, type Failure } from "./failure.js";
import { finished } from "./finished.js";
import type { Outcome } from "./outcome.js";
import { clearUp } from "./recover.js";
import type { Run } from "./run.js";
import { TempConfig } from "./temp-config.js";
import { verifyServing } from "./verify.js";

/** Lines of Pulumi's own errors that stand for a failure which is not in the journal. */
const SHOWN_PROBLEMS = 4;

/**
 * An update's end: null when it succeeded. Nothing of it goes on then, also when its Pulumi was killed.
 *
 * @param stoppable false: a first signal does not end it, as it puts right what another one left
 */
export async function update(run: Run, config: TempConfig, { stoppable = true } = {}): Promise<Failure | null> {
  const seen = run.events().length;
  const result = await run.engine.show("update", [
    "up", "--yes", "--skip-preview", "--stack", run.ws.stack, "--config-file", config.file, "--non-interactive", "--suppress-outputs", "--color", "never",
  ], { stoppable });
  if (result.exitCode === 0) return null;
  const events = run.events().slice(seen);
  await run.endChildren();
  const killed = result.killedBy === null ? [] : [`Pulumi was ended by ${result.killedBy}`];
  return failureOf(events, [...killed, ...result.problems.flatMap((problem) => problem.split("\n"))].slice(0, SHOWN_PROBLEMS));
}

/**
 * After a failed or interrupted update: what it left is cleared up, and the last good release is applied again as it was
 * recorded. That removes the failed revision, moves the route back if it had moved, and leaves the ledger as it is. An
 * update that failed after it had recorded its release is finished by the same.
 *
 * @param before the ledger's last record before the update, or null where nothing was ever released
 * @param moved where the route was moved before the update and must stay: how that ends while it is not recorded
 */
export async function restorePresent(run: Run, before: ReleaseRecord | null, failure: Failure, moved?: Outcome): Promise<Outcome> {
  const { lines, next } = failure;
  const present = (await clearUp(run)).ledger.at(-1) ?? null;
  const isNew = present !== null && present.seq > (before?.seq ?? 0);
  if (moved !== undefined && !isNew) return moved;
  if (failure.untouched) return { exitCode: failedExit(failure, true), summary: failure.what, next, lines };
  if (present === null) {
    return { exitCode: failedExit(failure, false), summary: `${failure.what}; there is no earlier release to go back to`, next, lines };
  }
  run.say(isNew ? `${present.tag} is released; what the update left to do is done now` : `putting ${present.tag} back as it was recorded`);
  const problem = await reapply(run, present);
  if (problem !== null) {
    return {
      exitCode: failedExit(failure, false),
      summary: `${failure.what}; putting ${present.tag} ${isNew ? "right" : "back"} failed as well: ${problem}`,
      next: isNew ? "run the same command again" : `run scripts/rollback.sh ${present.tag}, or the same command again`,
      lines,
    };
  }
  if (!isNew) return { exitCode: failedExit(failure, true), summary: `${failure.what}; ${present.tag} serves`, next, lines };
  const done = await finished(run);
  return { ...done, summary: `${done.summary}; it was released when this came: ${failure.what}`, lines };
}

/** @returns why the present release does not serve after that, or null */
async function reapply(run: Run, present: ReleaseRecord): Promise<string | null> {
  run.journal.write({ phase: "reapply", event: "start", message: `applying ${present.revision} again` });
  const config = new TempConfig(run.ws, { version: present.tag, reapply: "true" });
  try {
    const second = await update(run, config, { stoppable: false });
    const verdict = second === null ? await verifyServing(run.ws, present) : null;
    const problem = verdict?.healthy === true ? null : (second?.what ?? verdict?.reason ?? "unknown");
    run.journal.write({ phase: "reapply", event: problem === null ? "done" : "failed", message: problem ?? `${present.tag} serves` });
    return problem;
  } finally {
    config.remove();
  }
}
