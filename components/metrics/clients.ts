/** What each client got of a release: so that no client's behaviour alone is taken for the release's. Pure. */
import { addHistograms, classes, countOf, type Histogram, middleOf } from "./histogram.js";
import { type LogLine, revisionOfRequest, tally } from "./log-line.js";
import { eachCount, sumTraffic, type Traffic } from "./traffic.js";

/** By the client's hash in the proxy's log. */
export type ByClient = Readonly<Record<string, Traffic>>;

/** By revision, and by client. */
export function tallyByClient(lines: readonly LogLine[]): Record<string, Record<string, Traffic>> {
  const groups = new Map<string, LogLine[]>();
  for (const line of lines) {
    if (revisionOfRequest(line) === null) continue;
    const group = groups.get(line.client);
    if (group === undefined) groups.set(line.client, [line]);
    else group.push(line);
  }
  const sums: Record<string, Record<string, Traffic>> = {};
  for (const [client, group] of groups) {
    for (const [revision, traffic] of Object.entries(tally(group))) (sums[revision] ??= {})[client] = traffic;
  }
  return sums;
}

export function addByClient(all: readonly ByClient[]): Record<string, Traffic> {
  const clients = [...new Set(all.flatMap((one) => Object.keys(one)))];
  return Object.fromEntries(clients.map((client) => [client, sumTraffic(all.flatMap((one) => one[client] ?? []))]));
}

/** Clients that are kept of each span: the few that could decide anything. */
const WEIGHTIEST = 4;

/** Those with the most failures, and then those that waited longest in all: of others, leaving one out changes less. */
export function weightiest(clients: ByClient, most: number = WEIGHTIEST): Record<string, Traffic> {
  const waited = (histogram: Histogram): number => classes(histogram).reduce((sum, [at, count]) => sum + middleOf(at) * count, 0);
  const all = Object.entries(clients);
  const failing = [...all].sort(([, a], [, b]) => b.errors - a.errors).slice(0, most);
  const waiting = [...all].sort(([, a], [, b]) => waited(b.latency) - waited(a.latency)).slice(0, most / 2);
  return Object.fromEntries([...failing, ...waiting]);
}

/** What is left of a sum without one that is part of it. */
export function without(all: Traffic, part: Traffic | undefined): Traffic {
  if (part === undefined) return all;
  const latency = Object.fromEntries(classes(all.latency).flatMap(([at, count]): [number, number][] => {
    const left = count - (part.latency[at] ?? 0);
    return left > 0 ? [[at, left]] : [];
  }));
  return { ...eachCount((key) => Math.max(0, all[key] - part[key])), latency };
}

/** No client counts for more than this share of what is compared. */
export const MOST_OF_ONE = 0.2;

/**
 * The most that one client may count for, so that none is more than its share of the sum of what all of them then count for. With so few
 * clients that each must be more, it is 1. @param counts of each client
 */
export function capOf(counts: readonly number[], share: number = MOST_OF_ONE): number {
  const fits = (cap: number): boolean => cap <= share * counts.reduce((sum, count) => sum + Math.min(count, cap), 0);
  let [low, high] = [1, Math.max(1, ...counts) + 1];
  // What fits is an interval from 1 on, as the sum grows slower and slower.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Times of clients, each within its share. */
export function cappedTimes(all: readonly Histogram[], share: number = MOST_OF_ONE): Histogram {
  const cap = capOf(all.map(countOf), share);
  return addHistograms(all.map((histogram) => scaled(histogram, Math.min(1, cap / Math.max(1, countOf(histogram))))));
}

/** The same distribution with fewer times: what is rounded away in one class goes to the next. */
function scaled(histogram: Histogram, factor: number): Histogram {
  if (factor >= 1) return histogram;
  let [due, given] = [0, 0];
  return Object.fromEntries(classes(histogram).flatMap(([at, count]): [number, number][] => {
    due += count * factor;
    const now = Math.round(due) - given;
    given += now;
    return now > 0 ? [[at, now]] : [];
  }));
}
