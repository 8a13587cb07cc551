import type { Slot } from "../../../components/metrics/kept.js";
import { percent, trafficInWords } from "../../../components/metrics/traffic.js";
import { formatDuration } from "../../../components/settings/units.js";
import { trafficOf } from "../../../components/watch/judge.js";
import type { WatchState } from "../../../components/watch/state.js";
import type { Seen } from "./loop.js";

/** How a watch stands. Pure; what is shown of it is its reader's affair. */
export interface WatchView {
  tag: string;
  revision: string;
  /** Milliseconds that are left, and of the whole watch. */
  leftMs: number;
  ofMs: number;
  /** Of the newest minute that was watched. */
  lastMinute: string;
  /** Of the whole watch. */
  whole: string;
  sessions: number;
  /** Share of the limit, from 0 to 1; null when no container runs. */
  memory: number | null;
  cores: number | null;
  /** Rounds of health checks that failed, of how many; and why the last of them did. */
  failed: number;
  rounds: number;
  reason: string;
  logErrors: number;
  lastError: string;
  met: readonly { rule: string; action: string; what: string }[];
}

const MINUTE_MS = 60_000;

/** @param now milliseconds since 1970 */
export function viewOf(state: WatchState, { slots, lastError }: Seen, now: number): WatchView {
  const { target, startedAt, endsAt, met } = state;
  const own = slots.filter(({ from }) => from >= startedAt);
  const last = own.at(-1);
  const minute = own.filter(({ to }) => to > (last?.to ?? 0) - MINUTE_MS);
  const { revision, tag } = target;
  return {
    tag, revision, leftMs: Math.max(0, endsAt - now), ofMs: endsAt - startedAt,
    lastMinute: trafficInWords(trafficOf(minute, revision), spanOf(minute)), whole: trafficInWords(trafficOf(own, revision), spanOf(own)),
    sessions: last?.open[revision] ?? 0, memory: last?.memory[revision] ?? null, cores: last?.cores[revision] ?? null,
    failed: own.reduce((sum, { failed }) => sum + failed, 0), rounds: own.length, reason: own.findLast(({ reason }) => reason !== "")?.reason ?? "",
    logErrors: own.reduce((sum, slot) => sum + slot.logErrors, 0), lastError, met,
  };
}

function spanOf(slots: readonly Slot[]): number {
  const [first, last] = [slots[0], slots.at(-1)];
  return first === undefined || last === undefined ? 1 : Math.max(1, last.to - first.from);
}

const seconds = (ms: number): string => formatDuration(Math.ceil(ms / 1000) * 1000);
/** `42 min 10 s`. */
function left(ms: number): string {
  const all = Math.ceil(ms / 1000);
  return all >= 60 ? `${Math.floor(all / 60)} min ${all % 60} s` : `${all} s`;
}

const memoryWords = ({ memory, cores }: WatchView): string =>
  memory === null ? "no container runs" : `${percent(memory)} of the limit${cores === null ? "" : `, ${cores.toFixed(2)} cores`}`;
const healthWords = ({ failed, rounds, reason }: WatchView): string => (failed === 0 ? `${rounds} rounds passed` : `${failed} of ${rounds} rounds failed, last: ${reason}`);

/** For a terminal, which shows them again and again. */
export function viewLines(view: WatchView): string[] {
  const { tag, revision, leftMs, ofMs, lastMinute, whole, sessions, logErrors, lastError, met } = view;
  return [
    `watching ${tag} (${revision}): ${left(leftMs)} of ${seconds(ofMs)} left`,
    `  last minute  ${lastMinute}`,
    `  since start  ${whole}`,
    `  sessions     ${sessions} open`,
    `  memory       ${memoryWords(view)}`,
    `  health       ${healthWords(view)}`,
    `  app's log    ${logErrors === 0 ? "no error" : `${logErrors} errors`}${lastError === "" ? "" : `, last: ${lastError}`}`,
    `  rules        ${met.length === 0 ? "none is met" : met.map(({ rule, action, what }) => `${rule} (${action}): ${what}`).join("; ")}`,
  ];
}

/** The same in one line, for logs and for where there is no terminal. */
export function viewLine(view: WatchView): string {
  const { tag, leftMs, lastMinute, sessions, logErrors } = view;
  return `${tag}: ${lastMinute}; ${sessions} sessions; memory ${memoryWords(view)}; ${healthWords(view)}; ${logErrors} errors in its log; ${left(leftMs)} left`;
}
