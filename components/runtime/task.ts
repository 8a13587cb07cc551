/**
 * The process of a step of an update that takes long and is no dynamic resource: a backup, a restore. Its request comes in
 * one environment variable, its outcome goes out as one line of JSON on standard output, everything for people to standard
 * error and the journal. It ends by its deadline, a signal or its command's word, and with one of the scripts' exit codes.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { MovableDeadline } from "./deadline.js";
import { errors, EXIT, messageOf, ReleaseError } from "./errors.js";
import { openJournal, type Phase, PLAIN_RUN } from "./journal.js";
import { assertHolds } from "./lock.js";
import { onStopWord } from "./stop-word.js";
import { type DataPaths, handlerPaths } from "./paths.js";
import { readable } from "./readable.js";

/** What one run of a step is given from outside: where, until when, whom to tell. */
export interface Context {
  paths: DataPaths;
  /** Run id, on labels and in the manifest. */
  run: string;
  /** Distinguishes what this process makes from what another made. */
  token: string;
  /** Ends everything: the deadline or a signal. */
  signal: AbortSignal;
  /** Milliseconds left of the deadline, at least 1. */
  remaining(): number;
  /** Moves the deadline by so many milliseconds: once the data's size is known. */
  allow(ms: number): void;
  /** One line for the journal and for people; on a terminal of progress (the default) not each one, where many come. */
  say(message: string, data?: Record<string, unknown>, event?: "progress" | "info"): void;
  /** @throws when this run no longer holds the stack's lock */
  assertHolds(): void;
}

export interface Task<R extends { stack: string; dataDir: string; deadlineMs: number }, O extends Record<string, unknown>> {
  /** Phase in the journal, and the head of each line for people. */
  readonly phase: Extract<Phase, "backup" | "restore" | "send" | "adopt">;
  /** Environment variable with the request. */
  readonly variable: string;
  readonly request: z.ZodType<R>;
  /** What begins, in words. */
  begins(request: R): string;
  /** The same for programs: what it leaves behind when it is killed is told by it. */
  about(request: R): Record<string, unknown>;
  perform(request: R, context: Context): Promise<O>;
  /** What was done, in words. */
  ended(outcome: O): string;
  /** The reason to stop with, and whether an error is that reason. */
  readonly stop: { late(deadlineMs: number): Error; by(signal: NodeJS.Signals): Error; is(error: unknown): boolean };
  /** Any failure in the words of the catalogue. */
  failure(error: unknown, request: R): ReleaseError;
}

/** Runs it to its end, and ends this process. */
export function runTask<R extends { stack: string; dataDir: string; deadlineMs: number }, O extends Record<string, unknown>>(task: Task<R, O>): void {
  process.umask(0o077);
  const tell = (message: string): void => void process.stderr.write(`${task.phase}: ${readable(message)}\n`);
  perform(task, process.env, tell).then(
    (code) => process.exit(code),
    (error: unknown) => {
      tell(messageOf(error));
      process.exit(error instanceof ReleaseError ? error.exitCode : EXIT.refused);
    },
  );
}

async function perform<R extends { stack: string; dataDir: string; deadlineMs: number }, O extends Record<string, unknown>>(
  task: Task<R, O>, env: NodeJS.ProcessEnv, tell: (message: string) => void,
): Promise<number> {
  const { phase } = task;
  const request = parseRequest(task, env[task.variable] ?? "");
  const run = env.PBJRAG_RUN || PLAIN_RUN;
  const paths = handlerPaths(request, env);
  const journal = openJournal(paths, { run });
  const ending = new AbortController();
  const deadline = new MovableDeadline(request.deadlineMs, (allMs) => ending.abort(task.stop.late(allMs)));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => ending.abort(task.stop.by(signal)));
  // One that stops another install is over in a moment, and half of it is worse than all.
  const word = phase === "adopt" ? null : onStopWord(paths, run, () => ending.abort(task.stop.by("SIGINT")));
  const context: Context = {
    paths,
    run,
    token: randomBytes(5).toString("hex"),
    signal: ending.signal,
    remaining: () => deadline.remaining(),
    allow: (ms) => deadline.move(ms),
    say: (message, data, event = "progress") => {
      journal.write({ phase, event, message, data });
      tell(message);
    },
    assertHolds: () => assertHolds(paths, env),
  };
  try {
    journal.write({ phase, event: "start", message: task.begins(request), data: task.about(request) });
    const outcome = await task.perform(request, context);
    const message = task.ended(outcome);
    journal.write({ phase, event: "done", message, data: { ...outcome } });
    tell(message);
    await print(outcome);
    return EXIT.done;
  } catch (error) {
    const failure = task.failure(error, request);
    const { code, exitCode, what, why, next, lines } = failure;
    journal.write({ phase, event: "failed", message: failure.message, data: { code, exitCode, what, why, next, lines, cause: causeOf(error) } });
    tell(failure.message);
    return task.stop.is(error) ? EXIT.interrupted : exitCode;
  } finally {
    word?.end();
    deadline.clear();
  }
}

function parseRequest<R extends { stack: string; dataDir: string; deadlineMs: number }, O extends Record<string, unknown>>({ phase, variable, request }: Task<R, O>, text: string): R {
  const refused = (why: string): ReleaseError => errors.usage({ why: `${variable} ${why}`, next: `let the Pulumi program start the ${phase}` });
  if (text === "") throw refused("is not set");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused("is not JSON");
  }
  const parsed = request.safeParse(value);
  if (!parsed.success) throw refused(`is no ${phase} request: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Which fault it was, for programs. */
function causeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unexpected";
}

function print(outcome: Record<string, unknown>): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${readable(JSON.stringify(outcome))}\n`, () => resolve()));
}
