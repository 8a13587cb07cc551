import assert from "node:assert/strict";
import type { Finding } from "../../../components/watch/judge.js";
import type { Slot } from "../../../components/metrics/kept.js";
import type { Outcome } from "../../../scripts/cli/outcome.js";
import type { WatchCause } from "../../../scripts/cli/rollback.js";
import { runWatch, type Seen, type WatchWorld } from "../../../scripts/cli/watch/loop.js";
import { shifted, type WatchState } from "../../../components/watch/state.js";
import { REVISION, rulesOf, slot, T0, traffic, watchOf } from "../../watch/world.js";

type Parts = Parameters<typeof slot>[2];
const WELL: Parts = { traffic: traffic(100, 0, [20, 30]), memory: { [REVISION]: 0.4 } };
const ROLLED_BACK: Outcome = { exitCode: 0, summary: "v2.0.0 serves", next: "" };

/** A watch without the outside: an hour takes no time. */
class FakeWorld implements WatchWorld {
  clock = 0;
  wall = T0;
  slots: Slot[] = [];
  serving: Seen["serving"] = { revision: REVISION, tag: "v3.0.0" };
  readonly said: string[] = [];
  readonly told: string[][] = [];
  readonly frozen: string[] = [];
  readonly saved: WatchState[] = [];
  shown = 0;
  rollbacks = 0;
  readonly causes: WatchCause[] = [];
  /** @param ends how each rollback ends; the last one's end is that of all further ones */
  constructor(private readonly seen: (seconds: number) => Parts | Error, private readonly other: Partial<WatchWorld> = {}, ...ends: Outcome[]) {
    this.ends = ends.length === 0 ? [ROLLED_BACK] : ends;
  }
  private readonly ends: readonly Outcome[];
  now = (): number => this.wall;
  monotonic = (): number => this.clock;
  sleep = (ms: number): Promise<void> => {
    this.clock += ms;
    this.wall += ms;
    return Promise.resolve();
  };
  stopped = (): boolean => this.other.stopped?.() ?? false;
  replaced = (state: WatchState): boolean => this.other.replaced?.(state) ?? false;
  look = (_state: WatchState, clockSetBy: number): Promise<Seen> => {
    const parts = this.seen(this.clock / 1000);
    if (parts instanceof Error) return Promise.reject(parts);
    this.slots = this.slots.map((one) => ({ ...one, from: one.from + clockSetBy, to: one.to + clockSetBy }));
    this.slots.push(slot(this.slots.at(-1)?.to ?? T0, Math.max(this.wall, (this.slots.at(-1)?.to ?? T0) + 1), parts));
    return Promise.resolve({ serving: this.serving, slots: this.slots, lastError: "" });
  };
  save = (state: WatchState): void => { this.saved.push(state); };
  show = (): void => { this.shown += 1; };
  say = (line: string): void => { this.said.push(line); };
  tell = (_state: WatchState, { rule, action }: Finding, consequence: string): void => { this.told.push([rule, action, consequence]); };
  freeze = (_state: WatchState, { what }: Finding): void => { this.frozen.push(what); };
  busy = (): string => this.other.busy?.() ?? "";
  rollback = (cause: WatchCause): Promise<Outcome> => {
    this.causes.push(cause);
    this.rollbacks += 1;
    return Promise.resolve(this.ends[Math.min(this.rollbacks, this.ends.length) - 1] ?? ROLLED_BACK);
  };
}

describe("the watch's loop", () => {
  it("watches for as long as it is told, and says what there was", async () => {
    const world = new FakeWorld(() => WELL);
    const { state, outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.equal(outcome.exitCode, 0);
    assert.match(outcome.summary, /^v3\.0\.0 was watched for 1h: \d+ requests \(10\.\d\/s\), no error, p50 20 ms, p99 30 ms, and no rule was met$/);
    assert.deepEqual([state.state, state.exitCode, world.clock, world.rollbacks, world.shown], ["ended", 0, 3_600_000, 0, 361]);
    assert.deepEqual(world.said, []);
  });

  it("rolls back as soon as a rule says so, once, and says which with the numbers", async () => {
    const world = new FakeWorld((seconds) => (seconds < 120 ? WELL : { traffic: traffic(100, 6) }));
    const { state, outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.equal(outcome.exitCode, 3);
    assert.match(outcome.summary, /^v3\.0\.0 was rolled back by the watch's rule errors: [\d.]+ % of \d+ requests failed in 5m \(above 1 %\); v2\.0\.0 serves$/);
    assert.equal(world.rollbacks, 1);
    assert.ok(world.clock >= 300_000 && world.clock <= 420_000, `after ${world.clock} ms`);
    const [{ rule, revision, since } = { rule: "", revision: "", since: "" }] = world.causes;
    assert.deepEqual([rule, revision, Date.parse(since)], ["errors", REVISION, T0 + world.clock - 300_000]);
    assert.match(world.said.at(-1) ?? "", /^!! v3\.0\.0: .* failed in 5m \(above 1 %\); rolling back$/);
    assert.deepEqual(state.history.map(({ rule }) => rule), ["fewErrors", "errors"]);
    assert.deepEqual(world.told, [["fewErrors", "alert", "look at it"], ["errors", "rollback", "rolling back"]]);
  });

  it("says that it could not roll back", async () => {
    const world = new FakeWorld(() => ({ failed: 1, reason: "it is not there" }), {}, { exitCode: 2, summary: "there is no earlier release", next: "look" });
    const { outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.equal(outcome.exitCode, 4);
    assert.match(outcome.summary, /rule health was met \(4 health checks failed in 10m \(more than 3\): it is not there\), and v3\.0\.0 could not be rolled back: there is no earlier release/);
  });

  it("only tells of an alert, once while it lasts, and freezes for a freeze", async () => {
    const bad = (seconds: number): Parts => (seconds > 600 && seconds < 1200 ? { traffic: traffic(100, 6) } : WELL);
    const world = new FakeWorld(bad);
    const { outcome } = await runWatch(world, rulesOf({ errors: { action: "freeze" } }), watchOf());
    assert.equal(outcome.exitCode, 0);
    assert.match(outcome.summary, /, 2 warnings, all over now$/);
    assert.equal(world.said.length, 2);
    assert.equal(world.frozen.length, 1);
    assert.deepEqual(world.told.map(([rule, action]) => [rule, action]), [["fewErrors", "alert"], ["errors", "freeze"]]);
  });

  it("ends as unhealthy when a rule without a rollback is met at the end", async () => {
    const { outcome } = await runWatch(new FakeWorld(() => ({ traffic: traffic(100, 6) })), rulesOf({ errors: { action: "alert" } }), watchOf());
    assert.equal(outcome.exitCode, 5);
    assert.match(outcome.summary, /, but 6 % of \d+ requests failed/);
  });

  it("ends when another release serves, or another watch was begun", async () => {
    const world = new FakeWorld((seconds) => {
      if (seconds >= 60) world.serving = { revision: "v4.0.0-bbbbbbbb", tag: "v4.0.0" };
      return WELL;
    });
    const { outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.deepEqual([outcome.exitCode, outcome.summary], [0, "the watch of v3.0.0 ended, as v4.0.0 (v4.0.0-bbbbbbbb) serves now"]);
    const other = await runWatch(new FakeWorld(() => WELL, { replaced: () => true }), rulesOf(), watchOf());
    assert.match(other.outcome.summary, /another watch goes on/);
  });

  it("can be stopped, and gone on with in the time that was left", async () => {
    let looks = 0;
    const first = new FakeWorld(() => { looks += 1; return WELL; }, { stopped: () => looks >= 60 });
    const { state, outcome } = await runWatch(first, rulesOf(), watchOf());
    assert.deepEqual([outcome.exitCode, state.state], [130, "interrupted"]);
    assert.match(outcome.summary, /^the watch of v3\.0\.0, which serves, has 50m left$/);
    const second = new FakeWorld(() => WELL);
    second.wall = T0 + 1_800_000;
    const again = await runWatch(second, rulesOf(), { ...state, state: "watching" });
    assert.deepEqual([again.outcome.exitCode, second.clock], [0, 1_800_000]);
  });

  it("goes on over looks that fail, and says so once", async () => {
    const world = new FakeWorld((seconds) => (seconds >= 60 && seconds < 300 ? new Error("Docker does not answer") : WELL));
    const { outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.equal(outcome.exitCode, 0);
    assert.deepEqual(world.said, ["the watch cannot look: Docker does not answer; it tries again"]);
    const blind = await runWatch(new FakeWorld((seconds) => (seconds > 0 ? new Error("gone") : WELL)), rulesOf(), watchOf());
    assert.equal(blind.outcome.exitCode, 5);
  });

  it("waits with a rollback while another release is under way", async () => {
    const world: FakeWorld = new FakeWorld(() => ({ traffic: traffic(100, 6) }), { busy: () => (world.clock < 700_000 ? "deploy holds the lock" : "") });
    const { outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.deepEqual([outcome.exitCode, world.rollbacks, world.clock], [3, 1, 700_000]);
    assert.ok(world.said.some((line) => line.includes("but deploy holds the lock")));
  });

  it("looks again when another run had the lock first, and goes back then", async () => {
    const lost: Outcome = { exitCode: 6, summary: "Another release of stack prod is under way: finish", next: "wait for it" };
    const world = new FakeWorld(() => ({ traffic: traffic(100, 6) }), {}, lost, lost, ROLLED_BACK);
    const { state, outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.deepEqual([outcome.exitCode, state.state, world.rollbacks], [3, "ended", 3]);
    assert.ok(world.said.some((line) => /is to be rolled back \(.*\), but another release was quicker; looking again/.test(line)), world.said.join("\n"));
    assert.equal(world.told.filter(([rule]) => rule === "errors").length, 1, "told once");
  });

  it("ends for another release that was quicker than its rollback", async () => {
    const lost: Outcome = { exitCode: 6, summary: "Another release was quicker", next: "" };
    const world: FakeWorld = new FakeWorld(() => {
      if (world.rollbacks > 0) world.serving = { revision: "v4.0.0-bbbbbbbb", tag: "v4.0.0" };
      return { traffic: traffic(100, 6) };
    }, {}, lost);
    const { outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.deepEqual([outcome.exitCode, outcome.summary, world.rollbacks], [0, "the watch of v3.0.0 ended, as v4.0.0 (v4.0.0-bbbbbbbb) serves now", 1]);
  });

  it("does not give up a rollback that has to wait when its time is over", async () => {
    const world: FakeWorld = new FakeWorld(() => ({ traffic: traffic(100, 6) }), { busy: () => (world.clock < 4_000_000 ? "deploy holds the lock" : "") });
    const { outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.deepEqual([outcome.exitCode, world.rollbacks, world.clock], [3, 1, 4_000_000]);
  });

  it("is interrupted with its rollback, and can be gone on with", async () => {
    const world = new FakeWorld(() => ({ traffic: traffic(100, 6) }), {}, { exitCode: 130, summary: "stopped before anything was changed", next: "run the same command again" });
    const { state, outcome } = await runWatch(world, rulesOf(), watchOf());
    assert.deepEqual([outcome.exitCode, state.state, state.exitCode], [130, "interrupted", 130]);
    assert.match(outcome.summary, /^the rollback that the watch's rule errors began \(.* failed in 5m \(above 1 %\)\) was interrupted: stopped before/);
  });

  for (const [name, jump] of [["ahead", 365 * 86_400_000], ["back", -365 * 86_400_000]] as const) {
    it(`watches as long as it should when the clock is set a year ${name}`, async () => {
      const world = new FakeWorld((seconds) => {
        if (seconds === 600) world.wall += jump;
        return WELL;
      });
      const { state, outcome } = await runWatch(world, rulesOf(), watchOf());
      assert.deepEqual([outcome.exitCode, world.clock], [0, 3_600_000]);
      assert.equal(state.endsAt, shifted(watchOf(), jump).endsAt);
    });
  }
});
