import { dropAdopted, readAdopted } from "../../components/adopt/record.js";
import { giveBack } from "../../components/adopt/run.js";
import { EXIT, ReleaseError } from "../../components/runtime/errors.js";
import type { JournalEvent } from "../../components/runtime/journal.js";
import type { Outcome } from "./outcome.js";
import { readPresent } from "./present.js";
import type { Run } from "./run.js";
import { failureOutcome } from "./run.js";

/**
 * A first release that took over from another install and was killed before it was recorded: what it made goes, and what it stopped runs
 * again, as it must for its data to be backed up.
 * @returns whether there was one
 */
export async function endAdoption(run: Run): Promise<boolean> {
  const record = await readAdopted(run.ws.paths);
  if (record === null) return false;
  run.say("a release that took over from another install was not finished: giving that back first");
  await undo(run);
  return true;
}

/** The same after a failed first release. @param failed how that ends */
export async function afterFailed(run: Run, failed: Outcome): Promise<Outcome> {
  const record = await readAdopted(run.ws.paths);
  if (record === null) return failed;
  try {
    // One that failed after it was recorded has been finished.
    if ((await readPresent(run.engine, run.ws)).ledger.length > 0) return { ...failed, summary: `${failed.summary}${await afterAdopted(run)}` };
    const started = await undo(run);
    const summary = `${failed.summary}; ${started.join(", ")} serve again, after ${seconds(Date.now() - record.stoppedAt)} of downtime`;
    return { ...failed, exitCode: failed.exitCode === EXIT.interrupted ? EXIT.interrupted : EXIT.rolledBack, summary };
  } catch (error) {
    const { summary, next } = failureOutcome(error);
    return { ...failed, exitCode: EXIT.notRolledBack, summary: `${failed.summary}; what served before could not be given back: ${summary}`, next: `${next}; docker start ${record.containers.map(({ name }) => name).join(" ")}` };
  }
}

/** The new release serves: what was stopped stays as it is. @returns the downtime in words, "" without one */
export async function afterAdopted(run: Run): Promise<string> {
  const record = await readAdopted(run.ws.paths);
  if (record === null) return "";
  await dropAdopted(run.ws.paths);
  const downtime = downtimeMs(record.stoppedAt, run.events());
  const names = record.containers.map(({ name }) => name).join(", ");
  return `; took over from ${names}, which are stopped and kept${downtime === null ? "" : `, with ${seconds(downtime)} of downtime`}`;
}

/** From the first stop until new users were sent to the new release. Pure. @param stoppedAt milliseconds since 1970 */
export function downtimeMs(stoppedAt: number, events: readonly JournalEvent[]): number | null {
  const moved = events.find(({ phase, event, time }) => phase === "route" && event === "done" && Date.parse(time) >= stoppedAt);
  return moved === undefined ? null : Date.parse(moved.time) - stoppedAt;
}

/** `6.9 s` */
function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Volumes are left where they are by what removes the rest. */
async function undo(run: Run): Promise<string[]> {
  const record = await readAdopted(run.ws.paths);
  if (record === null) return [];
  const destroyed = await run.engine.quiet(["destroy", "--yes", "--skip-preview", "--stack", run.ws.stack, "--non-interactive", "--color", "never"]);
  if (destroyed.exitCode !== 0) {
    throw new ReleaseError({ code: "pulumiFailed", exitCode: EXIT.notRolledBack, what: "what the failed release made could not be removed", why: destroyed.errors.trim().split("\n").at(-1) ?? "", next: "scripts/pulumi.sh destroy removes it and leaves data" });
  }
  run.assertHolds();
  const started = await giveBack(record);
  await dropAdopted(run.ws.paths);
  run.say(`${started.join(", ")} run again`);
  return started;
}
