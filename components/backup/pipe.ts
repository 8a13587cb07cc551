import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { directoryNames } from "./files.js";

/**
 * Named pipes of this host, for two programs to hand data to each other: Node makes sockets of its children's inputs and outputs, which are
 * slower and cannot be widened.
 */

/** Directories of pipes begin so, in the directory of running releases. */
export const PIPES = "reader-";

export interface Pipe {
  directory: string;
  name: string;
}

export function fileOf(pipe: Pipe): string {
  return path.join(pipe.directory, pipe.name);
}

/** In a new directory (0700). Null where this system has none. */
export async function makePipe(directory: string): Promise<Pipe | null> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pipe = { directory, name: "pipe" };
  const code = await exitCode("mkfifo", ["-m", "600", fileOf(pipe)], "ignore");
  return code === 0 ? pipe : null;
}

/** Both ends, each a file descriptor to be closed by whoever has it. */
export interface OpenPipe {
  reader: number;
  writer: number;
}

/**
 * A wide pipe without a name.
 * @param under for its name, while it has one
 * @returns null where this system has none, or no room for its name
 */
export async function openPipe(under: string): Promise<OpenPipe | null> {
  let directory: string | null = null;
  try {
    directory = await mkdtemp(path.join(under, PIPES));
    const pipe = await makePipe(directory);
    return pipe === null ? null : await opened(fileOf(pipe));
  } catch {
    return null;
  } finally {
    if (directory !== null) await rm(directory, { recursive: true, force: true });
  }
}

export function closePipe({ reader, writer }: OpenPipe): void {
  for (const fd of [reader, writer]) closeSync(fd);
}

/** The reading end, wide, of a pipe that nobody needs to write to yet: it does not wait for what comes. */
export async function openReader(file: string): Promise<number> {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  await widen(fd);
  return fd;
}

/** Opening one end waits for the other, unless it is told not to; and whoever gets an end must wait for what comes. */
async function opened(file: string): Promise<OpenPipe> {
  const first = await openReader(file);
  try {
    const writer = openSync(file, constants.O_WRONLY);
    return { writer, reader: openSync(file, constants.O_RDONLY) };
  } finally {
    closeSync(first);
  }
}

/** What root may always have. Bytes; a system's own choice is 64 KiB. */
const WIDE = 1024 * 1024;
/** Linux' number of F_SETPIPE_SZ, on every processor. */
const SET_PIPE_SIZE = 1031;

/**
 * Makes a pipe hold more, where this system has a perl: Node cannot. Two programs wait for each other at every filling of it, and where a
 * virtual machine makes waking costly, tar and igzip take twice the time with a narrow one.
 */
export async function widen(fd: number): Promise<void> {
  await exitCode("perl", ["-e", `fcntl(STDIN, ${SET_PIPE_SIZE}, ${WIDE})`], fd);
}

/** Null for what could not be run, or was ended. */
function exitCode(program: string, args: string[], stdin: number | "ignore"): Promise<number | null> {
  const child = spawn(program, args, { stdio: [stdin, "ignore", "ignore"] });
  return new Promise((resolve) => child.once("error", () => resolve(null)).once("exit", resolve));
}

/** Removes the pipes that dead runs left. @param directory of running releases */
export async function sweepPipes(directory: string): Promise<void> {
  const names = (await directoryNames(directory)).filter((name) => name.startsWith(PIPES));
  for (const name of names) await rm(path.join(directory, name), { recursive: true, force: true });
}
