import { readFileSync } from "node:fs";
import { z } from "zod";
import { errors, messageOf, ReleaseError } from "../runtime/errors.js";
import { standBack } from "../runtime/priority.js";
import { runTask } from "../runtime/task.js";
import { formatDuration } from "../settings/units.js";
import { Gzip } from "./gzip.js";
import type { Manifest } from "./manifest.js";
import { type BackupOutcome, type BackupRequest, backupRequestSchema } from "./model.js";
import { BackupProblem } from "./problem.js";
import { backUp } from "./run.js";

/** The backup's own process. Exit code 0, 2 (failed, nothing touched), 6 (another release is under way), 130 (interrupted). */
runTask<BackupRequest, BackupOutcome>({
  phase: "backup",
  variable: "PBJRAG_BACKUP",
  request: backupRequestSchema,
  begins: ({ before }) => `backup before ${before.tag}`,
  about: ({ before }) => ({ before: before.tag }),
  perform: async (request, context) => {
    standBack();
    return backUp(request, { ...context, gzip: await Gzip.find(process.env, context.paths.run) }, toolOf());
  },
  ended: ({ backup, reason }) => (backup === "" ? `no backup: ${reason}` : `backup ${backup}`),
  stop: {
    late: lateAfter,
    by: (signal) => new BackupProblem("aborted", `it was stopped by ${signal}`),
    is: (error) => error instanceof BackupProblem && error.code === "aborted",
  },
  failure: failureOf,
});

/** The lock's own errors pass: they mean that this run has no business here. Everything else is a failed backup. */
function failureOf(error: unknown, request: BackupRequest): ReleaseError {
  if (error instanceof ReleaseError && (error.code === "lockHeld" || error.code === "lockLost")) return error;
  const before = request.before.tag;
  if (error instanceof BackupProblem) return errors.backupFailed({ before, why: error.why, next: error.next, lines: error.lines }, error);
  if (error instanceof ReleaseError) {
    return errors.backupFailed({ before, why: `${error.what}: ${error.why}`, next: error.next, lines: error.lines }, error);
  }
  return errors.backupFailed({ before, why: messageOf(error) }, error);
}

function lateAfter(deadlineMs: number): BackupProblem {
  return new BackupProblem("deadline", `it was not finished within ${formatDuration(deadlineMs)}`, "see whether Qdrant hangs, or raise pbjrag:backup.deadline, then run again");
}

/** It is started in the project's directory. */
function toolOf(): Manifest["tool"] {
  return z.object({ name: z.string(), version: z.string() }).parse(JSON.parse(readFileSync("package.json", "utf8")));
}
