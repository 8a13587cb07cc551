/** What a release's users got: counts and answer times, which add up over any number of spans. Pure. */
import { addHistograms, type Histogram, quantile } from "./histogram.js";

export interface Traffic {
  /** Requests that have ended, failed ones among them; websockets count once they have ended. */
  requests: number;
  /** Answered with 500 or more, cut off, or not answered at all: the release's fault. */
  errors: number;
  /** Users who went before there was an answer: no errors, but their wait counts as a latency. */
  left: number;
  /** Websockets that were open, and have ended. */
  socketsEnded: number;
  /** Websockets that could not be opened; each is an error as well. */
  socketsFailed: number;
  /** Parts of the page that this release has and the one that was asked first has not: of a tab of this release, without its cookie. */
  partsLent: number;
  /** Parts of the page that no release has: of a tab of a release that is gone. */
  partsMissing: number;
  /**
   * Milliseconds from a request's arrival until the answer began, of GET and HEAD that did not fail: how long an upload takes is its
   * sender's affair.
   */
  latency: Histogram;
}

/** By revision; those without a request are left out. */
export type TrafficByRevision = Readonly<Record<string, Traffic>>;

/** What of it is a plain number. */
export const COUNTS = ["requests", "errors", "left", "socketsEnded", "socketsFailed", "partsLent", "partsMissing"] as const;

/** Every count, each as it is told. */
export function eachCount(value: (key: (typeof COUNTS)[number]) => number): Omit<Traffic, "latency"> {
  return {
    requests: value("requests"), errors: value("errors"), left: value("left"), socketsEnded: value("socketsEnded"), socketsFailed: value("socketsFailed"),
    partsLent: value("partsLent"), partsMissing: value("partsMissing"),
  };
}

export const NO_TRAFFIC: Traffic = { requests: 0, errors: 0, left: 0, socketsEnded: 0, socketsFailed: 0, partsLent: 0, partsMissing: 0, latency: {} };

export function sumTraffic(all: readonly Traffic[]): Traffic {
  return { ...eachCount((key) => all.reduce((total, one) => total + one[key], 0)), latency: addHistograms(all.map(({ latency }) => latency)) };
}

export function addByRevision(all: readonly TrafficByRevision[]): TrafficByRevision {
  const revisions = [...new Set(all.flatMap((one) => Object.keys(one)))];
  return Object.fromEntries(revisions.map((revision) => [revision, sumTraffic(all.flatMap((one) => one[revision] ?? []))]));
}

/** From 0 to 1; null without requests. */
export function errorRate({ requests, errors }: Traffic): number | null {
  return requests === 0 ? null : errors / requests;
}

/** `1200 requests (20.0/s), 0.25 % errors, p50 21 ms, p99 340 ms`. @param ms that it was counted for */
export function trafficInWords(traffic: Traffic, ms: number): string {
  const { requests, errors, latency } = traffic;
  const [p50, p99] = [quantile(latency, 0.5), quantile(latency, 0.99)];
  const times = p50 === null || p99 === null ? "" : `, p50 ${msInWords(p50)}, p99 ${msInWords(p99)}`;
  const failed = errors === 0 ? "no error" : `${percent(errors / requests)} errors`;
  return requests === 0 ? "no request" : `${requests} request${requests === 1 ? "" : "s"} (${((requests * 1000) / ms).toFixed(1)}/s), ${failed}${times}`;
}

/** A share from 0 to 1 as `0.25 %`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 ? value.toFixed(0) : Number(value.toFixed(2))} %`;
}

export function msInWords(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(0)} s` : ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}
