import assert from "node:assert/strict";
import { type CanaryWorld, type Look, runJudging } from "../../components/canary/run.js";
import type { JudgeInputs } from "../../components/canary/model.js";
import { EXTENSIONS } from "../../components/canary/rules.js";
import { LOOKS } from "../../components/judge/looks.js";
import type { Evidence, Side } from "../../components/judge/model.js";
import { histogramOf } from "../../components/metrics/histogram.js";
import { eachOfAnother, NOTHING, THRESHOLDS } from "../judge/simulated.js";

const MINUTE = 60_000;
const inputs = (more: Partial<JudgeInputs> = {}): JudgeInputs => ({
  stack: "dev", tag: "v2.0.0", revision: "v2.0.0-bbbbbbbb", containers: ["c"], serving: { revision: "v1.0.0-aaaaaaaa", tag: "v1.0.0", containers: ["s"] },
  steps: [10], durationMs: 10 * MINUTE, onInsufficient: "hold", thresholds: THRESHOLDS, synthetic: { sessions: 0, port: 8501, requestTimeoutMs: 5000 }, attempt: "", secretEnv: [], dataDir: ".", ...more,
});

/** Requests come at a steady rate, by a clock that only the world moves. */
class Fake implements CanaryWorld {
  readonly shares: [weight: number, leaseMs: number | null, at: number][] = [];
  readonly looks: Look[] = [];
  now = 0;
  private begun = 0;

  /** @param failing share of the canary's requests */
  constructor(private readonly perMinute: number, private readonly failing = 0, private readonly down: (now: number) => string = () => "") {}

  share(weight: number, leaseMs: number | null): Promise<void> {
    this.shares.push([weight, leaseMs, this.now]);
    return Promise.resolve();
  }

  begin(): Promise<void> {
    this.begun = this.now;
    return Promise.resolve();
  }

  observe(): Promise<Evidence> {
    const requests = Math.round((this.perMinute * (this.now - this.begun)) / MINUTE);
    const side = (of: number, failing: number): Side => {
      const errors = Math.round(of * failing);
      const times = histogramOf(Array.from({ length: of - errors }, (_, at) => 40 + (at % 40)));
      return eachOfAnother({ ...NOTHING, requests: of, errors, pages: times, answers: times });
    };
    return Promise.resolve({ canary: side(requests, this.failing), stable: side(requests * 9, 0), containers: { restarts: 0, down: this.down(this.now), memory: [0.5] }, synthetic: null });
  }

  pause(ms: number): Promise<void> {
    this.now += ms;
    return Promise.resolve();
  }

  onLook(look: Look): void {
    this.looks.push(look);
  }

  monotonic(): number {
    return this.now;
  }
}

describe("the judging of a canary", () => {
  it("gives it its share with a lease, looks, and lets it keep the share when it passed", async () => {
    const world = new Fake(60);
    const judged = await runJudging(inputs(), world);
    assert.deepEqual({ ...judged, summary: "" }, { verdict: "pass", promotes: true, weight: 10, summary: "" });
    assert.deepEqual(world.shares.map(([weight, lease]) => [weight, lease !== null]), [[10, true], [10, false]]);
    assert.equal(world.looks.length, LOOKS);
    assert.equal(world.now, 10 * MINUTE, "it passes at the last look only");
    assert.ok((world.shares[0]?.[1] ?? 0) > 10 * MINUTE, "its share outlasts the judging");
  });

  it("ends at the first look that shows it to be worse, and leaves the share to the caller", async () => {
    const world = new Fake(60, 0.05);
    const judged = await runJudging(inputs(), world);
    assert.equal(judged.verdict, "fail");
    assert.ok(world.now < 10 * MINUTE);
    assert.ok(world.shares.every(([, lease]) => lease !== null));
  });

  it("ends as soon as a container is not as it was, between two looks as well", async () => {
    const world = new Fake(60, 0, (now) => (now > MINUTE ? "container c was restarted since the last look" : ""));
    const judged = await runJudging(inputs(), world);
    assert.deepEqual([judged.verdict, judged.summary], ["fail", "worse than what serves: container c was restarted since the last look"]);
    assert.ok(world.now < 2 * MINUTE);
  });

  it("does with too little evidence what config says", async () => {
    const held = await runJudging(inputs(), new Fake(0));
    assert.deepEqual({ ...held, summary: "" }, { verdict: "insufficient", promotes: false, weight: 10, summary: "" });
    const promoted = await runJudging(inputs({ onInsufficient: "promote" }), new Fake(0));
    assert.deepEqual([promoted.verdict, "promotes" in promoted && promoted.promotes], ["insufficient", true]);
    const failed = await runJudging(inputs({ onInsufficient: "fail" }), new Fake(0));
    assert.match(failed.summary, /^not enough evidence: no requests to compare: 0 of the canary, 0 of what serves; 268 requests to the canary would decide; .* \(canary\.onInsufficient is fail\)$/);
    assert.equal(failed.verdict, "fail");
  });

  it("goes on for as long again where config says so, until it can tell", async () => {
    const enough = new Fake(18);
    assert.equal((await runJudging(inputs({ onInsufficient: "extend" }), enough)).verdict, "pass");
    assert.equal(enough.now, 20 * MINUTE, "268 requests take a second round");
    const never = new Fake(1);
    const held = await runJudging(inputs({ onInsufficient: "extend" }), never);
    assert.deepEqual([held.verdict, "promotes" in held && held.promotes, never.now], ["insufficient", false, (1 + EXTENSIONS) * 10 * MINUTE]);
  });

  it("takes step after step, each judged by itself, and stops at the one that cannot tell", async () => {
    const world = new Fake(60);
    const judged = await runJudging(inputs({ steps: [10, 25, 50] }), world);
    assert.deepEqual([judged.verdict, "weight" in judged && judged.weight], ["pass", 50]);
    assert.deepEqual([...new Set(world.shares.map(([weight]) => weight))], [10, 25, 50]);
    assert.equal(world.now, 30 * MINUTE);
    const few = await runJudging(inputs({ steps: [10, 25] }), new Fake(2));
    assert.deepEqual([few.verdict, "weight" in few && few.weight], ["insufficient", 10]);
  });

  it("renews the share of a long judging, seldom", async () => {
    const world = new Fake(60);
    await runJudging(inputs({ durationMs: 60 * MINUTE }), world);
    const leased = world.shares.filter(([, lease]) => lease !== null);
    assert.ok(leased.length >= 4 && leased.length <= 5, String(leased.length));
    leased.slice(1).forEach(([, , at], n) => assert.ok(at < (leased[n]?.[2] ?? 0) + (leased[n]?.[1] ?? 0), "before the last one ended"));
  });

  it("is ended by whoever ends the pause between two looks", async () => {
    const world = new Fake(60);
    world.pause = () => Promise.reject(new Error("stop"));
    await assert.rejects(runJudging(inputs(), world), /stop/);
  });
});
