import { z } from "zod";
import type { Problem } from "../../components/release/model.js";
import { errors, EXIT, ReleaseError } from "../../components/runtime/errors.js";
import type { JournalEvent } from "../../components/runtime/journal.js";

/** Why an update ended badly, as its journal tells. Pure. */
export interface Failure {
  /** Nothing that serves, and nothing new, was made: the failure came before the first change. */
  untouched: boolean;
  phase: string;
  /** One sentence. */
  what: string;
  next: string;
  /** Evidence: last lines of a log, all problems of a refusal. */
  lines: string[];
}

/** One problem is told as such; several are counted, and listed above the last line. */
export function refusalOf(problems: readonly Problem[]): ReleaseError {
  const [first, ...others] = problems;
  if (first !== undefined && others.length === 0) {
    return new ReleaseError({ code: "refused", exitCode: EXIT.refused, what: first.subject, why: first.what, next: first.next });
  }
  return new ReleaseError({
    code: "refused", exitCode: EXIT.refused, what: `${problems.length} problems`, why: problems.map(({ subject }) => subject).join(", "),
    next: "correct what is listed above, then run again",
    lines: problems.map(({ subject, what, next }) => `${subject}: ${what}. Next: ${next}`),
  });
}

const refusedSchema = z.object({ problems: z.array(z.object({ subject: z.string(), what: z.string(), next: z.string() })) });

/** The program's refusal among these events, or null. */
export function refusedBy(events: JournalEvent[]): ReleaseError | null {
  const event = events.find((e) => e.phase === "refused");
  return event === undefined ? null : refusalOf(refusedSchema.parse(event.data).problems);
}

/**
 * What failed in an update. A refusal and a failed backup come before anything is made: every changed resource depends
 * on the backup. Whatever failed without a word in the journal (a build, Docker itself) may have changed something.
 *
 * @param engineWords last error lines of Pulumi's own output: shown, never branched on
 */
export function failureOf(events: JournalEvent[], engineWords: string[]): Failure {
  const refused = refusedBy(events);
  if (refused !== null) return { untouched: true, phase: "refused", what: `${refused.what}: ${refused.why}`, next: refused.next, lines: [...refused.lines] };
  const failed = events.filter((e) => e.event === "failed").at(-1);
  if (failed !== undefined) return { untouched: failed.phase === "backup", phase: failed.phase, ...words(failed) };
  const died = diedBackup(events, engineWords);
  if (died !== null) return died;
  const started = events.some((e) => e.phase === "plan");
  return {
    untouched: !started,
    phase: started ? "update" : "engine",
    what: engineWords[0] ?? "Pulumi ended without a word",
    next: "see the log for the whole story, mend the cause and run again",
    lines: engineWords.slice(1),
  };
}

/** A problem in Pulumi's words, without how its providers (in Go) number several causes: the first line is to be the cause. Pure. */
export function linesOf(problem: string): string[] {
  const lines = problem.split("\n").map((line) => line.replace(/^\s*\* /, "").trim());
  return lines.filter((line) => line !== "" && !/^\d+ errors? occurred:$/.test(line));
}

/** A backup that ended without a word of its own was killed: nothing was made after it, and it made nothing that serves. */
function diedBackup(events: JournalEvent[], engineWords: string[]): Failure | null {
  const own = events.filter((e) => e.phase === "backup");
  if (own.length === 0 || own.some((e) => e.event === "done" || e.event === "failed")) return null;
  const before = own[0]?.data?.["before"];
  const { what, why, next } = errors.backupFailed({
    before: typeof before === "string" ? before : "this release",
    why: "its process ended before it was done, as one does that is killed or that the host has no memory for",
    next: "see the host's log (dmesg) for what ended it, then run again",
  });
  return { untouched: true, phase: "backup", what: `${what}: ${why}`, next, lines: engineWords };
}

function words({ message, data }: JournalEvent): Pick<Failure, "what" | "next" | "lines"> {
  const text = (key: string): string | null => (typeof data?.[key] === "string" ? data[key] : null);
  const [what, why, lines] = [text("what"), text("why"), data?.["lines"]];
  return {
    what: what === null || why === null ? (message.split("\n")[0] ?? "") : `${what}: ${why}`,
    next: text("next") ?? "see the log, mend the cause and run again",
    lines: Array.isArray(lines) ? lines.map(String) : message.split("\n").slice(1),
  };
}

/** Exit code of an update that failed. */
export function failedExit(failure: Failure, restored: boolean): typeof EXIT.refused | typeof EXIT.rolledBack | typeof EXIT.notRolledBack {
  if (failure.untouched) return EXIT.refused;
  return restored ? EXIT.rolledBack : EXIT.notRolledBack;
}
