import { randomBytes } from "node:crypto";
import type { DataPaths } from "../runtime/paths.js";
import { BackupProblem } from "./problem.js";

/** What one run of a backup is given from outside: where, until when, whom to tell. */
export interface Context {
  paths: DataPaths;
  /** Run id, on labels and in the manifest. */
  run: string;
  /** Distinguishes what this process makes from what another made. */
  token: string;
  /** Ends everything: the deadline or a signal. */
  signal: AbortSignal;
  /** Milliseconds left of the backup's deadline, at least 1. */
  remaining(): number;
  /** One line of progress, for the journal and for people. */
  say(message: string, data?: Record<string, unknown>): void;
  /** @throws when this run no longer holds the stack's lock */
  assertHolds(): void;
}

export function newToken(): string {
  return randomBytes(5).toString("hex");
}

/** @throws BackupProblem with the reason for which everything was ended, if it was */
export function throwIfEnded(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const reason: unknown = signal.reason;
  throw reason instanceof BackupProblem ? reason : new BackupProblem("aborted", "it was stopped");
}

/** What a run made and must remove, whatever happens. */
export class Leftovers {
  private readonly removals: { what: string; remove: () => Promise<void> }[] = [];

  add(what: string, remove: () => Promise<void>): void {
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
