import { BackupProblem } from "../backup/problem.js";
import { errors, messageOf, ReleaseError } from "../runtime/errors.js";
import { runTask } from "../runtime/task.js";
import { whilePaused } from "../traffic/freeze.js";
import { type RestoreOutcome, type RestoreRequest, restoreRequestSchema } from "./model.js";
import { restore } from "./run.js";

/** The restore's own process. Exit code 0, 2 (the backup is refused), 3 (failed), 6 (another release is under way), 130 (interrupted). */
runTask<RestoreRequest, RestoreOutcome>({
  phase: "restore",
  variable: "PBJRAG_RESTORE",
  request: restoreRequestSchema,
  begins: ({ generation, from }) => `making data generation ${generation} from ${from === "" ? "nothing: there was no data" : from}`,
  about: ({ generation }) => ({ generation }),
  perform: (request, context) => {
    const { stack, pauseMs } = request;
    const make = (): Promise<RestoreOutcome> => restore(request, context);
    return pauseMs === undefined ? make() : whilePaused(stack, { leaseMs: pauseMs, assertHolds: () => context.assertHolds() }, make);
  },
  ended: ({ generation, kept }) => (kept ? `data generation ${generation} was there already` : `data generation ${generation} is made`),
  stop: {
    late: (deadlineMs) => new BackupProblem("deadline", `it was not finished within ${Math.round(deadlineMs / 6_000) / 10} minutes`, "raise pbjrag:backup.deadline, then run again"),
    by: (signal) => new BackupProblem("aborted", `it was stopped by ${signal}`),
    is: (error) => error instanceof BackupProblem && error.code === "aborted",
  },
  failure: failureOf,
});

/** What says enough by itself passes. */
const PASSED = ["lockHeld", "lockLost", "backupUnusable", "pauseOver"];

function failureOf(error: unknown, { generation, from }: RestoreRequest): ReleaseError {
  if (error instanceof ReleaseError && PASSED.includes(error.code)) return error;
  if (error instanceof BackupProblem) return errors.restoreFailed({ generation, from, why: error.why, next: error.next, lines: error.lines }, error);
  if (error instanceof ReleaseError) return errors.restoreFailed({ generation, from, why: `${error.what}: ${error.why}`, next: error.next, lines: error.lines }, error);
  return errors.restoreFailed({ generation, from, why: messageOf(error) }, error);
}
