import { z } from "zod";
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

const problemsOf = z.object({ problems: z.array(z.object({ subject: z.string(), what: z.string(), next: z.string() })).min(1) });

/** The refusal among these events, or null. One problem is told with its own next step, several each with theirs. */
export function refusedBy(events: JournalEvent[]): ReleaseError | null {
  const event = events.find((e) => e.phase === "refused");
  if (event === undefined) return null;
  const told = problemsOf.safeParse(event.data);
  const [only, ...others] = told.success ? told.data.problems : [];
  const refused = errors.configRefused({ problems: event.message.split("\n") });
  if (only === undefined || others.length > 0) return refused;
  const { code, exitCode, what } = refused;
  return new ReleaseError({ code, exitCode, what, why: `${only.subject}: ${only.what}`, next: only.next });
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
  const started = events.some((e) => e.phase === "plan");
  return {
    untouched: !started,
    phase: started ? "update" : "engine",
    what: engineWords[0] ?? "Pulumi ended without a word",
    next: "see the log for the whole story, mend the cause and run again",
    lines: engineWords.slice(1),
  };
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
