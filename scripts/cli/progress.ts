import type { JournalEvent } from "../../components/runtime/journal.js";

const marks: Record<JournalEvent["event"], string> = { start: "...", progress: "   ", done: "ok ", failed: "!! ", info: "   " };
/** For programs only, or told by the command's last lines. */
const UNTOLD = ["refused", "program", "plan", "interrupt", "result"];
/** Milliseconds between two lines about how one phase gets on. */
const EVERY_MS = 1000;

/** What handlers and backups write into the journal (their processes have no terminal), as lines for a person. */
export class Progress {
  private shownAt = -Infinity;

  /** @param now milliseconds, never set back */
  constructor(private readonly now: () => number) {}

  /** `null` for what only programs read; `shown` is false for a line that follows the last one too closely: the log has it. */
  line({ phase, event, message }: Pick<JournalEvent, "phase" | "event" | "message">): { text: string; shown: boolean } | null {
    if (UNTOLD.includes(phase) || message === "") return null;
    const shown = event !== "progress" || this.now() - this.shownAt >= EVERY_MS;
    if (shown) this.shownAt = event === "progress" ? this.now() : -Infinity;
    return { text: `${marks[event]} ${phase}: ${message.split("\n")[0] ?? ""}`, shown };
  }
}
