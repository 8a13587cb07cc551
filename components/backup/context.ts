import type { Context as TaskContext } from "../runtime/task.js";
import type { Gzip } from "./gzip.js";
import { BackupProblem } from "./problem.js";

export type { TaskContext };

/** What one run of a backup is given. */
export interface Context extends TaskContext {
  gzip: Gzip;
}

/** @throws BackupProblem with the reason for which everything was ended, if it was */
export function throwIfEnded(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const reason: unknown = signal.reason;
  throw reason instanceof BackupProblem ? reason : new BackupProblem("aborted", "it was stopped");
}

/** What a run made and must remove, whatever happens. */
export class Leftovers {
  private readonly removals: { what: string; remove: () => Promise<unknown> }[] = [];

  add(what: string, remove: () => Promise<unknown>): void {
    this.removals.push({ what, remove });
  }

  /** Removes in reverse order. What cannot be removed is told; the next run's sweep takes it. */
  async clear(tell: (what: string, error: unknown) => void): Promise<void> {
    for (let entry = this.removals.pop(); entry !== undefined; entry = this.removals.pop()) {
      try {
        await entry.remove();
      } catch (error) {
        tell(entry.what, error);
      }
    }
  }
}
