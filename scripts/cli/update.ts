import { EXIT } from "../../components/runtime/errors.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { failedExit, failureOf, type Failure } from "./failure.js";
import type { Outcome } from "./outcome.js";
import type { Run } from "./run.js";
import { TempConfig } from "./temp-config.js";
import { verifyServing } from "./verify.js";

/** Lines of Pulumi's own errors that stand for a failure which is not in the journal. */
const SHOWN_PROBLEMS = 4;

/** An update's end: null when it succeeded. */
export async function update(run: Run, config: TempConfig): Promise<Failure | null> {
  const seen = run.events().length;
  const result = await run.engine.show("update", [
    "up", "--yes", "--skip-preview", "--stack", run.ws.stack, "--config-file", config.file, "--non-interactive", "--suppress-outputs", "--color", "never",
  ]);
  if (result.exitCode === 0) return null;
  return failureOf(run.events().slice(seen), result.problems.flatMap((problem) => problem.split("\n")).slice(0, SHOWN_PROBLEMS));
}

/**
 * After a failed or interrupted update: the last good release is applied again as it was recorded. That removes the
 * failed revision, moves the route back if it had moved, and leaves the ledger as it is.
 *
 * @param present the ledger's last record, or null where nothing was ever released
 */
export async function restorePresent(run: Run, present: ReleaseRecord | null, failure: Failure): Promise<Outcome> {
  const exit = (restored: boolean): Outcome["exitCode"] => (run.interrupted ? EXIT.interrupted : failedExit(failure, restored));
  const { lines } = failure;
  if (failure.untouched) return { exitCode: exit(true), summary: failure.what, next: failure.next, lines };
  if (present === null) {
    return { exitCode: exit(false), summary: `${failure.what}; there is no earlier release to go back to`, next: failure.next, lines };
  }
  run.say(`putting ${present.tag} back as it was recorded`);
  run.journal.write({ phase: "reapply", event: "start", message: `applying ${present.revision} again` });
  const config = new TempConfig(run.ws, { version: present.tag, reapply: "true" });
  try {
    const second = await update(run, config);
    const verdict = second === null ? await verifyServing(run.ws, present) : null;
    const restored = verdict?.healthy === true;
    run.journal.write({ phase: "reapply", event: restored ? "done" : "failed", message: restored ? `${present.tag} serves` : (second?.what ?? verdict?.reason ?? "") });
    if (restored) return { exitCode: exit(true), summary: `${failure.what}; ${present.tag} serves`, next: failure.next, lines };
    return {
      exitCode: exit(false),
      summary: `${failure.what}; putting ${present.tag} back failed as well: ${second?.what ?? verdict?.reason ?? "unknown"}`,
      next: `run scripts/rollback.sh ${present.tag}, or the same command again`,
      lines,
    };
  } finally {
    config.remove();
  }
}
