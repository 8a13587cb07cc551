import { ON_TIME_MS, latencyOf, round1, SeenTable } from "./numbers.js";
import type { Cut, Failure, LoadResult, Second } from "./result.js";
import type { Kind } from "./schedule.js";

const FIRST = 20;
const KINDS: readonly Kind[] = ["page", "asset", "upload", "script-health"];

/** A request's end. `latencyMs` counts from the scheduled moment. */
export interface Outcome {
  readonly kind: Kind;
  readonly who: string;
  readonly newUser: boolean;
  readonly latencyMs: number;
  /** Why it failed; null is good. */
  readonly reason: string | null;
  readonly release: string | null;
}

interface Counted { sent: number; failed: number; latencies: number[] }
type MutableSecond = { -readonly [K in keyof Second]: Second[K] };

/** Takes in what happens during a run and sums it up. The clock (Unix milliseconds, monotonic) is given. */
export class Recorder {
  private readonly kinds = new Map<Kind, Counted>(KINDS.map((kind) => [kind, { sent: 0, failed: 0, latencies: [] }]));
  private readonly failures: Failure[] = [];
  private readonly rerunFailures: Failure[] = [];
  private readonly rerunLatencies: number[] = [];
  private readonly cuts: Cut[] = [];
  private readonly timeline: MutableSecond[] = [];
  private readonly byCookie = new SeenTable();
  private readonly byMarker = new SeenTable();
  private readonly moves: { at: number; from: string | null; to: string | null }[] = [];
  private readonly counts = {
    onTime: 0, latestMs: 0, failed: 0, opened: 0, cut: 0, reconnected: 0, longestReconnectMs: 0, reloads: 0, connectFailures: 0,
    reruns: 0, rerunsFailed: 0, lostWithSession: 0,
  };
  private readonly connectProblems: { at: number; session: number; reason: string }[] = [];
  private startedAt: number;
  private lastGoodAt: number;
  private longestGapMs = 0;
  private newUsersGet: string | null = null;

  constructor(private readonly now: () => number) {
    this.startedAt = now();
    this.lastGoodAt = this.startedAt;
  }

  /** The timetable begins now; what the warm-up did is kept, but not its time. */
  start(): void {
    this.startedAt = this.now();
    this.lastGoodAt = this.startedAt;
  }

  /** A request leaves `lateMs` after its scheduled moment. */
  departed(kind: Kind, lateMs: number): void {
    this.kind(kind).sent += 1;
    if (lateMs <= ON_TIME_MS) this.counts.onTime += 1;
    this.counts.latestMs = Math.max(this.counts.latestMs, lateMs);
  }

  ended(outcome: Outcome): void {
    const at = this.now();
    const kind = this.kind(outcome.kind);
    const second = this.second(at);
    kind.latencies.push(outcome.latencyMs);
    second.maxMs = Math.max(second.maxMs, round1(outcome.latencyMs));
    if (outcome.reason !== null) {
      kind.failed += 1;
      second.failed += 1;
      this.counts.failed += 1;
      note(this.failures, { at, kind: outcome.kind, who: outcome.who, reason: outcome.reason, latencyMs: round1(outcome.latencyMs) });
      return;
    }
    second.answered += 1;
    this.longestGapMs = Math.max(this.longestGapMs, at - this.lastGoodAt);
    this.lastGoodAt = at;
    if (outcome.release !== null) {
      this.byCookie.see(outcome.release, at);
      second.releases[outcome.release] = (second.releases[outcome.release] ?? 0) + 1;
    }
    if (outcome.newUser && outcome.release !== this.newUsersGet) {
      this.moves.push({ at, from: this.newUsersGet, to: outcome.release });
      this.newUsersGet = outcome.release;
    }
  }

  sessionOpened(): void { this.counts.opened += 1; }
  sessionReloaded(): void { this.counts.reloads += 1; }
  lostWithSession(): void { this.counts.lostWithSession += 1; }
  markerSeen(marker: string): void { this.byMarker.see(marker, this.now()); }

  sessionCut(cut: Omit<Cut, "at">): void {
    const at = this.now();
    this.counts.cut += 1;
    this.second(at).cut += 1;
    note(this.cuts, { at, ...cut });
  }

  connectFailed(session: number, reason: string): void {
    this.counts.connectFailures += 1;
    note(this.connectProblems, { at: this.now(), session, reason });
  }

  sessionReconnected(tookMs: number): void {
    this.counts.reconnected += 1;
    this.counts.longestReconnectMs = Math.max(this.counts.longestReconnectMs, tookMs);
  }

  rerun(session: number, latencyMs: number, reason: string | null): void {
    this.counts.reruns += 1;
    this.rerunLatencies.push(latencyMs);
    if (reason === null) return;
    this.counts.rerunsFailed += 1;
    note(this.rerunFailures, { at: this.now(), kind: "rerun", who: `session ${session}`, reason, latencyMs: round1(latencyMs) });
  }

  /** One line for the terminal about the second that has just passed. */
  progress(open: number, wanted: number): string {
    const at = this.now();
    const last = this.timeline.at(-1);
    const sent = this.sum((kind) => kind.sent);
    const releases = Object.entries(last?.releases ?? {}).map(([name, count]) => `${name} ${count}`).join(", ");
    const seconds = Math.round((at - this.startedAt) / 1000);
    return `load ${seconds} s: sent ${sent}, failed ${this.counts.failed}, slowest ${last?.maxMs ?? 0} ms, sessions ${open}/${wanted}, cut ${this.counts.cut}`
      + `, reruns ${this.counts.reruns} (${this.counts.rerunsFailed} failed)${releases === "" ? "" : `; ${releases}`}`;
  }

  /** Sums up. `atEnd` tells how the sessions are at the end of the run. */
  summary(run: { url: string; rate: number; sessions: number }, atEnd: { kept: number; down: number }): LoadResult {
    const at = this.now();
    const { counts } = this;
    const sent = this.sum((kind) => kind.sent);
    const reached = sent === 0 ? 0 : counts.onTime / sent;
    const valid = sent > 0 && reached >= 0.99;
    return {
      url: run.url,
      startedAt: this.startedAt,
      seconds: round1((at - this.startedAt) / 1000),
      valid,
      clean: valid && counts.failed === 0 && counts.cut === 0 && counts.rerunsFailed === 0
        && counts.connectFailures === 0 && atEnd.down === 0,
      rate: { wanted: run.rate, reached: Math.floor(reached * 10000) / 10000, latestMs: round1(counts.latestMs) },
      sent,
      answered: this.sum((kind) => kind.latencies.length) - counts.failed,
      failed: counts.failed,
      failures: this.failures,
      latency: latencyOf([...this.kinds.values()].flatMap((kind) => kind.latencies)),
      byKind: {
        page: this.kindSummary("page"), asset: this.kindSummary("asset"),
        upload: this.kindSummary("upload"), "script-health": this.kindSummary("script-health"),
      },
      longestGapMs: round1(Math.max(this.longestGapMs, at - this.lastGoodAt)),
      releases: { byCookie: this.byCookie.all(), byMarker: this.byMarker.all(), moves: this.moves },
      sessions: {
        wanted: run.sessions, opened: counts.opened, kept: atEnd.kept, cut: counts.cut, cuts: this.cuts,
        reconnected: counts.reconnected, longestReconnectMs: round1(counts.longestReconnectMs), down: atEnd.down, reloads: counts.reloads,
        connectFailures: counts.connectFailures, connectProblems: this.connectProblems,
        reruns: counts.reruns, rerunsFailed: counts.rerunsFailed, rerunFailures: this.rerunFailures,
        lostWithSession: counts.lostWithSession, rerunLatency: latencyOf(this.rerunLatencies),
      },
      timeline: this.timeline,
    };
  }

  private kindSummary(kind: Kind): { sent: number; failed: number; latency: ReturnType<typeof latencyOf> } {
    const { sent, failed, latencies } = this.kind(kind);
    return { sent, failed, latency: latencyOf(latencies) };
  }

  private kind(kind: Kind): Counted {
    const found = this.kinds.get(kind);
    if (found === undefined) throw new Error(`no such kind of request: ${kind}`);
    return found;
  }

  private sum(of: (kind: Counted) => number): number {
    return [...this.kinds.values()].reduce((total, kind) => total + of(kind), 0);
  }

  /** The entry of the second that `at` lies in; seconds in which nothing ended have none. */
  private second(at: number): MutableSecond {
    const start = this.startedAt + Math.floor((at - this.startedAt) / 1000) * 1000;
    const last = this.timeline.at(-1);
    if (last?.at === start) return last;
    const next = { at: start, answered: 0, failed: 0, cut: 0, maxMs: 0, releases: {} };
    this.timeline.push(next);
    return next;
  }
}

function note<T>(list: T[], entry: T): void {
  if (list.length < FIRST) list.push(entry);
}
