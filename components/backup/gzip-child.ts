/** How a compressor that is a child ends. */
import type { ChildProcess } from "node:child_process";
import type { FileHandle } from "node:fs/promises";
import { messageOf } from "../runtime/errors.js";
import { hasNoRoom } from "./files.js";
import { BackupProblem } from "./problem.js";

interface End {
  /** Null without one. */
  code: number | null;
  /** In words. */
  how: string;
}

/** @throws BackupProblem for an igzip that did not end well, with what the disk has to do with it */
export async function assertPacked(end: End, handle: FileHandle, file: string, signal: AbortSignal): Promise<void> {
  if (end.code === 0) return;
  signal.throwIfAborted();
  if (await hasNoRoom(handle)) throw new BackupProblem("disk-full", `the disk is full while writing ${file}`);
  throw new BackupProblem("write", `${file} could not be written: igzip ${end.how}`, "see whether the disk works, then run again");
}

export function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, how: `could not be run: ${messageOf(error)}` }));
    child.once("exit", (code, signal) => resolve({ code, how: code === null ? `was ended by ${signal}` : `ended with code ${code}` }));
  });
}
