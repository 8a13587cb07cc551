/**
 * The files of a stack's lock: `<lock>/<fencing number>`, each complete from the moment that it exists.
 * A number is never given twice, and the highest is never removed: what a slow process has read can be old, not wrong.
 */
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "./errors.js";

export interface LockContent {
  run: string;
  host: string;
  pid: number;
  /** Clock ticks from boot, /proc/<pid>/stat; null where the system does not tell. */
  startTime: number | null;
  bootId: string;
  /** ISO 8601. */
  startedAt: string;
  /** ISO 8601, renewed every few seconds. */
  heartbeatAt: string;
  /** `deploy`, `rollback`, … */
  command: string;
  released: boolean;
}

/** What the lock needs of its storage. Asynchronous, so that tests can interleave processes between any two steps. */
export interface LockStore {
  /** Numbers there are, ascending. */
  tokens(): Promise<number[]>;
  /** Null: there is none (any more). */
  read(token: number): Promise<LockContent | null>;
  /** Atomic and complete. @returns false if the number exists already */
  create(token: number, content: LockContent): Promise<boolean>;
  /** Atomic. */
  replace(token: number, content: LockContent): Promise<void>;
  remove(token: number): Promise<void>;
  /** Removes what a process that is dead, of this machine, was writing. */
  sweepAfter(pid: number): Promise<void>;
}

const WIDTH = 12;
/** A temporary file of a process that was killed while it wrote: removed after this many milliseconds. */
const STALE_MS = 600_000;

export function listTokens(dir: string): number[] {
  return entries(dir)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

export function readToken(dir: string, token: number): LockContent | null {
  const file = fileOf(dir, token);
  try {
    return parse(readFileSync(file, "utf8")) ?? damaged(statSync(file).mtime);
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      return null;
    }
    throw error;
  }
}

export class FileLockStore implements LockStore {
  constructor(private readonly dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  async tokens(): Promise<number[]> {
    return Promise.resolve(listTokens(this.dir));
  }

  async read(token: number): Promise<LockContent | null> {
    return Promise.resolve(readToken(this.dir, token));
  }

  async create(token: number, content: LockContent): Promise<boolean> {
    this.sweep();
    const temporary = this.write(content);
    try {
      linkSync(temporary, fileOf(this.dir, token));
      return await Promise.resolve(true);
    } catch (error) {
      if (codeOf(error) === "EEXIST") {
        return false;
      }
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  async replace(token: number, content: LockContent): Promise<void> {
    renameSync(this.write(content), fileOf(this.dir, token));
    return Promise.resolve();
  }

  async remove(token: number): Promise<void> {
    rmSync(fileOf(this.dir, token), { force: true });
    return Promise.resolve();
  }

  async sweepAfter(pid: number): Promise<void> {
    for (const name of entries(this.dir).filter((entry) => entry.startsWith(temporaryOf(pid)))) rmSync(join(this.dir, name), { force: true });
    return Promise.resolve();
  }

  private write(content: LockContent): string {
    const temporary = join(this.dir, `${temporaryOf(process.pid)}${process.hrtime.bigint()}`);
    const fd = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(fd, `${JSON.stringify(content)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return temporary;
  }

  private sweep(): void {
    for (const name of entries(this.dir).filter((entry) => entry.startsWith(".new-"))) {
      const file = join(this.dir, name);
      const modified = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
      if (modified !== undefined && Date.now() - modified > STALE_MS) {
        rmSync(file, { force: true });
      }
    }
  }
}

function temporaryOf(pid: number): string {
  return `.new-${pid}-`;
}

function fileOf(dir: string, token: number): string {
  return join(dir, String(token).padStart(WIDTH, "0"));
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      return [];
    }
    throw error;
  }
}

function parse(text: string): LockContent | null {
  try {
    const value: unknown = JSON.parse(text);
    return isContent(value) ? value : null;
  } catch {
    return null;
  }
}

function isContent(value: unknown): value is LockContent {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  const strings = ["run", "host", "bootId", "startedAt", "heartbeatAt", "command"].every((key) => typeof fields.get(key) === "string");
  const startTime = fields.get("startTime");
  return strings && typeof fields.get("pid") === "number" && typeof fields.get("released") === "boolean" && (startTime === null || typeof startTime === "number");
}

/** A file that a failing disk left unreadable: held by nobody known, so it is judged by its age alone. */
function damaged(modified: Date): LockContent {
  const at = modified.toISOString();
  return { run: "", host: "", pid: 0, startTime: null, bootId: "", startedAt: at, heartbeatAt: at, command: "unknown (its lock file is damaged)", released: false };
}
