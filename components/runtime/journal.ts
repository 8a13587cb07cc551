/**
 * The run journal: what each run did, one JSON object per line, in the order in which it happened. The CLI and every handler
 * write into the same file; exit codes and recovery are read from it, never from the text of messages.
 */
import { appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { codeOf, messageOf, ReleaseError } from "./errors.js";
import { linesIn } from "./line-file.js";
import type { DataPaths } from "./paths.js";
import { readable } from "./readable.js";

/** In the order of an update, then what is outside it. */
export const PHASES = ["backup", "restore", "image", "front", "start", "gate", "route", "judge", "ledger"] as const;

export type Phase = (typeof PHASES)[number] | "plan" | "program" | "refused" | "lock" | "source" | "preview" | "question" | "update" | "verify" | "warm" | "recover" | "reapply" | "sessions" | "finish" | "prune" | "send" | "adopt" | "checklist" | "watch" | "interrupt" | "result";

export type EventKind = "start" | "progress" | "done" | "failed" | "info";

export interface JournalEvent {
  /** ISO 8601. For people; the order is that of the lines. */
  time: string;
  run: string;
  phase: Phase;
  event: EventKind;
  message: string;
  data?: Record<string, unknown>;
}

export type NewEvent = Omit<JournalEvent, "time" | "run">;

export interface Journal {
  readonly run: string;
  /** One append, complete on return; it never throws for a full disk: a journal must not end a release. */
  write(event: NewEvent): void;
  /** Writes `failed` with the error's parts as data. */
  failed(phase: Phase, error: unknown): void;
}

/** Run id of an update that none of our commands started. */
export const PLAIN_RUN = "pulumi";

/** Size in bytes from which the journal is set aside when a run begins. */
const ROTATE_AT = 5 * 1024 * 1024;

const former = (paths: DataPaths): string => `${paths.journal}.1`;

export interface JournalOptions {
  /** Default: PBJRAG_RUN, which the CLI gives to everything that it starts, else {@link PLAIN_RUN}. */
  run?: string;
  now?: () => Date;
}

export function openJournal(paths: DataPaths, options: JournalOptions = {}): Journal {
  const run = options.run ?? (process.env.PBJRAG_RUN || PLAIN_RUN);
  const now = options.now ?? (() => new Date());
  mkdirSync(dirname(paths.journal), { recursive: true, mode: 0o700 });
  const write = (event: NewEvent): void => {
    const line = `${readable(JSON.stringify({ time: now().toISOString(), run, ...event } satisfies JournalEvent))}\n`;
    try {
      // Opened with O_APPEND for each event: writers in several processes do not overwrite each other.
      appendFileSync(paths.journal, line, { mode: 0o600, flag: "a" });
    } catch (error) {
      process.stderr.write(`journal ${paths.journal} cannot be written: ${readable(messageOf(error))}\n`);
    }
  };
  return { run, write, failed: (phase, error) => write({ phase, event: "failed", message: messageOf(error), data: failureData(error) }) };
}

function failureData(error: unknown): Record<string, unknown> {
  return error instanceof ReleaseError
    ? { code: error.code, exitCode: error.exitCode, what: error.what, why: error.why, next: error.next, lines: error.lines }
    : { code: codeOf(error) || "unexpected" };
}

/**
 * Sets a large journal aside as `journal.ndjson.1`; the one before that is dropped.
 * Only for who holds the lock: two at once could drop what was just set aside.
 */
export function rotateJournal(paths: DataPaths, limit: number = ROTATE_AT): void {
  if (existsSync(paths.journal) && statSync(paths.journal).size > limit) {
    rmSync(former(paths), { force: true });
    renameSync(paths.journal, former(paths));
  }
}

/** All events, oldest first; of one run if it is named. What is no event (a line torn by a crash) is left out. Memory is that of what is found. */
export function readEvents(paths: DataPaths, run?: string): JournalEvent[] {
  const found: JournalEvent[] = [];
  for (const file of [former(paths), paths.journal]) {
    for (const line of linesIn(file)) {
      // Most lines are other runs': they are not worth parsing.
      const event = run === undefined || line.includes(run) ? parse(line) : null;
      if (event !== null && (run === undefined || event.run === run)) found.push(event);
    }
  }
  return found;
}

export function readRun(paths: DataPaths, run: string): JournalEvent[] {
  return readEvents(paths, run);
}

function parse(line: string): JournalEvent | null {
  if (line === "") {
    return null;
  }
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : null;
  } catch {
    return null;
  }
}

function isEvent(value: unknown): value is JournalEvent {
  return typeof value === "object" && value !== null && "run" in value && "phase" in value && "event" in value && "message" in value;
}

export interface Follower {
  /** Delivers what was written until now, then ends. */
  stop(): void;
}

/**
 * Calls `onEvent` for each event written from now on, in order, about `everyMs` after it was written.
 * The timer does not keep the process alive.
 */
export function follow(paths: DataPaths, onEvent: (event: JournalEvent) => void, options: { run?: string; everyMs?: number } = {}): Follower {
  const tail = new Tail(paths.journal);
  const deliver = (): void => {
    for (const line of tail.read()) {
      const event = parse(line);
      if (event !== null && (options.run === undefined || event.run === options.run)) {
        onEvent(event);
      }
    }
  };
  const timer = setInterval(deliver, options.everyMs ?? 100).unref();
  return {
    stop: () => {
      clearInterval(timer);
      deliver();
      tail.close();
    },
  };
}

/** New complete lines of a growing file, also over its being set aside. */
class Tail {
  private fd: number | null = null;
  private offset = 0;
  private decoder = new StringDecoder("utf8");
  private rest = "";

  constructor(private readonly file: string) {
    this.open();
    this.offset = this.fd === null ? 0 : fstatSync(this.fd).size;
  }

  read(): string[] {
    const lines = this.drain();
    if (this.replaced()) {
      this.close();
      this.open();
      lines.push(...this.drain());
    }
    return lines;
  }

  close(): void {
    if (this.fd !== null) {
      closeSync(this.fd);
      this.fd = null;
    }
  }

  private open(): void {
    this.fd = existsSync(this.file) ? openSync(this.file, "r") : null;
    this.offset = 0;
    this.rest = "";
    this.decoder = new StringDecoder("utf8");
  }

  private replaced(): boolean {
    if (!existsSync(this.file)) {
      return false;
    }
    return this.fd === null || statSync(this.file).ino !== fstatSync(this.fd).ino;
  }

  private drain(): string[] {
    if (this.fd === null) {
      return [];
    }
    const chunk = Buffer.alloc(64 * 1024);
    for (let n = readSync(this.fd, chunk, 0, chunk.length, this.offset); n > 0; n = readSync(this.fd, chunk, 0, chunk.length, this.offset)) {
      this.offset += n;
      this.rest += this.decoder.write(chunk.subarray(0, n));
    }
    const lines = this.rest.split("\n");
    this.rest = lines.pop() ?? "";
    return lines;
  }
}

/** How far a run came: its last phase of an update that was begun, and how that stands. Null: it began none. */
export function phaseReached(events: readonly JournalEvent[]): { phase: Phase; event: "start" | "done" | "failed" } | null {
  let reached: { phase: Phase; event: "start" | "done" | "failed" } | null = null;
  for (const { phase, event } of events) {
    if (PHASES.some((known) => known === phase) && (event === "start" || event === "done" || event === "failed")) {
      reached = { phase, event };
    }
  }
  return reached;
}

export interface RunFailure {
  phase: Phase;
  message: string;
  /** Code of our catalogue, or the system's, or `unexpected`. */
  code: string;
  /** Where the error is one of ours. */
  exitCode: number | null;
}

/** The failure that ended a run: the first one that was not made good by a later `done` of its phase. Null: none. */
export function failure(events: readonly JournalEvent[]): RunFailure | null {
  for (const [at, { phase, event, message, data }] of events.entries()) {
    if (event === "failed" && !events.slice(at + 1).some((later) => later.phase === phase && later.event === "done")) {
      return {
        phase,
        message,
        code: typeof data?.code === "string" ? data.code : "unexpected",
        exitCode: typeof data?.exitCode === "number" ? data.exitCode : null,
      };
    }
  }
  return null;
}
