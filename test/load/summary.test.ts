import assert from "node:assert/strict";
import fc from "fast-check";
import { latencyOf } from "./numbers.js";
import { Recorder, type Outcome } from "./recorder.js";
import { timetable } from "./schedule.js";

const ALL = { upload: true, scriptHealth: true };

describe("load: timetable", () => {
  it("has each request at its fixed moment, none twice, none left out", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 300 }), fc.array(fc.nat(400), { maxLength: 50 }), (rate, steps) => {
      const table = timetable(rate, ALL);
      let now = 0;
      for (const step of steps) {
        now += step;
        const due = table.dueBy(now);
        assert.ok(table.slot(due - 1).dueMs <= now + 1e-6);
        assert.ok(table.slot(due).dueMs > now - 1e-6);
      }
    }));
  });

  it("sends rate times seconds", () => {
    assert.equal(timetable(100, ALL).dueBy(9999.9), 1000);
    assert.equal(timetable(100, ALL).dueBy(-1), 0);
  });

  it("mixes all kinds in each round, with new users among the pages", () => {
    const slots = Array.from({ length: 100 }, (_, i) => timetable(100, ALL).slot(i));
    const count = (kind: string) => slots.filter((slot) => slot.kind === kind).length;
    assert.deepEqual([count("page"), count("asset"), count("upload"), count("script-health")], [40, 40, 15, 5]);
    assert.equal(slots.filter((slot) => slot.newUser).length, 14);
    assert.ok(slots.every((slot) => slot.kind === "page" || !slot.newUser));
  });

  it("sends pages instead of what it cannot send", () => {
    const table = timetable(100, { upload: false, scriptHealth: false });
    assert.deepEqual([...new Set(Array.from({ length: 40 }, (_, i) => table.slot(i).kind))].sort(), ["asset", "page"]);
  });
});

describe("load: the sum", () => {
  const outcome = (over: Partial<Outcome> = {}): Outcome =>
    ({ kind: "page", who: "user 1", newUser: false, latencyMs: 10, reason: null, release: "v2-a", ...over });
  const recorder = (): { recorder: Recorder; clock: { now: number } } => {
    const clock = { now: 1_000_000 };
    return { recorder: new Recorder(() => clock.now), clock };
  };
  const ends = { kept: 2, down: 0 };
  const run = { url: "http://127.0.0.1:1", rate: 100, sessions: 2 };

  it("is clean when all is well", () => {
    const { recorder: r, clock } = recorder();
    for (let i = 0; i < 100; i += 1) {
      r.departed("page", 1);
      clock.now += 10;
      r.ended(outcome({ latencyMs: i + 1 }));
    }
    const result = r.summary(run, ends);
    assert.ok(result.clean && result.valid);
    assert.deepEqual(result.latency, { p50: 50, p99: 99, max: 100 });
    assert.deepEqual([result.sent, result.answered, result.failed, result.longestGapMs], [100, 100, 0, 10]);
    assert.deepEqual(result.releases.byCookie["v2-a"], { count: 100, first: 1_000_010, last: 1_001_000 });
  });

  it("keeps the first 20 failures and counts all", () => {
    const { recorder: r, clock } = recorder();
    for (let i = 0; i < 30; i += 1) {
      r.departed("asset", 0);
      clock.now += 100;
      r.ended(outcome({ kind: "asset", reason: `reason ${i}` }));
    }
    const result = r.summary(run, ends);
    assert.equal(result.failed, 30);
    assert.equal(result.failures.length, 20);
    assert.deepEqual(result.failures[3], { at: 1_000_400, kind: "asset", who: "user 1", reason: "reason 3", latencyMs: 10 });
    assert.equal(result.byKind.asset.failed, 30);
    assert.equal(result.longestGapMs, 3000);
    assert.ok(!result.clean);
  });

  it("is invalid when more than 1 % left late", () => {
    const { recorder: r } = recorder();
    for (let i = 0; i < 100; i += 1) r.departed("page", i < 98 ? 3 : 900);
    const result = r.summary(run, ends);
    assert.deepEqual([result.valid, result.clean, result.rate.reached, result.rate.latestMs], [false, false, 0.98, 900]);
  });

  it("is invalid when nothing was sent", () => {
    assert.equal(recorder().recorder.summary(run, ends).valid, false);
  });

  it("tells when new users were given another release", () => {
    const { recorder: r, clock } = recorder();
    for (const [newUser, release] of [[true, "v2-a"], [false, "v3-b"], [true, "v3-b"], [false, "v2-a"], [true, "v3-b"]] as const) {
      clock.now += 1000;
      r.departed("page", 0);
      r.ended(outcome({ newUser, release }));
    }
    const { moves, byCookie } = r.summary(run, ends).releases;
    assert.deepEqual(moves, [{ at: 1_001_000, from: null, to: "v2-a" }, { at: 1_003_000, from: "v2-a", to: "v3-b" }]);
    assert.equal(byCookie["v3-b"]?.count, 3);
  });

  it("is not clean after a cut, a failed rerun, a failed connect, or with a session down", () => {
    const spoil: ((r: Recorder) => void)[] = [
      (r) => r.sessionCut({ session: 1, code: 1006, reason: "", release: null }),
      (r) => r.rerun(1, 20, "the script raised X"),
      (r) => r.connectFailed(1, "refused"),
    ];
    for (const spoiled of spoil) {
      const { recorder: r } = recorder();
      r.departed("page", 0);
      r.ended(outcome());
      assert.ok(r.summary(run, ends).clean);
      spoiled(r);
      assert.ok(!r.summary(run, ends).clean);
    }
    const { recorder: r } = recorder();
    r.departed("page", 0);
    r.ended(outcome());
    assert.ok(!r.summary(run, { kept: 1, down: 1 }).clean);
  });

  it("has one entry for each second in which something ended", () => {
    const { recorder: r, clock } = recorder();
    for (const step of [100, 100, 2500]) {
      clock.now += step;
      r.ended(outcome());
    }
    assert.deepEqual(r.summary(run, ends).timeline.map((s) => [s.at, s.answered, s.releases]), [[1_000_000, 2, { "v2-a": 2 }], [1_002_000, 1, { "v2-a": 1 }]]);
  });

  it("takes percentiles by nearest rank, of nothing as 0", () => {
    assert.deepEqual(latencyOf([]), { p50: 0, p99: 0, max: 0 });
    assert.deepEqual(latencyOf([3, 1, 2]), { p50: 2, p99: 3, max: 3 });
  });
});
