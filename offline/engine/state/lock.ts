import { randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { fail } from "../errors.js";
import { qualified, type Backend, type StackName } from "./backend.js";
import { readText, removeBlob, sweepPartials, writeBlob } from "./files.js";

interface LockContent {
  pid: number;
  username: string;
  hostname: string;
  timestamp: string;
}

/** A lock on a stack, shared with the real engine: one file per holder. */
export class Lock {
  private constructor(private readonly file: string) {}

  /** Takes the lock, or fails with who holds it. */
  static take(backend: Backend, name: StackName): Lock {
    const directory = lockDirectory(backend, name);
    const lock = new Lock(join(directory, `${randomUUID()}.json`));
    checkFree(directory);
    const content: LockContent = {
      pid: process.pid,
      username: userInfo().username,
      hostname: hostname(),
      timestamp: new Date().toISOString(),
    };
    writeBlob(lock.file, JSON.stringify(content));
    try {
      // Two may write at once: whoever sees another's file gives way.
      checkFree(directory, lock.file);
    } catch (error) {
      lock.release();
      throw error;
    }
    const { project, stack } = name;
    const places = [directory, backend.path("stacks", project), backend.path("history", project, stack), backend.path("backups", project, stack)];
    places.forEach(sweepPartials);
    return lock;
  }

  /** Gives the lock back. */
  release(): void {
    removeBlob(this.file);
  }
}

/** Removes every lock of a stack, live ones too. */
export function cancelLocks(backend: Backend, name: StackName): void {
  const directory = lockDirectory(backend, name);
  for (const file of lockFiles(directory)) removeBlob(file);
}

function lockDirectory(backend: Backend, name: StackName): string {
  return backend.path("locks", qualified(name));
}

function lockFiles(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((file) => file.endsWith(".json"));
  return names.map((file) => join(directory, file));
}

function checkFree(directory: string, own?: string): void {
  const others = lockFiles(directory).filter((file) => file !== own);
  if (others.length === 0) return;
  const lines = others.map((file) => {
    const lock = JSON.parse(readText(file) ?? "{}") as Partial<LockContent>;
    return `\n  file://${file}: created by ${lock.username}@${lock.hostname} (pid ${lock.pid}) at ${lock.timestamp}`;
  });
  fail(
    `the stack is currently locked by ${others.length} lock(s). Either wait for the other process(es) to end or ` +
      `delete the lock file with \`pulumi cancel\`.${lines.join("")}`,
  );
}
