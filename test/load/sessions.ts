import { setTimeout as sleep } from "node:timers/promises";
import { ANSWER_WITHIN_MS } from "./classify.js";
import type { Recorder } from "./recorder.js";
import { Session } from "./session.js";

const RERUN_EVERY_MS = 1000;
const RELOAD_EVERY_MS = 10_000;
/** A browser's wait before its second attempt to reconnect; it doubles up to the longest (milliseconds). */
const BACKOFF = { first: 500, longest: 4000 } as const;

/** The Streamlit sessions of a run: kept open, rerun each second, reconnected when cut; some reload their page now and then. */
export class Sessions {
  private readonly all: Session[];
  private readonly neverCut: Set<number>;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly lastCutAt = new Map<number, number>();
  private readonly reconnecting = new Set<Promise<void>>();
  private leaving = false;
  private turn = 0;

  constructor(base: string, count: number, private readonly reloading: number, private readonly recorder: Recorder) {
    const events = {
      rerun: (session: number, latencyMs: number, reason: string | null) => recorder.rerun(session, latencyMs, reason),
      marker: (marker: string) => recorder.markerSeen(marker),
      cut: (session: number, code: number, reason: string, pending: boolean) => this.cut(session, code, reason, pending),
    };
    this.all = Array.from({ length: count }, (_, number) => new Session(number, base, events));
    this.neverCut = new Set(this.all.map(({ number }) => number));
  }

  get open(): number {
    return this.all.filter(({ id }) => id !== null).length;
  }

  /** Opens all, a few at a time, and begins the reruns. Resolves when each is open or `withinMs` has passed. */
  async start(withinMs: number): Promise<void> {
    const opening = this.all.map(async (session, i) => {
      await sleep(i * 50);
      await this.connect(session, true);
      this.beginReruns(session);
    });
    await Promise.race([Promise.all(opening), sleep(withinMs, undefined, { ref: false })]);
    this.all.slice(0, this.reloading).forEach((session, i) => {
      const every = setInterval(() => void this.reload(session), RELOAD_EVERY_MS + i * 700);
      this.timers.push(every);
    });
  }

  /**
   * A session to upload into: those that do not reload take turns. Waits for one to be open, as a user does whose page says "connecting", for
   * `withinMs` at most; then null.
   */
  async forUpload(withinMs: number): Promise<Session | null> {
    const until = performance.now() + withinMs;
    const steady = this.all.slice(this.reloading);
    for (;;) {
      for (let tried = 0; tried < steady.length; tried += 1) {
        const session = steady[this.turn++ % steady.length];
        if (session?.id != null) return session;
      }
      if (performance.now() > until || this.leaving) return null;
      await sleep(25);
    }
  }

  /** Whether this session was cut after `since` (performance.now()); waits a moment for the news of it, which may come after a failed answer. */
  async cutSince(session: Session, since: number): Promise<boolean> {
    await sleep(100);
    return (this.lastCutAt.get(session.number) ?? -Infinity) >= since;
  }

  /** Gives those that are connecting the time that an answer has, then leaves all. Tells how they were. */
  async stop(): Promise<{ kept: number; down: number }> {
    this.timers.forEach((timer) => clearInterval(timer));
    await Promise.race([Promise.all(this.reconnecting), sleep(ANSWER_WITHIN_MS, undefined, { ref: false })]);
    const kept = this.all.filter(({ id, number }) => id !== null && this.neverCut.has(number)).length;
    const down = this.all.length - this.open;
    this.leaving = true;
    for (const session of this.all) {
      session.close();
      session.user.leave();
    }
    await Promise.allSettled(this.reconnecting);
    return { kept, down };
  }

  private beginReruns(session: Session): void {
    if (this.leaving) return;
    this.timers.push(setInterval(() => session.rerun(performance.now()), RERUN_EVERY_MS));
  }

  /** Connects until it works or the run ends. */
  private async connect(session: Session, withPage: boolean): Promise<void> {
    let page = withPage;
    for (let wait: number = BACKOFF.first; !this.leaving; wait = Math.min(wait * 2, BACKOFF.longest)) {
      try {
        if (page) await session.loadPage();
        page = false;
        await session.connect();
        this.recorder.sessionOpened();
        return;
      } catch (error) {
        if (this.leaving) return;
        this.recorder.connectFailed(session.number, error instanceof Error ? error.message : String(error));
      }
      await sleep(wait);
    }
  }

  private cut(number: number, code: number, reason: string, pending: boolean): void {
    const session = this.all[number];
    if (this.leaving || session === undefined) return;
    const at = performance.now();
    this.neverCut.delete(number);
    this.lastCutAt.set(number, at);
    this.recorder.sessionCut({ session: number, code, reason, release: session.user.jar.release() });
    if (pending) this.recorder.lostWithSession();
    const back = this.connect(session, false).then(() => {
      if (!this.leaving) this.recorder.sessionReconnected(performance.now() - at);
    });
    this.reconnecting.add(back);
    void back.finally(() => this.reconnecting.delete(back));
  }

  /** The user presses the browser's reload button. Not while the session is down or the script runs. */
  private async reload(session: Session): Promise<void> {
    if (session.id === null || session.busy) return;
    session.close();
    this.recorder.sessionReloaded();
    const back = this.connect(session, true);
    this.reconnecting.add(back);
    await back.finally(() => this.reconnecting.delete(back));
  }
}
