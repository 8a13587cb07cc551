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
import { type Evidence, FILLED, type Finding, isSynthetic, type Result, type Side, type TestName, type Thresholds, type Verdict } from "./model.js";
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
/** What synthetic sessions have. */
const RUNS = "runs of the script by synthetic sessions";

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
  const alpha = alphaOf(looks, evidence.synthetic !== null);
  const drafts = [...users(thresholds, evidence, alpha), ...containers(thresholds, evidence), ...synthetic(thresholds, evidence.synthetic, alpha)];
  const significant = holm(drafts, FALSE_ALARMS / looks);
  const findings = drafts.map((draft): Finding => finding(draft, significant));
  const order: Result[] = ["fail", "insufficient", "pass"];
  findings.sort((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
  const open = undecided(findings);
  const verdict = findings[0]?.result === "fail" ? "fail" : open.length > 0 ? "insufficient" : "pass";
  return { verdict, findings, summary: summaryOf(verdict, findings, open) };
}

/** What is not decided, by users' requests or by the synthetic sessions that fill in for them. */
function undecided(findings: readonly Finding[]): Finding[] {
  const passed = new Set(findings.flatMap(({ test, result }) => (result === "pass" ? [test] : [])));
  const filled = [...FILLED].flatMap((pair) => (pair.some((test) => passed.has(test)) ? pair : []));
  return findings.filter(({ test, result }) => result === "insufficient" && !filled.includes(test));
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

function users(thresholds: Thresholds, { canary, stable }: Evidence, alpha: number): Draft[] {
  const allowed = thresholds.errors / 100;
  const sockets = (side: Side): Count => ({ failed: side.socketsFailed, of: side.sockets });
  return [
    failures("errors", "requests", { failed: canary.errors, of: canary.requests }, { failed: stable.errors, of: stable.requests }, { allowed, alpha }),
    { ...failures("websockets", "websockets", sockets(canary), sockets(stable), { allowed, alpha }), well: "unneeded", needed: null },
    scripts(thresholds.errors, canary, stable),
    slower("slower", "pages", canary.pages, stable.pages, thresholds),
    ...limits({ p50: "p50", p99: "p99" }, "answers", canary.answers, thresholds),
  ];
}

function synthetic(thresholds: Thresholds, evidence: Evidence["synthetic"], alpha: number): Draft[] {
  if (evidence === null) return [];
  const { canary, stable } = evidence;
  return [
    failures("syntheticErrors", RUNS, { failed: canary.failed, of: canary.runs }, { failed: stable.failed, of: stable.runs }, { allowed: thresholds.errors / 100, alpha }),
    slower("syntheticSlower", RUNS, canary.times, stable.times, thresholds),
    ...limits({ p50: "syntheticP50", p99: "syntheticP99" }, RUNS, canary.times, thresholds),
  ];
}

/** @param noun what failed or did not, in the plural */
function failures(test: TestName, noun: string, a: Count, b: Count, { allowed, alpha }: { allowed: number; alpha: number }): Draft {
  const interval = difference(a, b);
  const points = interval.map((share) => (share * 100).toFixed(2)).join(" to ");
  return {
    test, p: fisher(a, b), samples: { canary: a.of, stable: b.of }, interval: [interval[0] * 100, interval[1] * 100],
    what: a.of === 0 || b.of === 0
      ? `no ${noun} to compare: ${a.of} of the canary, ${b.of} of what serves`
      : `${a.failed} of ${a.of} ${noun} failed (${percent(rateOf(a))}) against ${b.failed} of ${b.of} (${percent(rateOf(b))}), a difference of ${points} percentage points`,
    beyond: rateOf(a) - rateOf(b) > allowed,
    well: a.of > 0 && b.of > 0 && interval[1] <= allowed,
    needed: evidenceToDecide(a, b, allowed, alpha),
  };
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
function slower(test: TestName, noun: string, canary: Histogram, stable: Histogram, { slower: share, slack }: Thresholds): Draft {
  const ranked = rank(canary, stable, (ms) => Math.min(ms / (1 + share / 100), ms - slack));
  const samples = { canary: countOf(canary), stable: countOf(stable) };
  const interval = medianInterval(canary);
  const half = (times: Histogram): string => msInWords(quantile(times, 0.5) ?? 0);
  return {
    test, p: ranked?.longer ?? null, samples, interval, beyond: true,
    what: ranked === null || interval === null
      ? `no ${noun} to compare: ${samples.canary} of the canary, ${samples.stable} of what serves`
      : `half of ${samples.canary} ${noun} within ${half(canary)} (${interval.map(msInWords).join(" to ")}) against ${half(stable)} of ${samples.stable}; ${share} % or ${msInWords(slack)} more are allowed`,
    well: ranked !== null && ranked.shorter <= FALSE_PASSES,
    needed: ranked === null ? null : toRank(ranked, samples),
  };
}

function toRank({ superiority }: Ranked, { canary, stable }: Finding["samples"]): number | null {
  const needed = samplesToRank(superiority, canary / (canary + stable), FALSE_PASSES, POWER);
  return Number.isFinite(needed) && needed > canary ? needed : null;
}

function limits(names: Readonly<Record<"p50" | "p99", TestName>>, noun: string, answers: Histogram, { p50, p99 }: Thresholds): Draft[] {
  const of = (test: TestName, share: number, limit: number, least: number): Draft => {
    const count = countOf(answers);
    const over = classes(answers).reduce((sum, [at, inClass]) => (middleOf(at) > limit ? sum + inClass : sum), 0);
    const measured = quantile(answers, share);
    return {
      test, p: atLeast({ failed: over, of: count }, 1 - share), samples: { canary: count, stable: 0 }, interval: null,
      what: measured === null ? `no ${noun}` : `p${share * 100} ${msInWords(measured)} of ${count} ${noun}, with a limit of ${msInWords(limit)}`,
      beyond: over > count * (1 - share),
      well: count >= least && over <= count * (1 - share),
      needed: count < least ? least : null,
    };
  };
  return [...(p50 === null ? [] : [of(names.p50, 0.5, p50, FOR_P50)]), of(names.p99, 0.99, p99, FOR_P99)];
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

/** Tests of which a pass is told. */
const TOLD: readonly TestName[] = ["errors", "slower", "p99", "syntheticErrors", "syntheticSlower", "syntheticP99"];

function summaryOf(verdict: Result, findings: readonly Finding[], open: readonly Finding[]): string {
  if (verdict === "pass") return `no worse than what serves: ${findings.filter(({ test, result }) => result === "pass" && TOLD.includes(test)).map(({ what }) => what).join("; ")}`;
  const told = verdict === "fail" ? findings.filter(({ result }) => result === "fail") : open;
  const chance = (p: number | null): string => (p === null || verdict !== "fail" ? "" : ` (by chance: ${p < 0.0001 ? "less than 0.01 %" : percent(p)})`);
  const more = ({ test, needed }: Finding): string => (needed === null ? "" : `; ${needed} ${isSynthetic(test) ? "runs of its script" : "requests to the canary"} would decide`);
  return `${verdict === "fail" ? "worse than what serves" : "not enough evidence"}: ${told.map((one) => `${one.what}${chance(one.p)}${more(one)}`).join("; ")}`;
}
