import type { ReleaseRecord } from "../../components/release/model.js";
import { abandonedEngineLock } from "./engine-lock.js";
import { failedExit, failureOf, type Failure, linesOf } from "./failure.js";
import { finished } from "./finished.js";
import type { Outcome } from "./outcome.js";
import { readKnown } from "./drift/known.js";
import type { Present } from "./present.js";
import { clearUp } from "./recover.js";
import { failureOutcome, Interrupted, type Run } from "./run.js";
import { TempConfig } from "./temp-config.js";
import { type Verdict, verifyPatiently } from "./verify.js";

/** Lines of Pulumi's own errors that stand for a failure which is not in the journal. */
const SHOWN_PROBLEMS = 4;
/** What has begun to change what users are served by. */
const CHANGING: readonly string[] = ["adopt", "restore", "front", "start", "gate", "route", "judge"];

/**
 * An update's end: null when it succeeded. Nothing of it goes on then, also when its Pulumi was killed.
 *
 * @param stoppable false: a first signal does not end it, as it puts right what another one left
 * @throws ReleaseError `lockHeld` when a pulumi of somebody else was quicker, so that this one did nothing
 */
export async function update(run: Run, config: TempConfig, options: { stoppable?: boolean } = {}): Promise<Failure | null> {
  run.journal.write({ phase: "update", event: "start", message: "" });
  const failure = await performUpdate(run, config, options);
  run.journal.write({ phase: "update", event: failure === null ? "done" : "failed", message: "" });
  return failure;
}

async function performUpdate(run: Run, config: TempConfig, { stoppable = true }: { stoppable?: boolean }): Promise<Failure | null> {
  const seen = run.events().length;
  const result = await run.engine.show("update", [
    "up", "--yes", "--skip-preview", "--stack", run.ws.stack, "--config-file", config.file, "--non-interactive", "--suppress-outputs", "--color", "never",
  ], { stoppable });
  if (result.exitCode === 0) return null;
  const events = run.events().slice(seen);
  await run.endChildren();
  if (stoppable && !events.some(({ phase }) => phase === "plan")) abandonedEngineLock(run.ws);
  const killed = result.killedBy === null ? [] : [`Pulumi was ended by ${result.killedBy}`];
  return failureOf(events, [...killed, ...result.problems.flatMap(linesOf)].slice(0, SHOWN_PROBLEMS));
}

/**
 * After a failed or interrupted update: what it left is cleared up, and the last good release is applied again as it was
 * recorded. That removes the failed revision, moves the route back if it had moved, and leaves the ledger as it is. An
 * update that failed after it had recorded its release is finished by the same.
 *
 * @param former the state before the update
 * @param moved where the route was moved before the update and must stay: how that ends while it is not recorded
 */
export async function restorePresent(run: Run, former: Pick<Present, "exported" | "ledger">, failure: Failure, moved?: Outcome): Promise<Outcome> {
  const { lines, next } = failure;
  const before = former.ledger.at(-1) ?? null;
  const cleared = await clearUp(run).catch((error: unknown) => failureOutcome(error));
  if ("exitCode" in cleared) return moved ?? uncleared(failure, cleared.summary);
  const present = cleared.ledger.at(-1) ?? null;
  const isNew = present !== null && present.seq > (before?.seq ?? 0);
  if (moved !== undefined && !isNew) return moved;
  // Who stopped it knows why.
  if (run.interrupted && !isNew && (failure.untouched || isAsBefore(run, former, cleared))) return failureOutcome(new Interrupted());
  if (failure.untouched) return { exitCode: failedExit(failure, true), summary: failure.what, next, lines };
  if (present === null) {
    return { exitCode: failedExit(failure, false), summary: `${failure.what}; there is no earlier release to go back to`, next, lines };
  }
  run.say(isNew ? `${present.tag} is released; what the update left to do is done now` : `putting ${present.tag} back as it was recorded`);
  const { problem, verdict } = await reapply(run, present);
  if (problem !== null) {
    const how = verdict.healthy ? `${present.tag} serves and is healthy, but it could not be applied again` : `putting ${present.tag} ${isNew ? "right" : "back"} failed as well`;
    return {
      exitCode: failedExit(failure, false),
      summary: `${failure.what}; ${how}: ${problem}`,
      next: isNew ? "run the same command again" : `run scripts/rollback.sh ${present.tag}, or the same command again`,
      lines,
    };
  }
  const slowly = verdict.healthy ? "" : `, as it was before, but what it answers is not as it should be: ${verdict.reason}`;
  if (!isNew) return { exitCode: failedExit(failure, true), summary: `${failure.what}; ${present.tag} serves${slowly}`, next, lines };
  const done = (await finished(run)).outcome;
  return { ...done, summary: `${done.summary}; it was released when this came: ${failure.what}`, lines };
}

/** Docker or Pulumi does not answer any more: nothing can be put right now. The next command begins with that. */
function uncleared(failure: Failure, why: string): Outcome {
  const { untouched, what, next, lines } = failure;
  return { exitCode: failedExit(failure, false), summary: untouched ? what : `${what}; what it left could not be cleared up: ${why}`, next, lines };
}

/** Nothing but a backup or an image was made, and the route was not touched. */
function isAsBefore(run: Run, before: Pick<Present, "exported">, after: Pick<Present, "exported">): boolean {
  const objects = ({ exported }: Pick<Present, "exported">): string => readKnown(exported).objects.map(({ id }) => id).sort().join();
  const events = run.events();
  const update = events.findLastIndex(({ phase, event }) => phase === "update" && event === "start");
  return objects(before) === objects(after) && !events.slice(update + 1).some(({ phase, event }) => event === "start" && CHANGING.includes(phase));
}

/**
 * @returns why the present release could not be applied again, or null: slow answers are no reason, where the route and the containers
 *   are as recorded
 */
async function reapply(run: Run, present: ReleaseRecord): Promise<{ problem: string | null; verdict: Verdict }> {
  run.journal.write({ phase: "reapply", event: "start", message: `applying ${present.revision} again` });
  const config = new TempConfig(run.ws, { version: present.tag, reapply: "true" });
  try {
    const second = await update(run, config, { stoppable: false });
    const verdict = await verifyPatiently(run.ws, present);
    const problem = second?.what ?? (verdict.healthy || verdict.asRecorded ? null : verdict.reason);
    run.journal.write({ phase: "reapply", event: problem === null ? "done" : "failed", message: problem ?? `${present.tag} serves` });
    return { problem, verdict };
  } finally {
    config.remove();
  }
}
