/** The time for which a person thought about a question: it is nobody's downtime, and no part of what a release takes. Pure. */
import type { JournalEvent } from "../runtime/journal.js";

interface Timed {
  /** When the command began. */
  startedAt: Date;
  /** Of one run, in their order. */
  events: readonly JournalEvent[];
}

/**
 * The same run as if each question had been answered at once: what came before an answer is moved towards it. A question that nobody has
 * answered yet is left as it is.
 *
 * @returns with `waited`, milliseconds, the sum of what was taken out
 */
export function withoutWaiting<T extends Timed>(run: T): T & { waited: number } {
  const answers = waits(run.events);
  const waited = answers.reduce((sum, { ms }) => sum + ms, 0);
  if (waited === 0) return { ...run, waited };
  const later = (index: number): number => answers.reduce((sum, { index: answer, ms }) => sum + (index < answer ? ms : 0), 0);
  return {
    ...run, waited,
    startedAt: new Date(run.startedAt.getTime() + waited),
    events: run.events.map((event, index) => ({ ...event, time: new Date(Date.parse(event.time) + later(index)).toISOString() })),
  };
}

/** Each answer: where it stands among the events, and for how many milliseconds it was waited. */
function waits(events: readonly JournalEvent[]): { index: number; ms: number }[] {
  let asked: number | null = null;
  return events.flatMap(({ phase, event, time }, index) => {
    if (phase !== "question") return [];
    if (event === "start") asked = Date.parse(time);
    if (event !== "done" || asked === null) return [];
    const ms = Math.max(0, Date.parse(time) - asked);
    asked = null;
    return [{ index, ms }];
  });
}
