/** What staging tells of a tag: whether it runs there, whether it is still the same commit, and how it does. Pure. */
import { quantile } from "../metrics/histogram.js";
import { errorRate, msInWords, percent, type Traffic } from "../metrics/traffic.js";
import { type Answer, fail, pass, unknown } from "./model.js";

/** What is known of a release, as records have it. */
export interface Known {
  tag: string;
  commit: string;
  revision: string;
}

export interface Target {
  tag: string;
  commit: string;
}

/** Fewer requests tell nothing of a p99. */
const ENOUGH = 100;

/**
 * A tag is what it was: wherever it was released, or gone through, before.
 * @param before with where that was
 */
export function checkTag({ tag, commit }: Target, before: readonly { commit: string; where: string }[]): Answer {
  const other = before.filter((one) => one.commit !== commit);
  const short = commit.slice(0, 12);
  return other.length === 0
    ? pass(`${tag} leads to ${short}${before.length === 0 ? "" : `, as it did ${before.map(({ where }) => where).join(" and ")}`}`)
    : fail(`${tag} was moved: it leads to ${short} now`, other.map((one) => `it led to ${one.commit.slice(0, 12)} ${one.where}`));
}

/** @param ledger of staging, oldest first; null: why it cannot be read */
export function checkStaging({ tag, commit }: Target, stack: string, ledger: readonly Known[] | { why: string }): Answer {
  if ("why" in ledger) return unknown(`stack ${stack} cannot be looked at from here: ${ledger.why}`);
  const present = ledger.at(-1);
  if (present === undefined) return fail(`nothing is released on ${stack}`);
  if (present.tag !== tag) return fail(`${stack} runs ${present.tag}`);
  return present.commit === commit ? pass(`${stack} runs ${tag}`) : fail(`${stack} runs another commit of ${tag}: ${present.commit.slice(0, 12)}`);
}

/** @param traffic of the tag on staging; null: why there is none to look at @param budget `p99` in milliseconds, `errorRate` from 0 to 1 */
export function checkBudget(traffic: Traffic | { why: string }, budget: { p99: number; errorRate: number }): Answer {
  if ("why" in traffic) return unknown(traffic.why);
  if (traffic.requests < ENOUGH) return unknown(`staging had ${traffic.requests} requests in the last hour, and ${ENOUGH} are needed to judge`);
  const [rate, p99] = [errorRate(traffic) ?? 0, quantile(traffic.latency, 0.99) ?? 0];
  const what = `${traffic.requests} requests in the last hour, ${percent(rate)} errors (at most ${percent(budget.errorRate)}), p99 ${msInWords(p99)} (at most ${msInWords(budget.p99)})`;
  return rate <= budget.errorRate && p99 <= budget.p99 ? pass(what) : fail(what);
}
