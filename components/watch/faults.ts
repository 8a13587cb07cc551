/** What may be configured of a watch, beyond its form. */
import type { Settings } from "../settings/schema.js";
import { formatDuration } from "../settings/units.js";

/** What has to last for a span is looked at in so many parts of it: see judge.ts. */
export const WATCH_PARTS = 5;

const DAY_MS = 24 * 3_600_000;
const MIN_INTERVAL_MS = 200;

/** Key below `watch`, what is wrong with it, and what to do. Pure. */
export function watchFaults(watch: Settings["watch"]): [key: string, what: string, next: string][] {
  const span = (key: string, value: number, min: number): [string, string, string][] =>
    value >= min && value <= DAY_MS ? [] : [[key, `${formatDuration(value)} is out of range`, `give from ${formatDuration(min)} to 24h`]];
  const whole = (key: string, value: number, min: number, max: number): [string, string, string][] =>
    Number.isInteger(value) && value >= min && value <= max ? [] : [[key, `${value} is not between ${min} and ${max}`, `give a whole number from ${min} to ${max}`]];
  const share = (key: string, value: number): [string, string, string][] =>
    value >= 0 && value < 100 ? [] : [[key, `${value} is no share in percent that can be exceeded`, "give a number from 0 to below 100, such as 1"]];
  // A rule that looks at parts needs a look in each.
  const parts = WATCH_PARTS * watch.interval;
  return [
    ...span("for", watch.for, 0), ...span("interval", watch.interval, MIN_INTERVAL_MS), ...whole("minRequests", watch.minRequests, 1, 1_000_000),
    ...share("errors.above", watch.errors.above), ...span("errors.within", watch.errors.within, parts),
    ...share("fewErrors.above", watch.fewErrors.above), ...span("fewErrors.within", watch.fewErrors.within, parts),
    ...span("latency.above", watch.latency.above, 1), ...span("latency.within", watch.latency.within, parts),
    ...whole("health.above", watch.health.above, 0, 1000), ...span("health.within", watch.health.within, watch.interval),
    ...share("memory.above", watch.memory.above), ...span("memory.within", watch.memory.within, parts),
  ];
}
