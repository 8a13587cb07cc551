/** What happens to open sessions when the route has moved. The world is handed in, so that minutes take no time in tests. */
import type { NewEvent } from "../runtime/journal.js";
import { revisionsOf, type TrafficTable } from "./model.js";

export interface DrainWorld {
  /** Open sessions by revision, on all workers. */
  open(): Promise<Record<string, number>>;
  /** Closes those of a revision. @returns how many there were */
  close(revision: string): Promise<number>;
  /** Throws when this run may not go on. */
  assertHolds(): void;
  write(event: NewEvent): void;
  /** Milliseconds, never set back. */
  monotonic(): number;
  sleep(ms: number): Promise<void>;
}

export interface DrainPlan {
  table: TrafficTable;
  /** False: the former's containers go at the end of this update. */
  keepWarm: boolean;
  /** Milliseconds that sessions on a former release which is not kept warm are waited for. */
  deadlineMs: number;
  /** Milliseconds from the switch until sessions on an abandoned release are closed. */
  onRollbackMs: number;
  /** Milliseconds that have gone since the switch. */
  sinceSwitchMs: number;
}

const LOOK_EVERY_MS = 500;
const TELL_EVERY_MS = 10_000;

/**
 * Waits for sessions, closes them, or only tells of them, as the plan has it; each outcome is journalled with its count.
 * @returns how many sessions are still open on the former release
 */
export async function settleSessions(world: DrainWorld, plan: DrainPlan): Promise<number> {
  const { serving, former, abandoned } = plan.table;
  const known = revisionsOf(plan.table).map(({ revision }) => revision);
  const open = await world.open();
  for (const [revision, count] of Object.entries(open)) {
    if (!known.includes(revision)) {
      world.write({ phase: "sessions", event: "info", message: `${sessions(count)} on ${revision} will end with its containers`, data: { revision, open: count, cut: count } });
    }
  }
  if (former === null) {
    return 0;
  }
  const { revision, tag } = former;
  if (abandoned) {
    const left = await wait(world, revision, Math.min(plan.onRollbackMs, plan.onRollbackMs - plan.sinceSwitchMs));
    const closed = left === 0 ? 0 : await world.close(revision);
    const message = closed === 0 ? `no session is open on ${tag}` : `${sessions(closed)} on ${tag} closed; they connect again to ${serving?.tag ?? "nothing"}`;
    world.write({ phase: "sessions", event: "info", message, data: { revision, closed } });
    return 0;
  }
  if (plan.keepWarm) {
    const count = open[revision] ?? 0;
    world.write({ phase: "sessions", event: "info", message: `${tag} keeps ${sessions(count)}`, data: { revision, open: count } });
    return count;
  }
  const left = await wait(world, revision, plan.deadlineMs);
  const message = left === 0 ? `no session is open on ${tag}` : `at the deadline ${tag} has ${sessions(left)} still, which will end with its containers`;
  world.write({ phase: "sessions", event: "info", message, data: { revision, open: left, cut: left } });
  return left;
}

/** Until a revision has no session or the time is over. @returns how many it has then */
async function wait(world: DrainWorld, revision: string, ms: number): Promise<number> {
  const began = world.monotonic();
  let told = began;
  for (;;) {
    const count = (await world.open())[revision] ?? 0;
    const now = world.monotonic();
    const left = began + ms - now;
    if (count === 0 || left <= 0) {
      return count;
    }
    if (now - told >= TELL_EVERY_MS || now === began) {
      told = now;
      const message = `waiting for ${sessions(count)} on ${revision}, ${Math.ceil(left / 1000)} s at most`;
      world.write({ phase: "sessions", event: "progress", message, data: { revision, open: count, leftMs: Math.round(left) } });
    }
    await world.sleep(Math.min(LOOK_EVERY_MS, left));
    world.assertHolds();
  }
}

function sessions(count: number): string {
  return count === 1 ? "1 session" : `${count} sessions`;
}
