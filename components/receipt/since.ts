/** From when on users were answered while a run was under way. Pure. */
import type { JournalEvent } from "../runtime/journal.js";
import { switchOf, watchOf } from "./build.js";

/**
 * Until the first release there is nobody to answer, which the run's first plan tells: that of what is put back after a failure, or of
 * a canary's promotion, has no release before it in its history either where there was one only.
 * @returns null: nobody was answered, as nothing was released in the end
 */
export function answeredSince(events: readonly JournalEvent[], startedAt: Date): Date | null {
  const first = events.find(({ phase, data }) => phase === "plan" && data?.["step"] !== undefined);
  if (first?.data?.["step"] === "first") {
    const switched = switchOf(events, startedAt);
    return switched === null ? null : new Date(switched.at);
  }
  // What a watch went back for belongs to it.
  return new Date(watchOf(events)?.since ?? startedAt);
}
