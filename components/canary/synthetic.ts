/**
 * Synthetic users of a canary and of what serves: Streamlit sessions that have the script run again and again, through the front door but
 * apart from all users, each counted for the release that it looks at.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Runs } from "../judge/model.js";
import { addHistograms, histogramOf } from "../metrics/histogram.js";
import { ScriptSession } from "../streamlit/session.js";
import type { LiveTraffic } from "../traffic/live.js";
import { previewHeaders } from "../traffic/model.js";
import { RUN_EVERY_MS } from "./rules.js";

export interface SyntheticTarget extends Pick<LiveTraffic, "baseUrl" | "previewKey"> {
  /** TCP port that the app listens on in its containers. */
  port: number;
  containers: readonly string[];
  /** Milliseconds. */
  requestTimeoutMs: number;
}

const NONE: Runs = { runs: 0, failed: 0, times: {} };

/** The sessions of one release. */
export class SyntheticSessions {
  private readonly ending = new AbortController();
  private readonly open = new Set<ScriptSession>();
  private runs = NONE;
  private readonly loops: Promise<void>[];

  /** Begins so many sessions, spread over the release's containers and over time. @param everyMs from one run to the next */
  constructor(private readonly target: SyntheticTarget, sessions: number, private readonly everyMs: number = RUN_EVERY_MS) {
    const { containers } = target;
    this.loops = Array.from({ length: sessions }, (_, at) => this.loop(containers[at % containers.length] ?? "", (at * everyMs) / sessions));
  }

  read(): Runs {
    return this.runs;
  }

  /** Counts from now on. */
  reset(): void {
    this.runs = NONE;
  }

  async end(): Promise<void> {
    this.ending.abort();
    for (const session of this.open) session.close();
    await Promise.all(this.loops);
  }

  private async loop(container: string, delayMs: number): Promise<void> {
    const { signal } = this.ending;
    let session: ScriptSession | null = null;
    for (let dueAt = performance.now() + delayMs; ; dueAt = Math.max(dueAt + this.everyMs, performance.now())) {
      await sleep(Math.max(0, dueAt - performance.now()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      session = await this.once(session, container);
    }
  }

  /** @returns the session for the next run; null: a new one is to be opened */
  private async once(before: ScriptSession | null, container: string): Promise<ScriptSession | null> {
    // One that was cut between two runs is a failure that a user would see.
    if (before !== null && !before.isOpen) this.count(true, null);
    const session = before?.isOpen === true ? before : await this.connect(container);
    if (session === null) {
      this.count(true, null);
      return null;
    }
    const began = performance.now();
    const { reason } = await session.run();
    this.count(reason !== null, session === before ? performance.now() - began : null);
    return session;
  }

  /** @param ms of a run that ended well and was not the first of its session, which is slower; null: not timed */
  private count(failed: boolean, ms: number | null): void {
    const { runs, failed: before, times } = this.runs;
    this.runs = { runs: runs + 1, failed: before + (failed ? 1 : 0), times: failed || ms === null ? times : addHistograms([times, histogramOf([ms])]) };
  }

  private async connect(container: string): Promise<ScriptSession | null> {
    const { baseUrl, previewKey, port, requestTimeoutMs } = this.target;
    try {
      const session: ScriptSession = await ScriptSession.open({
        base: baseUrl, headers: previewHeaders(previewKey, container, port), resume: null, withinMs: requestTimeoutMs, onCut: () => this.open.delete(session),
      });
      this.open.add(session);
      if (this.ending.signal.aborted) session.close();
      return session;
    } catch {
      return null;
    }
  }
}

/** Those of both releases. */
export class SyntheticPair {
  private readonly canary: SyntheticSessions;
  private readonly stable: SyntheticSessions;

  /** @param sessions on either */
  constructor(canary: SyntheticTarget, stable: SyntheticTarget, sessions: number) {
    this.canary = new SyntheticSessions(canary, sessions);
    this.stable = new SyntheticSessions(stable, sessions);
  }

  read(): { canary: Runs; stable: Runs } {
    return { canary: this.canary.read(), stable: this.stable.read() };
  }

  /** Counts from now on. */
  reset(): void {
    this.canary.reset();
    this.stable.reset();
  }

  async end(): Promise<void> {
    await Promise.all([this.canary.end(), this.stable.end()]);
  }
}
