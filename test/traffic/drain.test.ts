import assert from "node:assert/strict";
import { settleSessions, type DrainPlan, type DrainWorld } from "../../components/traffic/drain.js";
import { whileLeaving } from "../../components/traffic/route/handler.js";
import type { NewEvent } from "../../components/runtime/journal.js";
import { emptyTable } from "../../components/traffic/model.js";
import { revision, table } from "./sample.js";

const V3 = "v3.0.0-aaaaaaaa";
const V2 = "v2.9.0-bbbbbbbb";

/** Sessions as a function of the time; sleeping takes no time. */
class World implements DrainWorld {
  now = 0;
  readonly events: NewEvent[] = [];
  readonly closed: [string, number][] = [];
  lost = Infinity;

  constructor(private readonly at: (now: number) => Record<string, number>) {}

  open(): Promise<Record<string, number>> {
    return Promise.resolve(this.at(this.now));
  }
  close(revision: string): Promise<number> {
    this.closed.push([revision, this.now]);
    return Promise.resolve(this.at(this.now)[revision] ?? 0);
  }
  assertHolds(): void {
    if (this.now >= this.lost) throw new Error("lost");
  }
  write(event: NewEvent): void {
    this.events.push(event);
  }
  monotonic(): number {
    return this.now;
  }
  sleep(ms: number): Promise<void> {
    this.now += ms;
    return Promise.resolve();
  }
  get told(): string[] {
    return this.events.filter(({ event }) => event === "info").map(({ message }) => message);
  }
}

const plan = (parts: Partial<DrainPlan> = {}): DrainPlan => ({ table: table(), keepWarm: true, deadlineMs: 900_000, onRollbackMs: 30_000, sinceSwitchMs: 0, ...parts });

describe("sessions after the route has moved", () => {
  it("go on with a former release that is kept warm, and are not waited for", async () => {
    const world = new World(() => ({ [V2]: 7, [V3]: 2 }));
    assert.equal(await settleSessions(world, plan()), 7);
    assert.deepEqual([world.now, world.closed, world.told], [0, [], ["v2.9.0 keeps 7 sessions"]]);
  });

  it("are told where they end with the containers of an older release", async () => {
    const world = new World(() => ({ "v1.0.0-cccccccc": 1 }));
    await settleSessions(world, plan());
    assert.equal(world.told[0], "1 session on v1.0.0-cccccccc will end with its containers");
  });

  it("are closed after the grace on an abandoned release", async () => {
    const world = new World(() => ({ [V2]: 3 }));
    await settleSessions(world, plan({ table: table({ abandoned: true }) }));
    assert.deepEqual(world.closed, [[V2, 30_000]]);
    assert.deepEqual(world.told, ["3 sessions on v2.9.0 closed; they connect again to v3.0.0"]);
  });

  it("have had their grace already when the command line moved the route long ago", async () => {
    const world = new World(() => ({ [V2]: 3 }));
    await settleSessions(world, plan({ table: table({ abandoned: true }), sinceSwitchMs: 20_000 }));
    assert.deepEqual(world.closed, [[V2, 10_000]]);
    const late = new World(() => ({ [V2]: 3 }));
    await settleSessions(late, plan({ table: table({ abandoned: true }), sinceSwitchMs: 10 ** 12 }));
    assert.deepEqual(late.closed, [[V2, 0]]);
    // A clock that was set back must not make the grace longer.
    const back = new World(() => ({ [V2]: 3 }));
    await settleSessions(back, plan({ table: table({ abandoned: true }), sinceSwitchMs: -(10 ** 9) }));
    assert.deepEqual(back.closed, [[V2, 30_000]]);
  });

  it("need no closing once the last has left by itself", async () => {
    const world = new World((now): Record<string, number> => (now < 4000 ? { [V2]: 3 } : {}));
    await settleSessions(world, plan({ table: table({ abandoned: true }) }));
    assert.deepEqual([world.now, world.closed, world.told], [4000, [], ["no session is open on v2.9.0"]]);
  });

  it("are waited for until the deadline where nothing is kept warm, and counted then", async () => {
    const world = new World((now) => ({ [V2]: Math.max(2, 9 - Math.floor(now / 60_000)) }));
    assert.equal(await settleSessions(world, plan({ keepWarm: false })), 2);
    assert.equal(world.now, 900_000);
    assert.deepEqual(world.closed, []);
    assert.equal(world.told[0], "at the deadline v2.9.0 has 2 sessions still, which will end with its containers");
    const progress = world.events.filter(({ event }) => event === "progress");
    assert.equal(progress[0]?.message, `waiting for 9 sessions on ${V2}, 900 s at most`);
    assert.ok(progress.length >= 89 && progress.length <= 91);
  });

  it("are left to whoever holds the lock now", async () => {
    const world = new World(() => ({ [V2]: 3 }));
    world.lost = 5000;
    await assert.rejects(settleSessions(world, plan({ table: table({ abandoned: true }) })), /lost/);
    assert.deepEqual(world.closed, []);
  });
});

describe("a release that leaves where nothing is kept warm", () => {
  const wanted = table({ former: null });

  it("is the former one until its users have left", () => {
    const before = table({ seq: 1, serving: revision("dev", V2), former: null });
    assert.deepEqual(whileLeaving(before, { table: wanted, kind: "deploy" }), { ...wanted, former: before.serving });
    assert.equal(whileLeaving(before, { table: wanted, kind: "rollback" })?.abandoned, true);
  });

  it("is found again by a run after one that was killed meanwhile", () => {
    const between = { ...wanted, former: revision("dev", V2) };
    assert.deepEqual(whileLeaving(between, { table: wanted, kind: "deploy" }), between);
  });

  it("is nobody on the first release, when it has left, or when the table keeps it", () => {
    for (const before of [null, emptyTable("dev"), wanted]) {
      assert.equal(whileLeaving(before, { table: wanted, kind: "deploy" }), null);
    }
    assert.equal(whileLeaving(table(), { table: table(), kind: "deploy" }), null);
  });
});
