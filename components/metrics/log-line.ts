/** The proxy's log, line by line (its form is in traffic/render.ts), and what it says of each release. Pure. */
import { z } from "zod";
import { revisionOf, revisionOfSockets } from "../traffic/render.js";
import { classes, classOf } from "./histogram.js";
import { COUNTS, NO_TRAFFIC, type Traffic, type TrafficByRevision } from "./traffic.js";

const line = z.object({
  backend: z.string(),
  /** `page`, `websocket`, `other`; `frozen`: refused by a pause of writes. */
  kind: z.string(),
  method: z.string(),
  /** -1: none was sent. */
  status: z.number(),
  /** Milliseconds; -1: it did not come to that. */
  queue: z.number(), connect: z.number(), answer: z.number(), total: z.number(),
  /** Who ended it, and in which phase: two letters, HAProxy's termination state. */
  end: z.string(),
});

export type LogLine = z.output<typeof line>;

/** Null for what is no request: HAProxy says other things as well. */
export function parseLine(text: string): LogLine | null {
  if (!text.startsWith('{"time":')) return null;
  try {
    const parsed = line.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** The user, who closed the connection or was silent; or an operator, who ended the session. */
const NOT_THE_RELEASE = "CcK";

/** What one request was to its release. */
export function trafficOf(request: LogLine): Traffic {
  const sockets = revisionOfSockets(request.backend) !== null;
  const unanswered = request.status < 100;
  const left = unanswered && NOT_THE_RELEASE.includes(request.end.charAt(0));
  const opened = sockets && request.status === 101;
  const failed = !left && (sockets ? !opened : unanswered || request.status >= 500 || cutShort(request.end));
  const timed = !sockets && !failed && ["GET", "HEAD"].includes(request.method);
  return {
    requests: 1, errors: failed ? 1 : 0, left: left ? 1 : 0, socketsEnded: opened ? 1 : 0, socketsFailed: sockets && failed ? 1 : 0,
    latency: timed ? { [classOf(waited(request))]: 1 } : {},
  };
}

/** The server, or the proxy, broke off within the answer. */
function cutShort(end: string): boolean {
  return /^[SsPIR][HD]/.test(end);
}

function waited({ queue, connect, answer, total }: LogLine): number {
  return answer < 0 ? Math.max(0, total) : Math.max(0, queue) + Math.max(0, connect) + answer;
}

/** Requests alone. */
export function parseLines(texts: readonly string[]): LogLine[] {
  return texts.flatMap((text) => parseLine(text) ?? []);
}

/** Sums by release; looks through the preview header, refusals and the rest belong to none. */
export function tally(requests: readonly LogLine[]): TrafficByRevision {
  const sums = new Map<string, Traffic & { latency: Record<number, number> }>();
  // Into one sum for each release: an hour's log has a hundred thousand lines.
  for (const request of requests) {
    const revision = revisionOf(request.backend);
    if (revision === null) continue;
    const sum = sums.get(revision) ?? { ...NO_TRAFFIC, latency: {} };
    sums.set(revision, sum);
    const one = trafficOf(request);
    for (const key of COUNTS) sum[key] += one[key];
    for (const [at, count] of classes(one.latency)) sum.latency[at] = (sum.latency[at] ?? 0) + count;
  }
  return Object.fromEntries(sums);
}
