/** Canaries whose truth is known, for the judge to find out: requests, errors and times by chance, seeded. */
import { judge } from "../../components/judge/judge.js";
import type { Evidence, Side, Thresholds, Verdict } from "../../components/judge/model.js";
import { addHistograms, histogramOf } from "../../components/metrics/histogram.js";
import type { Random } from "../support/random.js";

/** As the defaults are. */
export const THRESHOLDS: Thresholds = { errors: 1, slower: 25, slack: 20, p50: null, p99: 10_000, memory: 90 };

/** How a release is in truth. */
export interface Truth {
  /** Share of its requests that fail. */
  errors: number;
  /** Milliseconds that half of its pages take; times are lognormal. */
  median: number;
}

/** Of the logarithm of a page's time: 1 of 100 takes 3.2 times the median. */
const SPREAD = 0.5;

export const NOTHING: Side = { requests: 0, errors: 0, sockets: 0, socketsFailed: 0, replicas: 1, scriptErrors: 0, pages: {}, answers: {}, clients: { all: 0, failed: 0, sockets: 0, socketsFailed: 0, medians: {}, slowest: {}, worst: { failed: 0, of: 0 }, leftOut: 0 } };

/** The same where each request is another client's. */
export function eachOfAnother(side: Side): Side {
  const { requests: all, errors: failed, sockets, socketsFailed, pages: medians, answers: slowest } = side;
  return { ...side, clients: { all, failed, sockets, socketsFailed, medians, slowest, worst: { failed: Math.min(1, failed), of: Math.min(1, all) }, leftOut: 0 } };
}

/** From 0 to 1. */
const uniform = (random: Random): number => random.int(1, 2 ** 30) / (2 ** 30 + 1);

/** So many requests more; of a Streamlit app one in ten is a websocket. */
function more(side: Side, requests: number, { errors, median }: Truth, random: Random): Side {
  const times: number[] = [];
  let [failed, sockets, socketsFailed] = [0, 0, 0];
  for (let n = 0; n < requests; n += 1) {
    const isSocket = n % 10 === 9;
    const fails = uniform(random) < errors;
    if (isSocket) sockets += 1;
    if (fails) failed += 1;
    if (fails && isSocket) socketsFailed += 1;
    const normal = Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
    if (!fails && !isSocket) times.push(median * Math.exp(SPREAD * normal));
  }
  const histogram = histogramOf(times);
  return eachOfAnother({
    ...side,
    requests: side.requests + requests, errors: side.errors + failed, sockets: side.sockets + sockets, socketsFailed: side.socketsFailed + socketsFailed, scriptErrors: side.scriptErrors + failed,
    pages: addHistograms([side.pages, histogram]), answers: addHistograms([side.answers, histogram]),
  });
}

export interface Simulation {
  canary: Truth;
  stable: Truth;
  /** To the canary, until the last look. */
  requests: number;
  weight: number;
  looks: number;
}

/** Judged as a real one is: a fail ends it at once, all else at the last look. @returns the verdict, and the look that gave it */
export function simulate({ canary, stable, requests, weight, looks }: Simulation, random: Random): Verdict & { look: number } {
  let evidence: Evidence = { canary: NOTHING, stable: NOTHING, containers: { restarts: 0, down: "", memory: [0.4] }, synthetic: null };
  for (let look = 1; ; look += 1) {
    const [from, to] = [look - 1, look].map((at) => Math.round((requests * at) / looks));
    const fresh = (to ?? 0) - (from ?? 0);
    evidence = { ...evidence, canary: more(evidence.canary, fresh, canary, random), stable: more(evidence.stable, Math.round((fresh * (100 - weight)) / weight), stable, random) };
    const verdict = judge(THRESHOLDS, evidence, looks);
    if (verdict.verdict === "fail" || look === looks) return { ...verdict, look };
  }
}
