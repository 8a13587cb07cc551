import type { JournalEvent } from "../../components/runtime/journal.js";
import { sendOutcomeSchema } from "../../components/repository/model.js";

/**
 * Why this run's backup did not leave the machine; null where it did, or was not to. Pure.
 * @param events of one run
 */
export function unsentOf(events: readonly JournalEvent[]): { problem: string; next: string } | null {
  const begun = events.findLast(({ phase, event }) => phase === "send" && event === "start");
  const backup = begun?.data?.["backup"];
  if (begun === undefined || typeof backup !== "string" || backup === "") return null;
  const { data } = sendOutcomeSchema.safeParse(events.findLast(({ phase, event }) => phase === "send" && event === "done")?.data);
  const again = `scripts/backups.sh send ${backup}`;
  if (data?.backup !== backup) return { problem: "the process that sends it ended before it was done, as one does that is killed", next: again };
  return data.sent ? null : { problem: data.problem, next: data.next.includes(again) ? data.next : `${data.next}; then ${again}` };
}
