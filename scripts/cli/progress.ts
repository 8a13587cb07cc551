import type { JournalEvent } from "../../components/runtime/journal.js";

const marks: Record<JournalEvent["event"], string> = { start: "...", progress: "   ", done: "ok ", failed: "!! ", info: "   " };

/**
 * One line for a person from what handlers and backups write into the journal (their processes have no terminal);
 * null for events that only programs read.
 */
export function progressLine(event: JournalEvent): string | null {
  // Pulumi shows a backup's own progress; refusals are the command's last lines.
  if (event.phase === "backup" && event.event === "progress") return null;
  if (event.phase === "refused" || event.phase === "plan" || event.phase === "result" || event.message === "") return null;
  return `${marks[event.event]} ${event.phase}: ${event.message}`;
}
