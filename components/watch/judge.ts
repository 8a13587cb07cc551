/** Whether a release does what it must not: a pure function of what was measured, today's rules and the time. */
import { countOf, quantile } from "../metrics/histogram.js";
import type { Slot } from "../metrics/kept.js";
import { without } from "../metrics/clients.js";
import { errorRate, msInWords, NO_TRAFFIC, percent, sumTraffic, type Traffic } from "../metrics/traffic.js";
import type { Settings } from "../settings/schema.js";
import { formatDuration } from "../settings/units.js";
import { WATCH_PARTS } from "./faults.js";

export type WatchRules = Settings["watch"];
export const RULES = ["errors", "fewErrors", "latency", "health", "memory"] as const;
export type RuleName = (typeof RULES)[number];

export interface Finding {
  rule: RuleName;
  action: "rollback" | "freeze" | "alert";
  /** One clause with the numbers. */
  what: string;
}

export interface Watched {
  /** Oldest first; what was before the watch is not among them. */
  slots: readonly Slot[];
  revision: string;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * What lasts for a span must be so over the whole of it, and in four of its five parts: neither a burst that is over, nor a single
 * failure among few requests, is an outage. So it takes at least four failed requests in four different parts.
 */
const PARTS_NEEDED = WATCH_PARTS - 1;

/** The rules that are met now, the gravest first. */
export function judge(rules: WatchRules, watched: Watched): Finding[] {
  const found = RULES.flatMap((rule): Finding[] => {
    const { action } = rules[rule];
    const what = action === "off" ? null : CHECKS[rule](rules, watched);
    if (what === null || action === "off") return [];
    const finding: Finding = { rule, action, what };
    return [ofOneClient(rules, watched, finding) ?? finding];
  });
  const gravity = ["rollback", "freeze", "alert"];
  return found.sort((a, b) => gravity.indexOf(a.action) - gravity.indexOf(b.action));
}

type Check = (rules: WatchRules, watched: Watched) => string | null;

/** Rules that judge by what users got. */
const BY_USERS: readonly RuleName[] = ["errors", "fewErrors", "latency"];

/** A finding that hangs on one client alone is told and not acted on: it may be that client's doing. */
function ofOneClient(rules: WatchRules, watched: Watched, { rule, what }: Finding): Finding | null {
  if (!BY_USERS.includes(rule)) return null;
  const { revision, slots } = watched;
  const clients = [...new Set(slots.flatMap(({ clients: all }) => Object.keys(all?.[revision] ?? {})))];
  const decides = clients.some((client) => CHECKS[rule](rules, leaveOut(watched, client)) === null);
  return decides ? { rule, action: "alert", what: `${what}, but not without one client: name proxies in front in proxy.trusted, so that clients are told apart` } : null;
}

function leaveOut({ slots, revision, now }: Watched, client: string): Watched {
  return { revision, now, slots: slots.map((slot) => ({ ...slot, traffic: { ...slot.traffic, [revision]: without(slot.traffic[revision] ?? NO_TRAFFIC, slot.clients?.[revision]?.[client]) } })) };
}

const CHECKS: Record<RuleName, Check> = {
  errors: (rules, watched) => errorsAbove(rules.errors, rules.minRequests, watched),
  fewErrors: (rules, watched) => errorsAbove(rules.fewErrors, rules.minRequests, watched),
  latency: ({ latency, minRequests }, watched) => {
    const slow = (traffic: Traffic): boolean => (p99(traffic) ?? 0) > latency.above;
    const all = lasting(watched, latency.within, slow);
    if (all === null || countOf(all.latency) < minRequests) return null;
    return `p99 ${msInWords(p99(all) ?? 0)} of ${countOf(all.latency)} answers in ${formatDuration(latency.within)} (above ${formatDuration(latency.above)})`;
  },
  health: ({ health }, { slots, now }) => {
    const recent = slots.filter(({ to }) => to > now - health.within);
    const failed = recent.reduce((sum, slot) => sum + slot.failed, 0);
    const last = recent.findLast(({ reason }) => reason !== "")?.reason ?? "";
    return failed > health.above ? `${failed} health checks failed in ${formatDuration(health.within)} (more than ${health.above}): ${last}` : null;
  },
  memory: ({ memory }, watched) => {
    const { revision } = watched;
    const parts = partsOf(watched, memory.within);
    const shares = parts?.flat().flatMap(({ memory: of }) => of[revision] ?? []) ?? [];
    const measured = parts?.filter((part) => part.some(({ memory: of }) => of[revision] !== undefined)).length ?? 0;
    if (measured < PARTS_NEEDED || !shares.every((share) => share * 100 > memory.above)) return null;
    return `memory above ${memory.above} % of its limit for ${formatDuration(memory.within)}, ${percent(shares.at(-1) ?? 0)} now`;
  },
};

function errorsAbove({ above, within }: { above: number; within: number }, minRequests: number, watched: Watched): string | null {
  const all = lasting(watched, within, (traffic) => (errorRate(traffic) ?? 0) * 100 > above);
  if (all === null || all.requests < minRequests) return null;
  return `${percent(errorRate(all) ?? 0)} of ${all.requests} requests failed in ${formatDuration(within)} (above ${above} %)`;
}

function p99({ latency }: Traffic): number | null {
  return quantile(latency, 0.99);
}

/** The traffic of the span until now if that, and that of enough of its parts, is so; else null. */
function lasting(watched: Watched, within: number, so: (traffic: Traffic) => boolean): Traffic | null {
  const parts = partsOf(watched, within)?.map((slots) => trafficOf(slots, watched.revision));
  if (parts === undefined) return null;
  const all = sumTraffic(parts);
  return so(all) && parts.filter(so).length >= PARTS_NEEDED ? all : null;
}

export function trafficOf(slots: readonly Slot[], revision: string): Traffic {
  return sumTraffic(slots.flatMap(({ traffic }) => traffic[revision] ?? []));
}

/** The span until now in equal parts, each with the slots that ended in it; null while it has not been watched as a whole. */
function partsOf({ slots, now }: Watched, within: number): Slot[][] | null {
  const from = now - within;
  const [first] = slots;
  if (first === undefined || first.from > from) return null;
  return Array.from({ length: WATCH_PARTS }, (_, part) => {
    const [begin, end] = [from + (within / WATCH_PARTS) * part, from + (within / WATCH_PARTS) * (part + 1)];
    return slots.filter(({ to }) => to > begin && to <= end);
  });
}
