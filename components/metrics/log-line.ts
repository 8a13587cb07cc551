/** The proxy's log, line by line (its form is in traffic/config/general.ts), and what it says of each release. Pure. */
import { z } from "zod";
import { revisionOf, revisionOfParts, revisionOfSockets } from "../traffic/backend-names.js";
import { classes, classOf } from "./histogram.js";
import { COUNTS, NO_TRAFFIC, type Traffic, type TrafficByRevision } from "./traffic.js";

const line = z.object({
  /** Keyed hash of the client's address, hex; "" in lines of before there was one. */
  client: z.string().default(""),
  backend: z.string(),
  /** The revision that answered for a part of the page, where it is not the backend's; "" for all else. */
  by: z.string().default(""),
  /**
   * `page`, `part` (a script, a style or a font of Streamlit's page), `other`, `websocket` (a handshake that a server could accept, where the app has its stream); `frozen`: refused by a pause of
   * writes; `operators`: refused as it is for who has the key; `probe`: of who has it.
   */
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

/**
 * The user, who closed the connection or was silent, or an operator, who ended the session, before there was an answer: HAProxy writes
 * its own 400 or 503 for who went (`abortonclose`; seen with 2.6.12: `400 CH`).
 */
function went({ status, end }: LogLine): boolean {
  return (status < 100 && /^[CcK]/.test(end)) || /^[Cc][QCH]/.test(end);
}

/** The release that a request belongs to; null: to none, as the operator's looks and what the proxy answers by itself. A part that nobody has is missing in the release that was asked first. */
export function revisionOfRequest({ kind, backend, status, by }: LogLine): string | null {
  if (kind === "probe") return null;
  return revisionOf(backend) ?? (status === 404 || by === "" ? revisionOfParts(backend) : by);
}

/** What one request was to its release. */
export function trafficOf(request: LogLine): Traffic {
  const { status, end } = request;
  const sockets = revisionOfSockets(request.backend) !== null;
  const left = went(request);
  const opened = sockets && status === 101;
  const failed = !left && (unanswered(request) || status >= 500 || (isWhole(status) && cutShort(end)) || (sockets && isNoHandshake(status)));
  const timed = !sockets && !failed && ["GET", "HEAD"].includes(request.method);
  return {
    requests: 1, ...partsOf(request), errors: failed ? 1 : 0, left: left ? 1 : 0, socketsEnded: opened ? 1 : 0, socketsFailed: sockets && failed ? 1 : 0,
    latency: timed ? { [classOf(waited(request))]: 1 } : {},
  };
}

/** Parts of a page of another release: missing here, or had here alone. */
function partsOf(request: LogLine): Pick<Traffic, "partsLent" | "partsMissing"> {
  const [first, revision] = [revisionOfParts(request.backend), revisionOfRequest(request)];
  return { partsLent: first !== null && first !== revision ? 1 : 0, partsMissing: request.kind === "part" && request.status === 404 ? 1 : 0 };
}

/**
 * No answer came. An upload is no failure of the release's where the server ended the connection while the body came: a server that
 * refuses it by its size does so, and its answer is lost with the connection now and then (`-1 SD` of HAProxy 2.6).
 */
function unanswered({ status, method, end }: LogLine): boolean {
  return status < 100 && !(end.startsWith("SD") && ["POST", "PUT", "PATCH"].includes(method));
}

/** Whether its body is missed where it is cut: a refusal has been understood by then, and a websocket ends as it likes. */
function isWhole(status: number): boolean {
  return status >= 200 && status < 400;
}

/**
 * Whether a handshake that the app must accept got another answer than that of its websocket. The refusals that a client can bring about
 * (400, 403, 426 and the like) are about that client.
 */
function isNoHandshake(status: number): boolean {
  return isWhole(status) || status === 404;
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
    const revision = revisionOfRequest(request);
    if (revision === null) continue;
    const sum = sums.get(revision) ?? { ...NO_TRAFFIC, latency: {} };
    sums.set(revision, sum);
    const one = trafficOf(request);
    for (const key of COUNTS) sum[key] += one[key];
    for (const [at, count] of classes(one.latency)) sum.latency[at] = (sum.latency[at] ?? 0) + count;
  }
  return Object.fromEntries(sums);
}
