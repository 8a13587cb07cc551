import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { errors, EXIT, messageOf, ReleaseError } from "../runtime/errors.js";
import { openJournal, PLAIN_RUN } from "../runtime/journal.js";
import { assertHolds } from "../runtime/lock.js";
import { handlerPaths } from "../runtime/paths.js";
import { type Context, newToken } from "./context.js";
import type { Manifest } from "./manifest.js";
import { type BackupOutcome, type BackupRequest, backupRequestSchema } from "./model.js";
import { BackupProblem } from "./problem.js";
import { backUp } from "./run.js";

/**
 * The backup's own process: the request comes in PBJRAG_BACKUP, the outcome goes out as one line of JSON on standard output,
 * everything for people to standard error and the journal. Exit code 0, 2 (failed, nothing touched), 6 (another release is
 * under way), 130 (interrupted).
 */
async function main(env: NodeJS.ProcessEnv): Promise<number> {
  process.umask(0o077);
  const request = parseRequest(env.PBJRAG_BACKUP ?? "");
  const run = env.PBJRAG_RUN || PLAIN_RUN;
  const paths = handlerPaths(request, env);
  const journal = openJournal(paths, { run });
  const ending = new AbortController();
  const until = performance.now() + request.deadlineMs;
  const deadline = setTimeout(() => ending.abort(lateAfter(request.deadlineMs)), request.deadlineMs);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => ending.abort(new BackupProblem("aborted", `it was stopped by ${signal}`)));
  }
  const context: Context = {
    paths,
    run,
    token: newToken(),
    signal: ending.signal,
    remaining: () => Math.max(1, Math.round(until - performance.now())),
    say: (message, data) => {
      journal.write({ phase: "backup", event: "progress", message, data });
      tell(message);
    },
    assertHolds: () => assertHolds(paths, env),
  };
  try {
    journal.write({ phase: "backup", event: "start", message: `backup before ${request.before.tag}`, data: { kind: request.kind } });
    const outcome = await backUp(request, context, toolOf());
    const message = outcome.backup === "" ? `no backup: ${outcome.reason}` : `backup ${outcome.backup}`;
    journal.write({ phase: "backup", event: "done", message, data: { ...outcome } });
    tell(message);
    await print(outcome);
    return EXIT.done;
  } catch (error) {
    const failure = failureOf(error, request);
    journal.write({ phase: "backup", event: "failed", message: failure.message, data: { ...dataOf(failure), cause: causeOf(error) } });
    tell(failure.message);
    return isStopped(error) ? EXIT.interrupted : failure.exitCode;
  } finally {
    clearTimeout(deadline);
  }
}

function parseRequest(text: string): BackupRequest {
  const refused = (why: string): ReleaseError => errors.usage({ why: `PBJRAG_BACKUP ${why}`, next: "let the Pulumi program start the backup" });
  if (text === "") throw refused("is not set");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused("is not JSON");
  }
  const parsed = backupRequestSchema.safeParse(value);
  if (!parsed.success) throw refused(`is no backup request: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

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

function dataOf({ code, exitCode, what, why, next, lines }: ReleaseError): Record<string, unknown> {
  return { code, exitCode, what, why, next, lines };
}

/** Which fault it was, for programs. */
function causeOf(error: unknown): string {
  return error instanceof BackupProblem || error instanceof ReleaseError ? error.code : "unexpected";
}

function isStopped(error: unknown): boolean {
  return error instanceof BackupProblem && error.code === "aborted";
}

function lateAfter(deadlineMs: number): BackupProblem {
  const minutes = Math.round(deadlineMs / 6_000) / 10;
  return new BackupProblem("deadline", `it was not finished within ${minutes} minutes`, "see whether Qdrant hangs, or raise pbjrag:backup.deadline, then run again");
}

function toolOf(): Manifest["tool"] {
  const file = path.resolve(__dirname, "../../../package.json");
  return z.object({ name: z.string(), version: z.string() }).parse(JSON.parse(readFileSync(file, "utf8")));
}

function tell(message: string): void {
  process.stderr.write(`backup: ${message}\n`);
}

function print(outcome: BackupOutcome): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(outcome)}\n`, () => resolve()));
}

main(process.env).then(
  (code) => process.exit(code),
  (error: unknown) => {
    tell(messageOf(error));
    process.exit(error instanceof ReleaseError ? error.exitCode : EXIT.refused);
  },
);
