/**
 * Whether a canary is as good as the release that serves: a pure function of what both got. It fails on evidence that it is worse, and
 * passes on evidence that it is not; what is neither is not enough. Fails are sought at several looks by several tests, so each look has
 * its part of the 5 % of false alarms (Bonferroni), and Holm's procedure parts that among its tests. It passes at the last look alone,
 * and by all tests together, so that nothing adds up there.
 */
import { percent } from "../metrics/traffic.js";
import { agreed, agreedTimes, errors, severalOver } from "./agreed.js";
import { clientsInWords, SEVERAL } from "./clients.js";
import { type Draft, failures, limits, slower } from "./drafts.js";
import { alphaOf, FALSE_ALARMS } from "./looks.js";
import { type Evidence, FILLED, type Finding, isSynthetic, type Result, type Side, type TestName, type Thresholds, type Verdict } from "./model.js";
import { atLeast, type Count } from "./rates.js";

/** Looks in a row at which memory must be above. */
const MEMORY_LOOKS = 3;
/** What synthetic sessions have. */
const RUNS = "runs of the script by synthetic sessions";

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
  return { verdict, findings, summary: `${summaryOf(verdict, findings, open)}${clientsInWords(evidence.canary.clients, evidence.stable.clients)}` };
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
  const cut = ({ clients }: Side): Count => ({ failed: clients.socketsFailed, of: clients.sockets });
  return [
    errors(canary, stable, { allowed, alpha }),
    { ...agreed(failures("websockets", "websockets", sockets(canary), sockets(stable), { allowed, alpha }), cut(canary), cut(stable)), well: "unneeded", needed: null },
    scripts(thresholds.errors, canary, stable),
    agreedTimes(slower("slower", "pages", canary.pages, stable.pages, thresholds), canary, stable, thresholds),
    ...limits({ p50: "p50", p99: "p99" }, "answers", canary.answers, thresholds).map((draft) => severalOver(draft, canary, draft.test === "p50" ? (thresholds.p50 ?? 0) : thresholds.p99)),
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
    // Nothing in a log tells whose request it was.
    beyond: more > (canary.requests * errors) / 100 && canary.clients.all >= SEVERAL, well: "unneeded", needed: null,
  };
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
