import assert from "node:assert/strict";
import { judge } from "../../components/judge/judge.js";
import type { Evidence, Runs, Side, TestName, Verdict } from "../../components/judge/model.js";
import { histogramOf } from "../../components/metrics/histogram.js";
import { eachOfAnother, NOTHING, THRESHOLDS } from "./simulated.js";

const spread = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from * (0.5 + at / count));
const runs = (all: number, failed = 0, median = 60): Runs => ({ runs: all, failed, times: histogramOf(spread(median, all - failed)) });
const side = (requests: number, errors = 0): Side => {
  const times = histogramOf(spread(80, requests - errors));
  return eachOfAnother({ ...NOTHING, requests, errors, pages: times, answers: times });
};
const judged = (synthetic: Evidence["synthetic"], canary: Side = NOTHING, stable: Side = NOTHING): Verdict => judge(THRESHOLDS, { canary, stable, containers: { restarts: 0, down: "", memory: [] }, synthetic }, 5);
const failed = ({ findings }: Verdict): TestName[] => findings.filter(({ result }) => result === "fail").map(({ test }) => test);

describe("judge: synthetic sessions", () => {
  it("fill in for users that are not there, and are named as what they are", () => {
    const verdict = judged({ canary: runs(600), stable: runs(600) });
    assert.equal(verdict.verdict, "pass", verdict.summary);
    assert.match(verdict.summary, /^no worse than what serves: 0 of 600 runs of the script by synthetic sessions failed/);
    assert.equal(verdict.findings.find(({ test }) => test === "errors")?.result, "insufficient", "users are counted apart");
  });

  it("are not needed where users are enough", () => {
    assert.equal(judged({ canary: runs(5), stable: runs(5) }, side(300), side(2700)).verdict, "pass");
  });

  it("that are too few are not enough evidence, and it is said how many would be", () => {
    const { verdict, summary } = judged({ canary: runs(50), stable: runs(50) });
    assert.equal(verdict, "insufficient");
    assert.match(summary, /0 of 50 runs of the script by synthetic sessions failed .*; \d+ runs of its script would decide/);
  });

  it("find a script that fails, or takes twice as long, though users' pages are well", () => {
    assert.deepEqual(failed(judged({ canary: runs(600, 30), stable: runs(600) }, side(300), side(2700))), ["syntheticErrors"]);
    assert.deepEqual(failed(judged({ canary: runs(600, 0, 120), stable: runs(600) }, side(300), side(2700))), ["syntheticSlower"]);
    assert.deepEqual(failed(judged({ canary: runs(600, 60), stable: runs(600, 60) }, side(300), side(2700))), [], "what fails on both sides is not its fault");
  });

  it("do not make good what users found", () => {
    assert.deepEqual(failed(judged({ canary: runs(600), stable: runs(600) }, side(300, 30), side(2700))), ["errors"]);
  });
});
