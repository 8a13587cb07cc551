import { randomBytes } from "node:crypto";
import { assertDocker } from "../../components/runtime/docker.js";
import { asReleaseError, EXIT, messageOf, ReleaseError } from "../../components/runtime/errors.js";
import { follow, openJournal, readRun, rotateJournal, type Journal, type JournalEvent, type Phase } from "../../components/runtime/journal.js";
import { acquire, assertHolds, type HeldLock, type LockContent } from "../../components/runtime/lock.js";
import { stamp } from "../../components/runtime/paths.js";
import { endRun, runEnv } from "../../components/runtime/processes.js";
import { Engine } from "./engine.js";
import { endedBadly, readLastRun, writeLastRun, type LastRun } from "./last-run.js";
import type { About, Notices } from "./notify/notices.js";
import type { Outcome } from "./outcome.js";
import { secretsOf } from "./secrets.js";
import { onSignal } from "./signals.js";
import { Terminal } from "./terminal.js";
import type { Workspace } from "./workspace.js";

export interface RunOptions {
  command: "deploy" | "rollback" | "restore" | "finish" | "prune" | "pin" | "accept" | "send" | "fetch";
  /** It releases nothing: how the last release ended stays what the next one goes by. */
  beside?: boolean;
  /** It is part of a drill. */
  rehearsal?: boolean;
  /** Milliseconds since 1970, of one that did not begin with its process; absent: the process's first one did. */
  began?: number;
  /** How long to wait for another release's lock, milliseconds. 0: refuse at once. */
  waitMs: number;
}

/** Milliseconds since 1970. A process's first command began with it, another one of a drill when it is conducted. */
let beganWithProcess: number | null = performance.timeOrigin;

/** Thrown between steps once the operator has asked to stop. */
export class Interrupted extends Error {}

/** One command that changes a stack: it holds the lock, writes the log and the journal, and passes signals on. */
export class Run {
  readonly engine: Engine;
  /** How the command before this one ended, and what it left when it was killed. */
  readonly before: LastRun | null;
  readonly takenOver: LockContent | null;
  private readonly stopping = new AbortController();
  private signals = 0;
  private notices: Notices | undefined;
  private child: { kill(signal: NodeJS.Signals): boolean } | undefined;
  private secretsKnown = false;

  private constructor(
    readonly ws: Workspace,
    readonly id: string,
    readonly command: RunOptions["command"],
    readonly startedAt: Date,
    readonly terminal: Terminal,
    readonly journal: Journal,
    private readonly lock: HeldLock,
  ) {
    this.before = readLastRun(ws.paths);
    this.takenOver = lock.takenOver ?? null;
    this.engine = new Engine(ws, this.env, {
      raw: (line) => terminal.detail(line, "pulumi"),
      show: (line) => terminal.engineLine(line),
      event: (event) => journal.write({ ...event, message: terminal.redact(event.message) }),
      quietMs: () => terminal.quietMs(),
    });
  }

  /** Environment that Pulumi, and through it every handler and backup, inherits. */
  get env(): Record<string, string> {
    return { ...runEnv({ run: this.id, lock: this.ws.paths.lock, fence: this.token }), PBJRAG_DATA_DIR: this.ws.paths.dataDir };
  }

  /** This run's number: higher than that of every run before. */
  get token(): number {
    return this.lock.token;
  }

  /** Renewed when the last run did not end well: a retry gets a new backup and a new gate. */
  get attempt(): string {
    return this.takenOver !== null || endedBadly(this.before) ? this.id : "";
  }

  get interrupted(): boolean {
    return this.signals > 0;
  }

  /** Aborted once the operator has asked to stop. */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  /** @throws Interrupted when the operator has asked to stop */
  checkpoint(): void {
    if (this.interrupted) throw new Interrupted();
  }

  /** @throws ReleaseError lockLost when another run has taken over */
  assertHolds(): void {
    assertHolds(this.ws.paths, { ...process.env, ...this.env });
  }

  /** Nothing that is shown or kept from now on holds a secret of the stack. @throws as {@link secretsOf} */
  async protectSecrets(): Promise<void> {
    if (this.secretsKnown) return;
    this.terminal.protect(await secretsOf(this.ws, this.engine));
    this.secretsKnown = true;
  }

  /** Work that has a time of its own in the journal. */
  async during<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    this.journal.write({ phase, event: "start", message: "" });
    try {
      return await work();
    } finally {
      this.journal.write({ phase, event: "done", message: "" });
    }
  }

  /** Another child than Pulumi, which gets the signals from now on. */
  whileChild(child: { kill(signal: NodeJS.Signals): boolean }): void {
    this.child = child;
  }

  /** From now on others are told how this run gets on. Loaded here: a warm rollback comes to it when its users are moved. */
  async announce(about: About): Promise<void> {
    this.notices ??= (await import("./notify/notices.js")).beginNotices(this, about);
  }

  say(line: string): void {
    this.terminal.say(line);
  }

  /** This run's events so far. */
  events(): JournalEvent[] {
    return readRun(this.ws.paths, this.id);
  }

  /**
   * Takes the lock, runs the command's story and turns whatever it ends with into an exit code and a last line.
   * The lock is released on every way out but a kill; then the next command takes it over.
   */
  static async conduct(ws: Workspace, options: RunOptions, story: (run: Run) => Promise<Outcome>): Promise<Outcome> {
    const startedAt = new Date(options.began ?? beganWithProcess ?? Date.now());
    beganWithProcess = null;
    const id = `${options.command}-${stamp()}-${randomBytes(3).toString("hex")}`;
    const terminal = new Terminal(ws, options.command);
    terminal.say(`${options.command} on stack ${ws.stack}, log ${terminal.shownPath}`);
    const outcome = await Run.locked(ws, { id, startedAt }, terminal, options, story).catch((error: unknown) => failureOutcome(error));
    terminal.close(outcome);
    return outcome;
  }

  private static async locked(
    ws: Workspace, { id, startedAt }: { id: string; startedAt: Date }, terminal: Terminal, options: RunOptions, story: (run: Run) => Promise<Outcome>,
  ): Promise<Outcome> {
    const lock = await acquire({
      paths: ws.paths, run: id, command: options.command, wait: options.waitMs,
      onWait: (holder) => terminal.say(`waiting for ${holder.command} (pid ${holder.pid}, since ${holder.startedAt})`),
    });
    rotateJournal(ws.paths);
    const run = new Run(ws, id, options.command, startedAt, terminal, openJournal(ws.paths, { run: id }), lock);
    onSignal((signal) => run.stop(signal));
    const follower = follow(ws.paths, (event) => run.seen(event), { run: id });
    let outcome: Outcome | undefined;
    try {
      if (options.beside !== true) writeLastRun(ws.paths, { run: id, command: options.command, exitCode: null });
      await assertDocker();
      outcome = await story(run);
    } catch (error) {
      outcome = failureOutcome(error);
      if (!(error instanceof ReleaseError) && !(error instanceof Interrupted)) terminal.detail(error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      follower.stop();
      await run.endChildren();
      // What was asked for has ended by itself, or been put right: the words tell which.
      if (outcome !== undefined && run.interrupted) outcome = { ...outcome, exitCode: EXIT.interrupted };
      // A refusal leaves the former run's word standing: had that one failed, a retry still needs a new attempt.
      const kept = outcome?.exitCode === EXIT.refused && endedBadly(run.before) ? run.before : null;
      if (options.beside !== true) writeLastRun(ws.paths, kept ?? { run: id, command: options.command, exitCode: outcome?.exitCode ?? null, endedAt: new Date().toISOString() });
      await lock.release();
      if (outcome !== undefined) (await import("./notify/notices.js")).endNotices(ws, run.notices, outcome);
    }
    if (options.beside !== true) await run.leaveReceipts(options, outcome);
    return outcome;
  }

  private seen(event: JournalEvent): void {
    this.terminal.progress(event);
    if (event.phase === "gate" && event.event === "done") this.notices?.tell("gated", { summary: event.message });
    // One that keeps its share is told of at the end, with what to do.
    if (event.phase === "judge" && (event.event === "failed" || (event.event === "done" && event.data?.["promotes"] === true))) this.notices?.tell("canary", { summary: event.message.split("\n")[0] ?? "" });
  }

  /** When all else is done: what fails in that changes nothing. */
  private async leaveReceipts(options: RunOptions, outcome: Outcome): Promise<void> {
    try {
      const { leaveReceipts } = await import("./receipt/leave.js");
      await leaveReceipts(this, options, outcome);
    } catch (error) {
      this.say(`the receipt could not be written: ${messageOf(error)}`);
    }
  }

  /**
   * Ends what this run's own Pulumi left when it was killed: its providers would go on working.
   * @returns how many there were
   */
  async endChildren(): Promise<number> {
    const ended = await endRun(this.id);
    if (ended.length > 0) this.journal.write({ phase: "recover", event: "info", message: `ended ${ended.length} processes that a killed Pulumi left`, data: { ended } });
    return ended.length;
  }

  private stop(signal: NodeJS.Signals): void {
    this.signals += 1;
    const first = this.signals === 1;
    this.say(
      first
        ? `${signal}: stopping after the current step, then what serves is made sure of. Once more ends the step as well.`
        : `${signal} again: ending the current step now.`,
    );
    this.stopping.abort(new Interrupted());
    // A judge of a canary goes on for minutes, and Pulumi lets a step that is under way go on.
    this.journal.write({ phase: "interrupt", event: "info", message: signal });
    this.engine.interrupt(!first);
    this.child?.kill("SIGINT");
  }
}

/** What an error that nobody has answered means for the exit code. */
export function failureOutcome(error: unknown): Outcome {
  if (error instanceof Interrupted) {
    return { exitCode: EXIT.interrupted, summary: "stopped before anything was changed", next: "run the same command again" };
  }
  const known = asReleaseError(error, "The command failed");
  return { exitCode: known.exitCode === EXIT.done ? EXIT.notRolledBack : known.exitCode, summary: `${known.what}: ${known.why}`, next: known.next, lines: known.lines };
}
