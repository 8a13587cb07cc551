/**
 * Whether a canary is as good as the release that serves: a pure function of what both got. It fails on evidence that it is worse, and
 * passes on evidence that it is not; what is neither is not enough. Fails are sought at several looks by several tests, so each look has
 * its part of the 5 % of false alarms (Bonferroni), and Holm's procedure parts that among its tests. It passes at the last look alone,
 * and by all tests together, so that nothing adds up there.
 */
import { classes, countOf, type Histogram, middleOf, quantile } from "../metrics/histogram.js";
import { msInWords, percent } from "../metrics/traffic.js";
import { alphaOf, FALSE_ALARMS } from "./looks.js";
import { evidenceToDecide } from "./needed.js";
import type { Evidence, Finding, Result, Side, TestName, Thresholds, Verdict } from "./model.js";
import { medianInterval, rank, type Ranked, samplesToRank } from "./ranks.js";
import { atLeast, type Count, difference, fisher, rateOf } from "./rates.js";

/** Of declaring a canary as good that is worse by what is allowed: of each test. */
export const FALSE_PASSES = 0.05;
/** Answers without which a quantile says nothing. */
const FOR_P99 = 100;
const FOR_P50 = 20;
/** Looks in a row at which memory must be above. */
const MEMORY_LOOKS = 3;
const POWER = 0.8;

/** One test before it is known which p-value is small enough. */
interface Draft extends Omit<Finding, "result"> {
  /** The numbers are beyond what is allowed, so that a small p-value means something. */
  beyond: boolean;
  /** With no p-value: it has failed. */
  failed?: boolean;
  /** There is evidence that it keeps within. `unneeded`: it may fail, but need not be shown to be well. */
  well: boolean | "unneeded";
}

/** @param looks at which it may fail, this one among them */
export function judge(thresholds: Thresholds, evidence: Evidence, looks: number): Verdict {
  const drafts = [...shares(thresholds, evidence, looks), pages(thresholds, evidence), ...limits(thresholds, evidence), ...containers(thresholds, evidence)];
  const significant = holm(drafts, FALSE_ALARMS / looks);
  const findings = drafts.map((draft): Finding => finding(draft, significant));
  const order: Result[] = ["fail", "insufficient", "pass"];
  findings.sort((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
  const verdict = findings[0]?.result ?? "insufficient";
  return { verdict, findings, summary: summaryOf(verdict, findings) };
}

function finding({ beyond, failed, well, ...draft }: Draft, significant: ReadonlySet<TestName>): Finding {
  const fails = failed === true || (beyond && significant.has(draft.test));
  const result = fails ? "fail" : well === false ? "insufficient" : "pass";
  return { ...draft, result, needed: result === "insufficient" ? draft.needed : null };
}

/** Holm's step-down: the tests whose null hypothesis falls at this level, over all of them. */
function holm(drafts: readonly Draft[], alpha: number): Set<TestName> {
  const sorted = drafts.flatMap(({ test, p }) => (p === null ? [] : [{ test, p }])).sort((a, b) => a.p - b.p);
  const kept = sorted.findIndex(({ p }, at) => p > alpha / (sorted.length - at));
  return new Set((kept < 0 ? sorted : sorted.slice(0, kept)).map(({ test }) => test));
}

function shares({ errors }: Thresholds, { canary, stable }: Evidence, looks: number): Draft[] {
  const allowed = errors / 100;
  const of = (test: TestName, noun: string, a: Count, b: Count, p: number): Draft => {
    const interval = difference(a, b);
    const more = rateOf(a) - rateOf(b);
    const points = interval.map((share) => (share * 100).toFixed(2)).join(" to ");
    return {
      test, p, samples: { canary: a.of, stable: b.of }, interval: [interval[0] * 100, interval[1] * 100],
      what: a.of === 0 || b.of === 0
        ? `no ${noun} to compare: ${a.of} of the canary, ${b.of} of what serves`
        : `${a.failed} of ${a.of} ${noun} failed (${percent(rateOf(a))}) against ${b.failed} of ${b.of} (${percent(rateOf(b))}), a difference of ${points} percentage points`,
      beyond: more > allowed,
      well: test !== "errors" ? "unneeded" : a.of > 0 && b.of > 0 && interval[1] <= allowed,
      needed: test === "errors" ? evidenceToDecide(a, b, allowed, alphaOf(looks)) : null,
    };
  };
  const [ours, theirs] = [{ failed: canary.errors, of: canary.requests }, { failed: stable.errors, of: stable.requests }];
  const sockets = (side: Side): Count => ({ failed: side.socketsFailed, of: side.sockets });
  return [
    of("errors", "requests", ours, theirs, fisher(ours, theirs)),
    of("websockets", "websockets", sockets(canary), sockets(stable), fisher(sockets(canary), sockets(stable))),
    scripts(errors, canary, stable),
  ];
}

/**
 * Of all errors in the logs, so many are the canary's. Some come with requests, of which it has a share, and some with time (health
 * checks, timers), which each container has as much of: it is taken for worse if neither explains them.
 */
function scripts(errors: number, canary: Side, stable: Side): Draft {
  const [ours, theirs] = [canary.scriptErrors, stable.scriptErrors];
  const part = (a: number, b: number): number => (a + b === 0 ? 1 : a / (a + b));
  const share = Math.max(part(canary.requests, stable.requests), part(canary.replicas, stable.replicas));
  const more = share === 1 ? 0 : ours - (theirs * share) / (1 - share);
  return {
    test: "scriptErrors", p: atLeast({ failed: ours, of: ours + theirs }, share), samples: { canary: canary.requests, stable: stable.requests }, interval: null,
    what: `${ours} errors in the app's log, in ${canary.requests} requests, against ${theirs} in ${stable.requests}`,
    beyond: more > (canary.requests * errors) / 100, well: "unneeded", needed: null,
  };
}

/** Beside the factor, a time of its own is allowed: twice of a millisecond is no harm. */
function pages({ slower, slack }: Thresholds, { canary, stable }: Evidence): Draft {
  const ranked = rank(canary.pages, stable.pages, (ms) => Math.min(ms / (1 + slower / 100), ms - slack));
  const samples = { canary: countOf(canary.pages), stable: countOf(stable.pages) };
  const interval = medianInterval(canary.pages);
  const half = (times: Histogram): string => msInWords(quantile(times, 0.5) ?? 0);
  return {
    test: "slower", p: ranked?.longer ?? null, samples, interval, beyond: true,
    what: ranked === null || interval === null
      ? `no pages to compare: ${samples.canary} of the canary, ${samples.stable} of what serves`
      : `half of ${samples.canary} pages within ${half(canary.pages)} (${interval.map(msInWords).join(" to ")}) against ${half(stable.pages)} of ${samples.stable}; ${slower} % or ${msInWords(slack)} more are allowed`,
    well: ranked !== null && ranked.shorter <= FALSE_PASSES,
    needed: ranked === null ? null : toRank(ranked, samples),
  };
}

function toRank({ superiority }: Ranked, { canary, stable }: Finding["samples"]): number | null {
  const needed = samplesToRank(superiority, canary / (canary + stable), FALSE_PASSES, POWER);
  return Number.isFinite(needed) && needed > canary ? needed : null;
}

function limits({ p50, p99 }: Thresholds, { canary: { answers } }: Evidence): Draft[] {
  const of = (test: TestName, share: number, limit: number, least: number): Draft => {
    const count = countOf(answers);
    const over = classes(answers).reduce((sum, [at, inClass]) => (middleOf(at) > limit ? sum + inClass : sum), 0);
    const measured = quantile(answers, share);
    return {
      test, p: atLeast({ failed: over, of: count }, 1 - share), samples: { canary: count, stable: 0 }, interval: null,
      what: measured === null ? "no answer" : `${test} ${msInWords(measured)} of ${count} answers, with a limit of ${msInWords(limit)}`,
      beyond: over > count * (1 - share),
      well: count >= least && over <= count * (1 - share),
      needed: count < least ? least : null,
    };
  };
  return [...(p50 === null ? [] : [of("p50", 0.5, p50, FOR_P50)]), of("p99", 0.99, p99, FOR_P99)];
}

function containers({ memory }: Thresholds, { containers: { restarts, down, memory: shares } }: Evidence): Draft[] {
  const last = shares.slice(-MEMORY_LOOKS);
  const none = { p: null, samples: { canary: 0, stable: 0 }, interval: null, needed: null, beyond: false, well: "unneeded" as const };
  const restarted = `${restarts} restart${restarts === 1 ? "" : "s"} of its containers`;
  return [
    { ...none, test: "restarts", failed: restarts > 0 || down !== "", what: down === "" ? restarted : down },
    {
      ...none, test: "memory", failed: last.length === MEMORY_LOOKS && last.every((share) => share * 100 > memory),
      what: last.length === 0 ? "its memory was not measured" : `${percent(last.at(-1) ?? 0)} of its memory in use, with a limit of ${memory} %`,
    },
  ];
}

function summaryOf(verdict: Result, findings: readonly Finding[]): string {
  const told = findings.filter(({ result }) => result === verdict);
  if (verdict === "pass") return `no worse than what serves: ${findings.filter(({ test }) => ["errors", "slower", "p99"].includes(test)).map(({ what }) => what).join("; ")}`;
  const chance = (p: number | null): string => (p === null || verdict !== "fail" ? "" : ` (by chance: ${p < 0.0001 ? "less than 0.01 %" : percent(p)})`);
  const more = (needed: number | null): string => (needed === null ? "" : `; ${needed} requests to the canary would decide`);
  return `${verdict === "fail" ? "worse than what serves" : "not enough evidence"}: ${told.map(({ what, p, needed }) => `${what}${chance(p)}${more(needed)}`).join("; ")}`;
}
