/** The lock's logic over a storage in memory, with processes interleaved between any two steps and clocks set by the test. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ReleaseError } from "../../components/runtime/errors.js";
import { take, type LockContent, type LockWorld } from "../../components/runtime/lock.js";
import type { LockStore } from "../../components/runtime/lock-store.js";

const START = Date.parse("2030-01-01T00:00:00Z");
const OPTIONS = { paths: { stack: "t" }, command: "test", wait: 100_000 };

class MemoryStore implements LockStore {
  readonly files = new Map<number, LockContent>();
  /** Awaited before each step, which itself is atomic, as the file system's are. */
  constructor(private readonly step: () => Promise<void>) {}

  async tokens(): Promise<number[]> {
    await this.step();
    return [...this.files.keys()].sort((a, b) => a - b);
  }
  async read(token: number): Promise<LockContent | null> {
    await this.step();
    return this.files.get(token) ?? null;
  }
  async create(token: number, content: LockContent): Promise<boolean> {
    await this.step();
    const free = !this.files.has(token);
    if (free) this.files.set(token, content);
    return free;
  }
  async replace(token: number, content: LockContent): Promise<void> {
    await this.step();
    this.files.set(token, content);
  }
  async remove(token: number): Promise<void> {
    await this.step();
    this.files.delete(token);
  }
  async sweepAfter(): Promise<void> {
    await this.step();
  }
}

interface Fake extends LockWorld {
  clock: { ms: number; wallOffset: number };
}

function world(store: LockStore, self: Partial<LockWorld["self"]> = {}, alive: (content: LockContent) => boolean = () => true, onSleep: () => Promise<void> = () => Promise.resolve()): Fake {
  const clock = { ms: 0, wallOffset: 0 };
  return {
    clock, store, alive,
    // Tidying away at once lets an old listing do its worst.
    keep: 0,
    self: { host: "a", bootId: "b", pid: 1, startTime: 1, ...self },
    now: () => new Date(START + clock.ms + clock.wallOffset),
    monotonic: () => clock.ms,
    sleep: (ms) => {
      clock.ms += ms;
      return onSleep();
    },
  };
}

function content(change: Partial<LockContent> = {}): LockContent {
  const at = new Date(START).toISOString();
  return { run: "other", host: "z", pid: 9, startTime: 9, bootId: "y", startedAt: at, heartbeatAt: at, command: "deploy", released: false, ...change };
}

describe("runtime/lock, step by step", () => {
  it("never has two live holders, whatever the order of steps, with processes that die (property)", async () => {
    const lives = fc.array(fc.array(fc.constantFrom("release", "die"), { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), lives, async (scheduler, processes) => {
        const step = (): Promise<void> => scheduler.schedule(Promise.resolve());
        const store = new MemoryStore(step);
        const dead = new Set<number>();
        const holders = new Map<number, number>();
        let pids = 0;
        const live = async (endings: string[]): Promise<void> => {
          for (const ending of endings) {
            const pid = ++pids;
            const taken = await take(world(store, { pid }, (holder) => !dead.has(holder.pid), step), { ...OPTIONS, run: `run-${pid}` });
            assert.deepEqual([...holders.keys()], [], `${pid} got number ${taken.token} beside a live holder`);
            assert.equal(taken.token, Math.max(...store.files.keys()));
            holders.set(pid, taken.token);
            await step();
            // Released, or seen as dead, in the very step in which it stops being a holder.
            holders.delete(pid);
            if (ending === "die") dead.add(pid);
            else store.files.set(taken.token, { ...taken.content, released: true });
          }
        };
        const all = Promise.all(processes.map(live));
        await scheduler.waitFor(all);
      }),
      { numRuns: 500 },
    );
  }).timeout(60_000);

  it("gives back a number that it made from an old listing, after others came and went", async () => {
    let resume: () => void = () => undefined;
    const paused = new Promise<void>((resolve) => (resume = resolve));
    const store = new MemoryStore(() => Promise.resolve());
    const slow = new MemoryStore(() => Promise.resolve());
    // The slow process reads the same files, but stops between its look at the holder and its link.
    Object.defineProperty(slow, "files", { value: store.files });
    const slowWorld = world({
      tokens: () => slow.tokens(),
      read: (token) => slow.read(token),
      create: async (token, made) => {
        await paused;
        return slow.create(token, made);
      },
      replace: (token, made) => slow.replace(token, made),
      remove: (token) => slow.remove(token),
      sweepAfter: () => slow.sweepAfter(),
    });
    const first = await take(world(store), { ...OPTIONS, run: "first" });
    store.files.set(first.token, { ...first.content, released: true });
    const late = take(slowWorld, { ...OPTIONS, run: "late", wait: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    let last = 0;
    for (let n = 0; n < 5; n++) {
      const taken = await take(world(store), { ...OPTIONS, run: `other-${n}` });
      last = taken.token;
      if (n < 4) store.files.set(taken.token, { ...taken.content, released: true });
    }
    assert.ok(!store.files.has(2), "number 2 was tidied away and is free again");
    resume();
    await assert.rejects(late, (error: unknown) => error instanceof ReleaseError && error.code === "lockHeld");
    assert.equal(Math.max(...store.files.keys()), last);
    assert.ok(!store.files.has(2));
  });

  describe("a holder on another host", () => {
    const store = (holder: LockContent): MemoryStore => {
      const made = new MemoryStore(() => Promise.resolve());
      made.files.set(3, holder);
      return made;
    };

    it("is refused at once while its heartbeat is young", async () => {
      const fake = world(store(content()));
      await assert.rejects(take(fake, { ...OPTIONS, run: "r", wait: 0 }), /Another release/);
      assert.equal(fake.clock.ms, 0);
    });

    it("is taken over when the heartbeat is old and stays so", async () => {
      const fake = world(store(content()));
      fake.clock.wallOffset = 61_000;
      const taken = await take(fake, { ...OPTIONS, run: "r", wait: 0 });
      assert.deepEqual([taken.token, taken.takenOver?.run], [4, "other"]);
      assert.ok(fake.clock.ms >= 11_000);
    });

    it("is not taken over by a clock that jumped a year while it still beats", async () => {
      const beating = store(content());
      const fake = world(beating, {}, undefined, () => {
        beating.files.set(3, content({ heartbeatAt: new Date(START + Math.floor(fake.clock.ms / 5000) * 5000).toISOString() }));
        return Promise.resolve();
      });
      fake.clock.wallOffset = 365 * 86_400_000;
      await assert.rejects(take(fake, { ...OPTIONS, run: "r" }), /Another release/);
      assert.ok(fake.clock.ms >= OPTIONS.wait);
      await assert.rejects(take(fake, { ...OPTIONS, run: "r", wait: 0 }), /Another release/);
    });

    it("is taken over when its clock runs ahead and it does not beat", async () => {
      const fake = world(store(content({ heartbeatAt: new Date(START + 86_400_000).toISOString() })));
      const taken = await take(fake, { ...OPTIONS, run: "r" });
      assert.equal(taken.takenOver?.run, "other");
      assert.ok(fake.clock.ms >= 60_000);
    });

    it("is one too after a reboot: the boot differs", async () => {
      const fake = world(store(content({ host: "a", bootId: "older", pid: 1, startTime: 1 })));
      fake.clock.wallOffset = 61_000;
      assert.equal((await take(fake, { ...OPTIONS, run: "r", wait: 0 })).takenOver?.bootId, "older");
    });
  });
});
