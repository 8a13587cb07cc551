/** The result of a run, as written to `--out`. Moments (`at`, `first`, `last`) are Unix milliseconds; all other times are milliseconds. */
import type { Kind } from "./schedule.js";

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** How often and when a release was seen. */
export interface Seen {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export interface Failure {
  readonly at: number;
  readonly kind: Kind | "rerun";
  readonly who: string;
  readonly reason: string;
  readonly latencyMs: number;
}

export interface Cut {
  readonly at: number;
  readonly session: number;
  readonly code: number;
  readonly reason: string;
  /** The revision that the session's cookie named. */
  readonly release: string | null;
}

/** One second of the run. */
export interface Second {
  readonly at: number;
  readonly answered: number;
  readonly failed: number;
  readonly cut: number;
  readonly maxMs: number;
  /** Answers by the revision of the user's cookie. */
  readonly releases: Record<string, number>;
}

export interface LoadResult {
  readonly url: string;
  readonly startedAt: number;
  readonly seconds: number;
  /** False where the wanted rate was not reached: the numbers then prove nothing. */
  readonly valid: boolean;
  /** Valid, nothing failed, no session cut. */
  readonly clean: boolean;
  readonly rate: {
    readonly wanted: number;
    /** Share of the requests that left within 250 ms of their scheduled moment. */
    readonly reached: number;
    /** The latest departure. */
    readonly latestMs: number;
  };
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  /** The first 20. */
  readonly failures: readonly Failure[];
  readonly latency: Latency;
  readonly byKind: Record<Kind, { sent: number; failed: number; latency: Latency }>;
  readonly longestGapMs: number;
  readonly releases: {
    /** By the proxy's cookie, as the user held it after the answer. */
    readonly byCookie: Record<string, Seen>;
    /** By the words `Release: vX` in what the sessions' script runs sent. */
    readonly byMarker: Record<string, Seen>;
    /** Each time that new users began to be given another release. */
    readonly moves: readonly { at: number; from: string | null; to: string | null }[];
  };
  readonly sessions: {
    readonly wanted: number;
    readonly opened: number;
    /** Never cut, and open at the end. */
    readonly kept: number;
    /** Times that the server or proxy closed one that nobody had asked to close. */
    readonly cut: number;
    readonly cuts: readonly Cut[];
    readonly reconnected: number;
    readonly longestReconnectMs: number;
    /** Not open at the end. */
    readonly down: number;
    /** Times that a session reloaded its page by its own choice; not cuts. */
    readonly reloads: number;
    /** Attempts to connect that did not end in a session (a browser tries again by itself). */
    readonly connectFailures: number;
    readonly connectProblems: readonly { at: number; session: number; reason: string }[];
    readonly reruns: number;
    readonly rerunsFailed: number;
    readonly rerunFailures: readonly Failure[];
    /** Reruns and uploads under way in a session at the moment that it was cut: counted by the cut, not as failed. */
    readonly lostWithSession: number;
    readonly rerunLatency: Latency;
  };
  readonly timeline: readonly Second[];
}
