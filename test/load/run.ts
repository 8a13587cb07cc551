import { setTimeout as sleep } from "node:timers/promises";
import { ANSWER_WITHIN_MS, judge, type Answer } from "./classify.js";
import type { LoadOptions } from "./options.js";
import { markerIn } from "../../components/streamlit/protocol.js";
import { Recorder } from "./recorder.js";
import type { LoadResult } from "./result.js";
import { timetable, type Slot } from "./schedule.js";
import { Sessions } from "./sessions.js";
import { User } from "./user.js";

/** Users who come back; a prime, so that each of them gets every kind of request in turn. */
const REGULARS = 31;
/** New users who have loaded the page and wait to load its asset. */
const VISITORS = 50;
const WARM_UP_MS = 30_000;
/** Upload names take turns, so that a session holds a few files at most. */
const FILES = 4;
const CONTENT = Buffer.alloc(8 * 1024, "what the load uploads\n");

/** A whole run: warm-up, the open loop until its end or the signal, the sum. `say` gets one line per second. */
export async function run(options: LoadOptions, signal: AbortSignal, say: (line: string) => void): Promise<LoadResult> {
  const recorder = new Recorder(() => performance.timeOrigin + performance.now());
  const sessions = new Sessions(options.url, options.sessions, options.reloading, recorder);
  const load = new Load(options, recorder, sessions);
  say(`load: opening ${options.sessions} sessions on ${options.url}`);
  await Promise.all([sessions.start(WARM_UP_MS), load.warmUp()]);
  recorder.start();
  say(`load: started, ${options.rate} requests per second`);
  const progress = setInterval(() => say(recorder.progress(sessions.open, options.sessions)), 1000);
  await load.send(signal);
  clearInterval(progress);
  await load.finish();
  return recorder.summary(options, await sessions.stop());
}

class Load {
  private readonly regulars: User[];
  private readonly visitors: User[] = [];
  private readonly assets = new Map<string, Buffer>();
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly options: LoadOptions, private readonly recorder: Recorder, private readonly sessions: Sessions) {
    this.regulars = Array.from({ length: REGULARS }, (_, i) => new User(`user ${i}`, options.url));
  }

  /** Each regular user has been here before: has the page's cookies and knows its asset. One that fails here fails in the run as well, and counts there. */
  async warmUp(): Promise<void> {
    for (const user of this.regulars) await user.page(ANSWER_WITHIN_MS).catch(() => undefined);
  }

  /** Sends what is due until the run's length is reached or the signal comes. */
  async send(signal: AbortSignal): Promise<void> {
    const table = timetable(this.options.rate, { upload: this.options.sessions > this.options.reloading, scriptHealth: this.options.scriptHealth });
    const start = performance.now();
    const total = this.options.rate * this.options.seconds;
    for (let next = 0; next < total && !signal.aborted;) {
      const due = Math.min(total, table.dueBy(performance.now() - start));
      for (; next < due; next += 1) this.depart(table.slot(next), start);
      const wait = Math.max(1, start + table.slot(next).dueMs - performance.now());
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Waits for the answers that are still due (each has its deadline) and closes the connections. */
  async finish(): Promise<void> {
    await Promise.all(this.underWay);
    for (const user of [...this.regulars, ...this.visitors]) user.leave();
  }

  private depart(slot: Slot, start: number): void {
    const dueAt = start + slot.dueMs;
    this.recorder.departed(slot.kind, performance.now() - dueAt);
    const work = this.perform(slot, dueAt);
    this.underWay.add(work);
    void work.finally(() => this.underWay.delete(work));
  }

  private async perform(slot: Slot, dueAt: number): Promise<void> {
    if (slot.kind === "upload") return this.upload(slot, dueAt);
    const user = this.userFor(slot);
    const reason = await this.attempt(slot, user, dueAt);
    this.end(slot, user, dueAt, reason);
    if (slot.newUser && reason === null && this.visitors.length < VISITORS) this.visitors.push(user);
    else if (!this.regulars.includes(user)) user.leave();
  }

  private userFor(slot: Slot): User {
    if (slot.newUser) return new User(`new user ${slot.index}`, this.options.url);
    const visitor = slot.kind === "asset" ? this.visitors.shift() : undefined;
    const user = visitor ?? this.regulars[slot.index % REGULARS];
    if (user === undefined) throw new Error("there are no regular users");
    return user;
  }

  /** Sends one request and judges its answer; returns the reason of a failure. */
  private async attempt(slot: Slot, user: User, dueAt: number): Promise<string | null> {
    const withinMs = dueAt + ANSWER_WITHIN_MS - performance.now();
    try {
      if (slot.kind === "page") {
        const answer = await user.page(withinMs);
        const marker = markerIn(answer.body);
        if (marker !== null) this.recorder.markerSeen(marker);
        return judge("page", answer);
      }
      if (slot.kind === "asset") return await this.fetchAsset(user, withinMs);
      return judge(slot.kind, await user.ask({ method: "GET", path: "/_stcore/script-health-check", withinMs }));
    } catch (error) {
      return reasonOf(error);
    }
  }

  private async fetchAsset(user: User, withinMs: number): Promise<string | null> {
    // A user whose page never came asks for what no page has named: the failure of that page shows again, as it would in a browser.
    const path = user.asset ?? "/static/unknown";
    const answer: Answer = await user.ask({ method: "GET", path, withinMs });
    const first = this.assets.get(path);
    const reason = judge("asset", answer, first === undefined ? {} : { asset: first });
    if (reason === null && first === undefined) this.assets.set(path, answer.body);
    return reason;
  }

  private async upload(slot: Slot, dueAt: number): Promise<void> {
    const left = (): number => dueAt + ANSWER_WITHIN_MS - performance.now();
    const session = await this.sessions.forUpload(left());
    const id = session?.id ?? null;
    if (session === null || id === null) {
      this.end(slot, null, dueAt, "no answer in time: no session was open to upload into");
      return;
    }
    const sentAt = performance.now();
    const reason = await session.user.upload(id, `00000000-0000-4000-8000-00000000000${slot.index % FILES}`, CONTENT, left())
      .then((answer) => judge("upload", answer), reasonOf);
    const latencyMs = performance.now() - dueAt;
    if (reason !== null && await this.sessions.cutSince(session, sentAt)) this.recorder.lostWithSession();
    else this.end(slot, session.user, dueAt, reason, latencyMs);
  }

  private end(slot: Slot, user: User | null, dueAt: number, reason: string | null, latencyMs = performance.now() - dueAt): void {
    const { kind, newUser } = slot;
    this.recorder.ended({ kind, who: user?.name ?? "nobody", newUser, latencyMs, reason, release: user?.jar.release() ?? null });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message.startsWith("no answer") ? `${error.message} (5 s)` : `connection error: ${code ?? ""} ${error.message}`;
}
