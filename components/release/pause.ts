/** For how long users' writes are paused at the front door. Pure. */
import type { RecordedSettings } from "../settings/schema.js";
import type { PausePlan, ReleaseRecord, RestorePlan } from "./model.js";

/** Milliseconds from the last renewal of a pause until the gate begins: containers are made, an image may be built. */
const HOLD_MS = 600_000;
/** Milliseconds that users wait at most when a backup is killed that had paused what they write. */
const QUIET_MS = 120_000;

/** Whatever is written after the backup that new data is made from would be left behind; before the first release nobody writes. */
export function pauseOf({ backup, gate }: Pick<RecordedSettings, "backup" | "gate">, leaving: ReleaseRecord | null, restore: RestorePlan | null): PausePlan | null {
  if (leaving === null) {
    return null;
  }
  return restore?.from === null ? { until: "route", leaseMs: gate.deadline + HOLD_MS } : quietly(backup.quiesce);
}

/** A pause for a backup alone. */
export function quietly(quiesce: RecordedSettings["backup"]["quiesce"]): PausePlan | null {
  return quiesce === "pause" ? { until: "uploads", leaseMs: QUIET_MS } : null;
}
