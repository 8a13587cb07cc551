/** What may be configured of a canary, beyond its form, and what follows from that. Pure. */
import { LOOKS } from "../judge/looks.js";
import type { Thresholds } from "../judge/model.js";
import type { Settings } from "../settings/schema.js";
import { formatDuration } from "../settings/units.js";
import { tagProblem } from "../source/names.js";

export type CanarySettings = Settings["canary"];

/** How often a step that is undecided is gone through again where config says `extend`. */
export const EXTENSIONS = 3;

const DAY_MS = 24 * 3_600_000;
/** Percent: what serves must stay the larger part, as the canary is compared with it. */
const MOST_WEIGHT = 50;
const MOST_STEPS = 10;
/** On either release: each run of a script takes a part of a core. */
const MOST_SESSIONS = 50;
/** Milliseconds from one run of a synthetic session to the next. */
export const RUN_EVERY_MS = 2000;

/** Percent of new users, step by step. */
export function stepsOf({ weight, steps }: Pick<CanarySettings, "weight" | "steps">): number[] {
  return steps ?? [weight];
}

export function thresholdsOf({ thresholds: { p50, ...rest } }: Pick<CanarySettings, "thresholds">): Thresholds {
  return { ...rest, p50: p50 ?? null };
}

/** Looks of all steps together: each has its part of the false alarms. */
export function looksOf(steps: readonly number[], onInsufficient: CanarySettings["onInsufficient"]): number {
  return LOOKS * steps.length * (onInsufficient === "extend" ? 1 + EXTENSIONS : 1);
}

/** Key below `canary`, what is wrong with it, and what to do. */
export function canaryFaults(canary: CanarySettings): [key: string, what: string, next: string][] {
  const { version, weight, steps, duration, synthetic, thresholds } = canary;
  const faults: [string, string, string][] = [];
  const between = (key: string, value: number, min: number, max: number, unit = ""): void => {
    if (!(value >= min && value <= max)) faults.push([key, `${value} is not between ${min} and ${max}`, `give a number from ${min} to ${max}${unit}`]);
  };
  const span = (key: string, value: number, min: number, max: number): void => {
    if (value < min || value > max) faults.push([key, `${formatDuration(value)} is out of range`, `give from ${formatDuration(min)} to ${formatDuration(max)}`]);
  };
  const tag = version === undefined ? null : tagProblem(version);
  if (tag !== null) faults.push(["version", tag, "name a git tag of the app"]);
  between("weight", weight, 1, MOST_WEIGHT, ", in percent");
  if (steps !== undefined && !isRising(steps)) {
    faults.push(["steps", `is no rising list of 1 to ${MOST_STEPS} shares`, `give some from 1 to ${MOST_WEIGHT} percent, such as [10, 25, 50]`]);
  }
  span("duration", duration, 1000, DAY_MS);
  between("synthetic", synthetic, 0, MOST_SESSIONS, " of sessions on either release");
  between("thresholds.errors", thresholds.errors, 0.01, 50, ", in percentage points");
  between("thresholds.slower", thresholds.slower, 1, 1000, ", in percent");
  span("thresholds.slack", thresholds.slack, 0, 60_000);
  span("thresholds.p99", thresholds.p99, 1, 3_600_000);
  if (thresholds.p50 !== undefined) span("thresholds.p50", thresholds.p50, 1, 3_600_000);
  between("thresholds.memory", thresholds.memory, 1, 99.9, ", in percent");
  return faults;
}

function isRising(steps: readonly number[]): boolean {
  return steps.length > 0 && steps.length <= MOST_STEPS && steps.every((step, at) => step >= 1 && step <= MOST_WEIGHT && step > (steps[at - 1] ?? 0));
}
