import assert from "node:assert/strict";
import type { JudgeTold } from "../../components/canary/model.js";
import type { JournalEvent } from "../../components/runtime/journal.js";

/** What the judge found at its last look in these events. @param said what to show where it looked at nothing */
export function lastLook(events: readonly JournalEvent[], said = "the judge looked at nothing"): JudgeTold {
  const look = events.findLast(({ phase, event }) => phase === "judge" && event === "progress");
  assert.ok(look?.data !== undefined, said);
  return look.data as unknown as JudgeTold;
}

/** Runs of the script by synthetic sessions at the judge's last look. */
export function judgedRuns(events: readonly JournalEvent[], said?: string): { canary: number; stable: number } {
  const samples = lastLook(events, said).findings.find(({ test }) => test === "syntheticErrors")?.samples;
  assert.ok(samples !== undefined, said);
  return { canary: samples.canary, stable: samples.stable };
}
