/** What users were answered while something went on: by the proxy's own log, which has a line for each request. */
import { stackNames } from "../release/names.js";
import { inspectOrNull } from "../runtime/docker.js";
import { parseLine, revisionOfRequest, trafficOf } from "./log-line.js";
import { logLines, timed } from "./traffic-log.js";

export interface AnsweredCount {
  /** Milliseconds since 1970: what is counted. */
  from: number;
  to: number;
  /** Requests to releases, and websockets that could not be opened; without what the gate asks. */
  requests: number;
  /** The release's fault, as {@link trafficOf} has it. */
  failed: number;
  /** By a pause of writes. */
  refused: number;
  /** Between two answers that did not fail; null with fewer than two. Milliseconds, and since 1970. */
  gap: { ms: number; at: number } | null;
  byRevision: Record<string, { requests: number; failed: number }>;
  /** Milliseconds of one of {@link steps}. */
  stepMs: number;
  /** Every step from the first to the last, empty ones too; `at` in milliseconds since 1970. */
  steps: { at: number; failed: number; good: Record<string, number> }[];
}

interface Line {
  /** Milliseconds since 1970, when the answer was complete. */
  at: number;
  kind: "good" | "failed" | "refused" | "gone";
  /** "" where the front door answered by itself. */
  revision: string;
}

/** Lines that are asked for at first, and at most. */
const FIRST_TAIL = 5000;
const LAST_TAIL = 200_000;
const STEPS_MS = [500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000];
const MAX_STEPS = 120;

/**
 * Counts from the log of the stack's proxy. Docker keeps the last 30 MiB of it, and HAProxy gives up a line rather than wait: so at
 * least so many, and `from` is later where the log no longer goes back so far.
 * @returns null where there is no proxy
 * @throws ReleaseError of Docker
 */
export async function answeredBetween(stack: string, from: number, to: number): Promise<AnsweredCount | null> {
  const info = await inspectOrNull(stackNames(stack).proxyContainer);
  const made = Date.parse(info?.Created ?? "");
  for (let tail = FIRST_TAIL; ; tail = Math.min(tail * 10, LAST_TAIL)) {
    const log = await logLines(stack, { tail });
    if (info === null || log === null) return null;
    const oldest = timeOf(log[0] ?? "");
    // Fewer lines than asked for: there are no more.
    const all = log.length < tail;
    const whole = (all && made >= from) || (oldest !== null && oldest <= from);
    if (whole || all || tail === LAST_TAIL) return countAnswered(log, whole ? from : Math.min(to, oldest ?? to), to);
  }
}

/** Pure. @param log the proxy's lines with Docker's times */
export function countAnswered(log: readonly string[], from: number, to: number): AnsweredCount {
  const lines = log.flatMap((line) => parse(line, from, to) ?? []).sort((a, b) => a.at - b.at);
  const asked = lines.filter(({ kind, revision }) => kind !== "refused" && revision !== "");
  const good = asked.filter(({ kind }) => kind === "good");
  const byRevision: AnsweredCount["byRevision"] = {};
  for (const { kind, revision } of asked) {
    const sum = (byRevision[revision] ??= { requests: 0, failed: 0 });
    sum.requests += 1;
    if (kind === "failed") sum.failed += 1;
  }
  return {
    from, to, byRevision,
    requests: asked.length,
    failed: asked.filter(({ kind }) => kind === "failed").length,
    refused: lines.filter(({ kind }) => kind === "refused").length,
    gap: longestGap(good),
    ...stepped(asked, from, to),
  };
}

function longestGap(good: readonly Line[]): AnsweredCount["gap"] {
  let gap: AnsweredCount["gap"] = null;
  good.slice(1).forEach(({ at }, index) => {
    const before = good[index]?.at ?? at;
    if (gap === null || at - before > gap.ms) gap = { ms: at - before, at: before };
  });
  return gap;
}

function stepped(lines: readonly Line[], from: number, to: number): Pick<AnsweredCount, "stepMs" | "steps"> {
  const stepMs = STEPS_MS.find((ms) => (to - from) / ms <= MAX_STEPS) ?? Math.ceil((to - from) / MAX_STEPS);
  const steps: AnsweredCount["steps"] = Array.from({ length: Math.max(1, Math.ceil((to - from) / stepMs)) }, (_, index) => ({ at: from + index * stepMs, failed: 0, good: {} }));
  for (const { at, kind, revision } of lines) {
    const step = steps[Math.min(steps.length - 1, Math.floor((at - from) / stepMs))];
    if (step === undefined) continue;
    if (kind === "failed") step.failed += 1;
    if (kind === "good") step.good[revision] = (step.good[revision] ?? 0) + 1;
  }
  return { stepMs, steps };
}

/** Milliseconds since 1970; null for what has no time. */
function timeOf(line: string): number | null {
  const { time } = timed(line);
  return time === "" ? null : Date.parse(`${time.slice(0, 23)}Z`);
}

/**
 * Null for what is no request of a user's in that span, and for websockets that were open: their line comes when they end. The time
 * comes first, for most of a log is of other spans.
 */
function parse(line: string, from: number, to: number): Line | null {
  const at = timeOf(line);
  const request = at === null || at < from || at > to ? null : parseLine(timed(line).text);
  if (at === null || request === null) return null;
  if (request.kind === "frozen") return { at, kind: "refused", revision: "" };
  const revision = revisionOfRequest(request);
  if (revision === null) return null;
  const { errors, left, socketsEnded } = trafficOf(request);
  if (socketsEnded > 0) return null;
  return { at, kind: errors > 0 ? "failed" : left > 0 ? "gone" : "good", revision };
}
