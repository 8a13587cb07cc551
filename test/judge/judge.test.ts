import assert from "node:assert/strict";
import fc from "fast-check";
import { judge } from "../../components/judge/judge.js";
import { FALSE_ALARMS } from "../../components/judge/looks.js";
import type { Evidence, Side, TestName, Thresholds } from "../../components/judge/model.js";
import { evidenceToDecide, powerOf, requestsToPass } from "../../components/judge/needed.js";
import { difference, fisher } from "../../components/judge/rates.js";
import { rank } from "../../components/judge/ranks.js";
import { histogramOf } from "../../components/metrics/histogram.js";
import { fromSeed } from "../support/random.js";
import { eachOfAnother, NOTHING, simulate, THRESHOLDS } from "./simulated.js";

const spread = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from * (0.5 + at / count));
const side = (requests: number, errors: number, more: Partial<Side> = {}): Side => {
  const times = histogramOf(spread(80, requests - errors));
  return eachOfAnother({ ...NOTHING, requests, errors, pages: times, answers: times, ...more });
};
const evidence = (canary: Side, stable: Side = side(2700, 0), containers: Partial<Evidence["containers"]> = {}): Evidence => ({ canary, stable, containers: { restarts: 0, down: "", memory: [], ...containers }, synthetic: null });
const judged = (canary: Side, more: { stable?: Side; containers?: Partial<Evidence["containers"]>; thresholds?: Partial<Thresholds>; looks?: number } = {}) =>
  judge({ ...THRESHOLDS, ...more.thresholds }, evidence(canary, more.stable, more.containers), more.looks ?? 1);
const failed = (verdict: ReturnType<typeof judge>): TestName[] => verdict.findings.filter(({ result }) => result === "fail").map(({ test }) => test);

describe("judge", () => {
  it("passes a canary that is as good, by enough requests", () => {
    const verdict = judged(side(300, 0));
    assert.equal(verdict.verdict, "pass", verdict.summary);
    assert.match(verdict.summary, /^no worse than what serves: 0 of 300 requests failed \(0 %\) against 0 of 2700 \(0 %\), a difference of -0\.10 to 0\.89 percentage points; half of 300 pages within \d+ ms/);
    assert.ok(verdict.findings.every(({ needed }) => needed === null));
  });

  it("never passes without traffic, and says what it would take", () => {
    for (const canary of [NOTHING, side(100, 0)]) {
      const { verdict, findings, summary } = judged(canary);
      assert.equal(verdict, "insufficient");
      const errors = findings.find(({ test }) => test === "errors");
      assert.ok(errors?.needed !== null && errors?.needed !== undefined && errors.needed > 250 && errors.needed < 320, summary);
      assert.match(summary, /^not enough evidence: .*; \d+ requests to the canary would decide/);
    }
    assert.equal(judged(side(300, 0), { stable: NOTHING }).verdict, "insufficient", "there is nothing to compare it with");
  });

  it("fails one of whose requests 5 % fail, with the chance of that", () => {
    const verdict = judged(side(300, 15));
    assert.deepEqual([verdict.verdict, failed(verdict)], ["fail", ["errors"]]);
    assert.match(verdict.summary, /^worse than what serves: 15 of 300 requests failed \(5 %\) against 0 of 2700 \(0 %\), .* \(by chance: less than 0\.01 %\)$/);
  });

  it("does not blame it for what fails on both sides, nor for less than is allowed however sure that is", () => {
    assert.notEqual(judged(side(300, 15), { stable: side(2700, 135) }).verdict, "fail");
    const sure = judged(side(20_000, 100), { stable: side(100_000, 0) });
    assert.equal(sure.verdict, "pass", sure.summary);
    assert.ok((sure.findings.find(({ test }) => test === "errors")?.p ?? 1) < 1e-10);
  });

  it("fails one that is twice as slow by its ranks, and passes one that is slower by less than is allowed", () => {
    const slow = histogramOf(spread(160, 300));
    const verdict = judged(side(300, 0, { pages: slow, answers: slow }));
    assert.deepEqual([verdict.verdict, failed(verdict)], ["fail", ["slower"]]);
    const little = histogramOf(spread(85, 300));
    assert.equal(judged(side(300, 0, { pages: little, answers: little })).verdict, "pass");
    const [one, four] = [histogramOf(Array<number>(300).fill(1)), histogramOf(Array<number>(2700).fill(4))];
    assert.equal(judged(side(300, 0, { pages: four, answers: four }), { stable: side(2700, 0, { pages: one }) }).verdict, "pass", "4 ms instead of 1 ms is no harm");
  });

  it("fails one that is over a limit of time, whatever serves does", () => {
    const times = histogramOf([...spread(80, 280), ...Array<number>(20).fill(12_000)]);
    const both = judged(side(300, 0, { pages: times, answers: times }), { stable: side(300, 0, { pages: times, answers: times }) });
    assert.deepEqual(failed(both), ["p99"]);
    assert.deepEqual(failed(judged(side(300, 0), { thresholds: { p50: 40 } })), ["p50"]);
    assert.deepEqual(failed(judged(side(300, 0), { thresholds: { p50: 100 } })), []);
  });

  it("fails one whose websockets or scripts fail while its pages are well", () => {
    const sockets = judged(side(300, 0, { sockets: 30, socketsFailed: 12 }), { stable: side(2700, 0, { sockets: 270 }) });
    assert.deepEqual(failed(sockets), ["websockets"]);
    assert.deepEqual(failed(judged(side(300, 0, { scriptErrors: 20 }))), ["scriptErrors"]);
    assert.deepEqual(failed(judged(side(300, 0, { scriptErrors: 60 }), { stable: side(2700, 0, { scriptErrors: 60 }) })), [], "what comes with time comes as often in each container");
    assert.deepEqual(failed(judged(side(300, 0, { scriptErrors: 60 }), { stable: side(2700, 0, { scriptErrors: 120, replicas: 2 }) })), [], "and with each replica");
  });

  it("fails one whose container was restarted, does not run, or stays above its limit of memory", () => {
    assert.deepEqual(failed(judged(side(300, 0), { containers: { restarts: 1 } })), ["restarts"]);
    assert.match(judged(NOTHING, { containers: { down: "container app-1 is exited" } }).summary, /^worse than what serves: container app-1 is exited$/);
    assert.deepEqual(failed(judged(side(300, 0), { containers: { memory: [0.5, 0.95, 0.96, 0.97] } })), ["memory"]);
    assert.deepEqual(failed(judged(side(300, 0), { containers: { memory: [0.95, 0.96, 0.5] } })), []);
  });

  it("asks for more at each of several looks", () => {
    const canary = side(100, 5);
    assert.equal(judged(canary, { stable: side(900, 6), looks: 1 }).verdict, "fail");
    assert.equal(judged(canary, { stable: side(900, 6), looks: 20 }).verdict, "insufficient");
  });

  it("gives few false alarms and finds what is worse, at the size that is stated", () => {
    const random = fromSeed(7);
    const requests = requestsToPass(THRESHOLDS.errors / 100, 10) ?? 0;
    const well = { errors: 0.01, median: 80 };
    const count = (canary: typeof well, stable = well): number => Array.from({ length: 20 }, () => simulate({ canary, stable, requests, weight: 10, looks: 2 }, random)).filter(({ verdict }) => verdict === "fail").length;
    assert.ok(count(well) <= 20 * FALSE_ALARMS, "A/A");
    assert.ok(count({ ...well, errors: 0.08 }) >= 16, "7 points more errors");
    assert.ok(count({ ...well, median: 160 }) >= 16, "twice as slow");
  }).timeout(60_000);
});

describe("the judge's tests", () => {
  it("agree with published examples", () => {
    // Fisher's tea: 3 of 4 right, one-sided p = 17/70.
    assert.ok(Math.abs(fisher({ failed: 3, of: 4 }, { failed: 1, of: 4 }) - 17 / 70) < 1e-12);
    // Newcombe 1998, 56/70 against 48/80: 0.0524 to 0.3339 with 95 %; with 90 % it is narrower.
    const [low, high] = difference({ failed: 56, of: 70 }, { failed: 48, of: 80 });
    assert.ok(low > 0.0524 && low < 0.2 && high < 0.3339 && high > 0.2);
    // All of the first above all of the second.
    const ranked = rank(histogramOf([101, 202, 303]), histogramOf([1, 2, 3]), (ms) => ms);
    assert.equal(ranked?.superiority, 1);
    assert.ok(ranked.longer < 0.05 && ranked.shorter > 0.95);
    assert.equal(rank({}, histogramOf([1]), (ms) => ms), null);
  });

  it("keep tiny probabilities apart from 0", () => {
    const p = fisher({ failed: 12, of: 230 }, { failed: 0, of: 2070 });
    assert.ok(p > 1e-14 && p < 1e-11, String(p));
  });

  it("are probabilities, and intervals hold what was seen", () => {
    const count = fc.integer({ min: 1, max: 2000 }).chain((of) => fc.record({ of: fc.constant(of), failed: fc.integer({ min: 0, max: of }) }));
    fc.assert(fc.property(count, count, (a, b) => {
      const p = fisher(a, b);
      const [low, high] = difference(a, b);
      const seen = a.failed / a.of - b.failed / b.of;
      assert.ok(p >= 0 && p <= 1 + 1e-9);
      assert.ok(low <= seen + 1e-9 && high >= seen - 1e-9 && low >= -1 - 1e-9 && high <= 1 + 1e-9);
    }));
  });

  it("tell how much it takes", () => {
    assert.equal(requestsToPass(0.01, 10), 268, "with nothing failed, as z²/(n + z²) falls to 1 %");
    assert.equal(requestsToPass(0, 10), null);
    assert.ok((requestsToPass(0.01, 10, 0.005) ?? 0) > 268);
    const found = powerOf({ requests: 268, weight: 10, rate: 0.05, allowed: 0.01, alpha: 0.001 });
    assert.ok(found > 0.99 && found <= 1, String(found));
    assert.ok(powerOf({ requests: 268, weight: 10, rate: 0.011, allowed: 0.01, alpha: 0.001 }) < 0.6);
    const needed = evidenceToDecide({ failed: 2, of: 100 }, { failed: 9, of: 900 }, 0.02, 0.001);
    assert.ok(needed !== null && difference({ failed: Math.round(needed * 0.02), of: needed }, { failed: Math.round(needed * 0.09), of: needed * 9 })[1] <= 0.02);
  });
});
