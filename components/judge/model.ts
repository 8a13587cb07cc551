/** What a canary is judged by, and what comes of it. Data only. */
import type { Histogram } from "../metrics/histogram.js";

/** What is still well. */
export interface Thresholds {
  /** By how many percentage points more of a canary's requests may fail than of the release's that serves. */
  errors: number;
  /** By how many percent its pages may be slower, and milliseconds by which they may be in any case. */
  slower: number;
  slack: number;
  /** Milliseconds that half of its answers, and 99 of 100, must keep within; null: any. */
  p50: number | null;
  p99: number;
  /** Percent of its memory's limit. */
  memory: number;
}

/** What one of the two got since the judging began. */
export interface Side {
  requests: number;
  /** The release's fault; of all requests. */
  errors: number;
  /** Websockets that were opened, or could not be. */
  sockets: number;
  socketsFailed: number;
  /** Containers. */
  replicas: number;
  /** Exceptions and the like in their logs. */
  scriptErrors: number;
  /** Answer times of pages: the same kind of request on both sides. Milliseconds. */
  pages: Histogram;
  /** Answer times of every GET and HEAD. */
  answers: Histogram;
  clients: Clients;
}

/**
 * The same by clients. In {@link Side} no client counts for more than its share; here each counts once, however much it asked. A verdict
 * must hold by both.
 */
export interface Clients {
  all: number;
  /** Those that met a failure of the release's. */
  failed: number;
  /** Those that had a websocket, or could not open one; the open ones count as one client each. */
  sockets: number;
  socketsFailed: number;
  /** Half of a client's pages were within it; one time for each client. */
  medians: Histogram;
  /** A client's slowest answer; one time for each client. */
  slowest: Histogram;
  /** What the client counts for that met the most failures. */
  worst: { failed: number; of: number };
  /** Requests beyond a client's share, which are left out. */
  leftOut: number;
}

/** What Docker tells of the canary's containers. */
export interface Containers {
  /** How often one was restarted since the judging began. */
  restarts: number;
  /** Why one does not run, or ran out of memory; "": all do. */
  down: string;
  /** Share of its limit, from 0 to 1, of the container nearest to it: at each look, oldest first. */
  memory: readonly number[];
}

/** What synthetic sessions of one of the two got. */
export interface Runs {
  /** Of the app's script, those that could not be begun among them. */
  runs: number;
  failed: number;
  /** Of those that ended well, but for the first of each session. Milliseconds. */
  times: Histogram;
}

export interface Evidence {
  canary: Side;
  stable: Side;
  containers: Containers;
  /** Null: there were none. */
  synthetic: { canary: Runs; stable: Runs } | null;
}

export const TESTS = [
  "errors", "websockets", "scriptErrors", "slower", "p50", "p99", "restarts", "memory",
  "syntheticErrors", "syntheticSlower", "syntheticP50", "syntheticP99",
] as const;
export type TestName = (typeof TESTS)[number];

/** Tests of users' requests that take evidence to pass, and those by which synthetic sessions fill in for it. */
export const FILLED: ReadonlyMap<TestName, TestName> = new Map([["errors", "syntheticErrors"], ["slower", "syntheticSlower"], ["p50", "syntheticP50"], ["p99", "syntheticP99"]]);

/** It counts runs of the script by synthetic sessions, not requests. */
export function isSynthetic(test: TestName): boolean {
  return [...FILLED.values()].includes(test);
}

export const RESULTS = ["pass", "fail", "insufficient"] as const;
export type Result = (typeof RESULTS)[number];

/** What one test says. */
export interface Finding {
  test: TestName;
  result: Result;
  /** One clause with the numbers. */
  what: string;
  /** Of the canary and of the release that serves; 0 where nothing is counted. */
  samples: { canary: number; stable: number };
  /** Of chance doing as much, were the canary no worse; null where there is no chance in it. */
  p: number | null;
  /** 90 %: of the difference in percentage points, or of the canary's median in milliseconds; null where there is none. */
  interval: readonly [number, number] | null;
  /** Requests to the canary (or runs of its script) with which it would be decided, should it go on so; null: it is, or none would. */
  needed: number | null;
}

export interface Verdict {
  verdict: Result;
  /** Worst first. */
  findings: Finding[];
  /** In one sentence. */
  summary: string;
}
