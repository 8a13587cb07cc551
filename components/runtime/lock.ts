/**
 * One release per stack. Each holder gets a number higher than all before it (a fencing token): handlers refuse to work
 * for a run whose number is no longer the highest. A lock is taken over only from a holder that released it or is dead.
 */
import { errors } from "./errors.js";
import { isAlive, thisHost, thisProcess, type HostIdentity } from "./liveness.js";
import { FileLockStore, listTokens, readToken, type LockContent, type LockStore } from "./lock-store.js";
import type { DataPaths } from "./paths.js";

export type { LockContent } from "./lock-store.js";

export interface AcquireOptions {
  paths: DataPaths;
  run: string;
  /** `deploy`, `rollback`, …: shown to whoever finds the lock held. */
  command: string;
  /** Milliseconds to wait for a live holder. Default 0. */
  wait?: number;
  /** Called once for each holder that is waited for. */
  onWait?: (holder: LockContent) => void;
}

export interface HeldLock {
  /** The fencing number: PBJRAG_FENCE of everything that this run starts. */
  readonly token: number;
  /** The dead run that it was taken from: its leftovers are to be ended. */
  readonly takenOver?: LockContent;
  /** Also after somebody else took it over. Repeating it does nothing. */
  release(): Promise<void>;
}

/** What the lock's logic needs of the world; tests replace it. */
export interface LockWorld {
  store: LockStore;
  self: Pick<LockContent, "host" | "bootId" | "pid" | "startTime">;
  /** Whether a process of this host lives. */
  alive: (content: LockContent) => boolean;
  now: () => Date;
  /** Milliseconds, never set back. */
  monotonic: () => number;
  sleep: (ms: number) => Promise<void>;
  /** Former numbers that are kept, to tell who was here. */
  keep: number;
}

/** Milliseconds between two signs of life. */
export const HEARTBEAT_MS = 5000;
/** A holder on another host counts as dead when its heartbeat is older than this many milliseconds. */
const SILENCE_MS = 60_000;
/** So long it is looked at before that is believed: clocks jump, heartbeats do not. */
const WATCH_MS = 2 * HEARTBEAT_MS + 1000;
const POLL_MS = 100;

/** `alive`; `dead` for certain; `silent`: on another host, and it should have given a sign. */
export type Liveness = "alive" | "dead" | "silent";

function fileWorld(paths: DataPaths): LockWorld {
  return {
    store: new FileLockStore(paths.lock),
    self: { ...thisHost(), ...thisProcess() },
    alive: isAlive,
    now: () => new Date(),
    monotonic: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    keep: 10,
  };
}

/** @throws ReleaseError lockHeld (exit code 6) if a live run holds it and does not release it within `wait` */
export async function acquire(options: AcquireOptions): Promise<HeldLock> {
  const world = fileWorld(options.paths);
  const taken = await take(world, options);
  return hold(world, taken);
}

export interface Taken {
  token: number;
  content: LockContent;
  takenOver?: LockContent;
}

/** Takes the lock, without the heartbeat. Separate from {@link acquire} for tests that interleave many takers. */
export async function take(world: LockWorld, options: Pick<AcquireOptions, "run" | "command" | "wait" | "onWait"> & { paths: { stack: string } }): Promise<Taken> {
  const until = world.monotonic() + (options.wait ?? 0);
  const watch = new Watch(world);
  let announced = 0;
  for (;;) {
    const tokens = await world.store.tokens();
    const highest = tokens.at(-1) ?? 0;
    const holder = highest === 0 ? null : await world.store.read(highest);
    if (highest !== 0 && holder === null) {
      continue; // It became a former one and went between the two steps.
    }
    const state = holder === null || holder.released ? "free" : watch.judge(highest, holder);
    if (state === "free" || state === "dead") {
      const content = freshContent(world, options);
      if ((await world.store.create(highest + 1, content)) && (await isHighest(world.store, highest + 1))) {
        await prune(world, tokens);
        if (state === "dead" && holder !== null && sameBoot(holder, world.self)) await world.store.sweepAfter(holder.pid);
        return { token: highest + 1, content, ...(state === "dead" && holder !== null ? { takenOver: holder } : {}) };
      }
      continue;
    }
    if (holder !== null) {
      if (state === "alive" && world.monotonic() >= until) {
        throw errors.lockHeld({ stack: options.paths.stack, holder: holderInWords(holder) });
      }
      if (announced !== highest && state === "alive") {
        announced = highest;
        options.onWait?.(holder);
      }
    }
    await world.sleep(POLL_MS);
  }
}

/**
 * Whether the number that was just made is the highest. If it is not, it was made from an old listing: others came and went
 * meanwhile and their numbers were tidied away, so that it was free again. It goes, and its maker tries anew.
 */
async function isHighest(store: LockStore, token: number): Promise<boolean> {
  if ((await store.tokens()).at(-1) === token) {
    return true;
  }
  await store.remove(token);
  return false;
}

async function prune(world: LockWorld, former: readonly number[]): Promise<void> {
  for (const token of former.slice(0, Math.max(0, former.length - world.keep))) {
    await world.store.remove(token);
  }
}

function freshContent(world: LockWorld, options: Pick<AcquireOptions, "run" | "command">): LockContent {
  const at = world.now().toISOString();
  return { run: options.run, command: options.command, ...world.self, startedAt: at, heartbeatAt: at, released: false };
}

function hold(world: LockWorld, taken: Taken): HeldLock {
  const { store } = world;
  let released = false;
  // One write after the other: a heartbeat must not overtake the release.
  let last = Promise.resolve();
  const write = (change: Partial<LockContent>): Promise<void> => {
    last = last.then(async () => {
      if ((await store.tokens()).at(-1) === taken.token) {
        await store.replace(taken.token, { ...taken.content, heartbeatAt: world.now().toISOString(), ...change });
      }
    });
    return last;
  };
  const beat = setInterval(() => {
    // A full disk for a moment: the next beat tries again, and a lock that is lost shows in assertHolds.
    write({}).catch(() => (last = Promise.resolve()));
  }, HEARTBEAT_MS).unref();
  return {
    token: taken.token,
    ...(taken.takenOver === undefined ? {} : { takenOver: taken.takenOver }),
    release: async () => {
      if (!released) {
        released = true;
        clearInterval(beat);
        await write({ released: true });
      }
    },
  };
}

/** Judges a holder, over repeated looks where one is not enough. */
class Watch {
  private token = 0;
  private heartbeat = "";
  private since = 0;
  private beats = false;

  constructor(private readonly world: LockWorld) {}

  judge(token: number, holder: LockContent): Liveness {
    const now = livenessOf(holder, this.world);
    if (sameBoot(holder, this.world.self)) {
      return now;
    }
    if (token !== this.token || holder.heartbeatAt !== this.heartbeat) {
      this.beats = token === this.token;
      this.token = token;
      this.heartbeat = holder.heartbeatAt;
      this.since = this.world.monotonic();
    }
    // A clock that jumped makes every heartbeat look old, one that runs ahead none: what counts in the end is that it beats.
    const silent = now === "silent" && !this.beats;
    const dead = this.world.monotonic() - this.since >= (silent ? WATCH_MS : SILENCE_MS);
    return dead ? "dead" : silent ? "silent" : "alive";
  }
}

function sameBoot(holder: LockContent, self: HostIdentity): boolean {
  return holder.host === self.host && holder.bootId === self.bootId;
}

function livenessOf(holder: LockContent, world: Pick<LockWorld, "self" | "alive" | "now">): Liveness {
  if (sameBoot(holder, world.self)) {
    return world.alive(holder) ? "alive" : "dead";
  }
  return world.now().getTime() - Date.parse(holder.heartbeatAt) > SILENCE_MS ? "silent" : "alive";
}

/** `deploy, run deploy-1 (pid 7 on host), since …`. */
export function holderInWords(holder: LockContent): string {
  const where = holder.host === "" ? "" : ` (pid ${holder.pid} on ${holder.host})`;
  return `${holder.command}, run ${holder.run}${where}, holds the lock since ${holder.startedAt}`;
}

export interface LockDescription {
  token: number;
  /** Who holds it, or held it last. */
  holder: LockContent;
  /** `released`; else as the holder is. A `dead` or `silent` one is taken over by the next command. */
  state: "released" | Liveness;
}

/** The lock as it is now, without touching it; null if it was never taken. */
export function describeLock(paths: DataPaths): LockDescription | null {
  const token = listTokens(paths.lock).at(-1);
  const holder = token === undefined ? null : readToken(paths.lock, token);
  if (token === undefined || holder === null) {
    return null;
  }
  const world = { self: { ...thisHost(), ...thisProcess() }, alive: isAlive, now: () => new Date() };
  return { token, holder, state: holder.released ? "released" : livenessOf(holder, world) };
}

/**
 * For handlers, before each effect: the run that this process works for (PBJRAG_FENCE) still holds the lock.
 * In a plain `pulumi up` there is no such run: then nobody else may hold it.
 * @throws ReleaseError lockLost, or lockHeld in a plain update
 */
export function assertHolds(paths: DataPaths, env: NodeJS.ProcessEnv = process.env): void {
  const lock = describeLock(paths);
  const fence = env.PBJRAG_FENCE ?? "";
  if (fence === "") {
    if (lock !== null && lock.state === "alive") {
      throw errors.lockHeld({ stack: paths.stack, holder: holderInWords(lock.holder) });
    }
    return;
  }
  if (lock === null) {
    throw errors.lockLost({ stack: paths.stack, fence, why: "its lock file is gone" });
  }
  if (String(lock.token) !== fence) {
    throw errors.lockLost({ stack: paths.stack, fence, why: `number ${lock.token} was given to ${holderInWords(lock.holder)}` });
  }
  if (lock.holder.released) {
    throw errors.lockLost({ stack: paths.stack, fence, why: "it has been released" });
  }
}
