import assert from "node:assert/strict";
import type { JudgeTold } from "../../components/canary/model.js";
import type { JournalEvent } from "../../components/runtime/journal.js";

/** What the judge found at its last look in these events. @param said what to show where it looked at nothing */
export function lastLook(events: readonly JournalEvent[], said = "the judge looked at nothing"): JudgeTold {
  const look = events.findLast(({ phase, event }) => phase === "judge" && event === "progress");
  assert.ok(look?.data !== undefined, said);
  return look.data as unknown as JudgeTold;
}
