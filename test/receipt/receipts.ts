/** Receipts as they are written, with everything in them: of a release, a failed one, a rollback; for the page. */
import { buildReceipt, type RunFacts, type Sources } from "../../components/receipt/build.js";
import { canaryOf, type CanaryResult } from "../../components/receipt/canary.js";
import { type Receipt, receiptSchema } from "../../components/receipt/model.js";
import type { Answered, Traffic } from "../../components/receipt/traffic.js";
import { watchedOf } from "../../components/receipt/watched.js";
import type { JournalEvent } from "../../components/runtime/journal.js";
import { withMet } from "../../components/watch/state.js";
import { REVISION, slots, T0, traffic as trafficOf, watchOf } from "../watch/world.js";
import { at, BEGAN, deployed, failedGate, warmRollback } from "./journals.js";

const NEW = "v3.0.0-74256c58";
const OLD = "v2.9.0-8488f628";
const PROOF = { restored: true, counted: true, sampled: true, read: true };

/** Each half second, about 50 a second, from one release to the other. */
export function answers(seconds: number, movedAt: number, before: string, after: string, failedAt: readonly number[] = []): Answered {
  const steps = Array.from({ length: seconds * 2 }, (_, n) => {
    const from = n / 2;
    const all = 24 + ((n * 7) % 5);
    const late = Math.min(all, Math.max(0, Math.round((from - movedAt + 0.5) * all)));
    return { at: from, failed: failedAt.includes(from) ? 1 : 0, good: { [before]: all - late, [after]: late } };
  });
  const sums = (revision: string): number => steps.reduce((sum, { good }) => sum + (good[revision] ?? 0), 0);
  const failed = steps.reduce((sum, one) => sum + one.failed, 0);
  return {
    measured: true, from: BEGAN.toISOString(), to: at(seconds).toISOString(), requests: sums(before) + sums(after) + failed, failed, refused: 0,
    gap: { seconds: 0.143, at: at(movedAt).toISOString() }, step: 0.5, steps,
    byRevision: [{ revision: before, tag: "", requests: sums(before), failed: 0 }, { revision: after, tag: "", requests: sums(after) + failed, failed }].filter(({ requests }) => requests > 0),
  };
}

function receipt(events: JournalEvent[], facts: Partial<RunFacts>, traffic: Traffic): Receipt {
  const sources: Sources = { traffic, manifestOf: () => null };
  const all: RunFacts = {
    run: events[0]?.run ?? "", stack: "prod", command: "deploy", by: "ann on deploy-1", rehearsal: false, startedAt: BEGAN, endedAt: at(20), events, log: "logs/deploy-20261125-040958.log", logTail: [],
    outcome: { exitCode: 0, words: "DONE", summary: "v3.0.0 serves at http://10.0.0.5:8501, backup pre-deploy-20261125-041005", next: "", lines: [] }, ...facts,
  };
  const built = buildReceipt(all, sources);
  const backup = built.backup === null ? null : {
    ...built.backup, of: built.from?.tag ?? "", proof: PROOF, sha256: "8c3f2a".repeat(11).slice(0, 64),
    collections: built.backup.collections.map((one) => ({ ...one, compared: { points: Math.min(200, one.points), queries: 3 } })),
  };
  return receiptSchema.parse({ ...built, backup });
}

/** v2.9.0 -> v3.0.0 under 50 requests a second, 20 sessions open. */
export const released = (): Receipt => receipt(deployed, {}, answers(20, 16.4, OLD, NEW));

export const failed = (): Receipt => receipt(failedGate, {
  endedAt: at(40), log: "logs/deploy-20261125-040958.log",
  outcome: {
    exitCode: 3, words: "FAILED AND ROLLED BACK, the former release serves", next: "read logs/app-v3.1.0-5fa81d95-20261125.log, correct the app at a new tag",
    summary: "v3.1.0 did not pass the gate: container pbjrag-prod-app-v3.1.0-5fa81d95-1 raises an error; v3.0.0 serves",
    lines: ["Traceback (most recent call last):", "  File \"/app/webui/store.py\", line 3, in <module>", "    from pbjrag_store_v4 import Store", "ModuleNotFoundError: No module named 'pbjrag_store_v4'", "\u001b[31mQDRANT_API_KEY=***\u001b[0m"],
  },
  logTail: ["2026-11-25T04:10:12Z gate: no round has passed yet", "2026-11-25T04:10:33Z v3.1.0 (v3.1.0-5fa81d95) did not pass the gate, no user was sent to it"],
}, answers(40, 100, NEW, "v3.1.0-5fa81d95"));

export const rolledBack = (): Receipt => receipt(warmRollback, {
  command: "rollback", log: "logs/rollback-20261125-040958.log", outcome: { exitCode: 0, words: "DONE", summary: "v2.9.0 serves again at http://10.0.0.5:8501", next: "", lines: [] },
}, answers(20, 0.5, NEW, OLD, [0, 0.5]));

/** The watch of {@link released} that went back after 20 minutes. */
export function watched(): Receipt {
  const rule = { rule: "errors", action: "rollback", what: "5.1 % of 15000 requests failed in 5m (above 1 %)" } as const;
  const met = withMet(withMet(watchOf(), [{ rule: "fewErrors", action: "alert", what: "0.3 % of 15000 requests failed in 5m (above 0.1 %)" }], new Date(T0 + 960_000).toISOString()).state, [rule], new Date(T0 + 1_200_000).toISOString()).state;
  const seen = slots(20, (minute, n) => ({
    traffic: trafficOf(500, minute >= 15 ? 26 : 0, [18, 20, 22, 25, 31, minute >= 15 ? 900 : 60 + (n % 7) * 9]), memory: { [REVISION]: 0.4 + minute * 0.012 }, open: { [REVISION]: 18 + (n % 4), [OLD]: Math.max(0, 20 - minute * 4) },
    failed: minute >= 18 ? 1 : 0, reason: minute >= 18 ? "container app-1: GET /_stcore/health answered 500" : "", logErrors: minute >= 15 ? 2 : 0,
  }));
  const steps = Array.from({ length: 120 }, (_, n) => ({ at: n * 10, failed: n >= 90 ? 26 : 0, good: { [REVISION]: n >= 90 ? 474 : 500 } }));
  const traffic: Answered = {
    measured: true, from: new Date(T0).toISOString(), to: new Date(T0 + 1_200_000).toISOString(), requests: 60_000, failed: 780, refused: 0, gap: { seconds: 0.31, at: new Date(T0 + 900_000).toISOString() }, step: 10, steps,
    byRevision: [{ revision: REVISION, tag: "v3.0.0", requests: 60_000, failed: 780 }],
  };
  const ended = { ...met, state: "ended" as const, exitCode: 3 as const, ending: "v3.0.0 was rolled back by the watch's rule errors: 5.1 % of 15000 requests failed in 5m (above 1 %); v2.9.0 serves again" };
  return receiptSchema.parse({ ...(JSON.parse(JSON.stringify(released()).replaceAll(NEW, REVISION)) as Receipt), watch: watchedOf(ended, seen, traffic, T0 + 1_200_000) });
}

/** The judge's events of ten minutes with two shares. */
export function judged(verdict: "pass" | "fail" | "insufficient" = "pass", looks = 20): JournalEvent[] {
  const samples = (n: number): { canary: number; stable: number } => ({ canary: n * 120, stable: n * 1080 });
  const findings = (n: number): CanaryResult["findings"] => [
    { test: "errors", result: verdict, what: "0.08 % of requests failed, 0.05 % of the other's", samples: samples(n), p: 0.4 / n, interval: [-0.02, 0.118], needed: verdict === "insufficient" ? 1800 : null },
    { test: "slower", result: "pass", what: "median 21 ms, 20 ms of the other", samples: samples(n), p: 0.00002, interval: [20.4, 21.9], needed: null },
    { test: "restarts", result: "pass", what: "none", samples: { canary: 0, stable: 0 }, p: null, interval: null, needed: null },
  ];
  const data = { revision: NEW };
  const summary = "2 of 2,400 requests failed, not more than may";
  const line = (time: number, event: JournalEvent["event"], message: string, more: Record<string, unknown>): JournalEvent =>
    ({ time: at(time).toISOString(), run: deployed[0]?.run ?? "", phase: "judge", event, message, data: { ...data, ...more } });
  return [
    line(16, "start", "trying v3.0.0", {}), line(16.1, "info", "v3.0.0 gets 10 % of new users", { weight: 10 }), line(20, "info", "v3.0.0 gets 10 % of new users", { weight: 10 }),
    ...Array.from({ length: looks }, (_, n) => line(16 + (600 * (n + 1)) / looks, "progress", `look ${n + 1} of ${looks} at v3.0.0`, { weight: 10, verdict: n + 1 === looks ? verdict : "insufficient", findings: findings(n + 1) })),
    verdict === "fail" ? line(617, "failed", "v3.0.0 failed", { what: "v3.0.0 failed as a canary", why: summary }) : line(617, "done", "v3.0.0 passed as a canary", { verdict, promotes: true, summary, weight: 10 }),
  ];
}

export function canary(verdict: "pass" | "fail" | "insufficient" = "pass"): CanaryResult {
  const built = canaryOf(judged(verdict), BEGAN.getTime(), () => "v3.0.0");
  if (built === null) throw new Error("there is a judging");
  return built;
}

/** What nobody should be able to put into a page. */
export const HOSTILE = `</title><script>alert(1)</script><img src=x onerror='alert(2)'>"onload="alert(3)\u202e&lt;`;

/** Every text of it is hostile; what is chosen from a list stays so. */
export function hostile(): Receipt {
  const all = { ...watched(), canary: canary(), incident: failed().incident, outcome: failed().outcome };
  const kept = new Set(["stack", "command", "state", "action", "rule", "test", "result", "verdict", "startedAt", "endedAt", "at", "from", "to"]);
  const walk = (value: unknown, key = ""): unknown => {
    if (typeof value === "string") return kept.has(key) ? value : HOSTILE;
    if (Array.isArray(value)) return value.map((one) => walk(one));
    if (typeof value !== "object" || value === null) return value;
    const isName = (one: unknown): boolean => key === "good" || (["byRevision", "collections", "latency"].includes(key) && typeof one === "object");
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [isName(one) ? `${HOSTILE}${name}` : name, walk(one, name)]));
  };
  return receiptSchema.parse(walk(all));
}
