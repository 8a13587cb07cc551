import { spawn } from "node:child_process";
import { accessSync, constants as access } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable, type Transform, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, gunzipSync } from "node:zlib";
import { createNew, writeAll, writing } from "./files.js";
import { assertPacked, endOf } from "./gzip-child.js";
import { packGrowing } from "./gzip-pack.js";
import { type Sink, unpackByChild, unpackHere } from "./gzip-unpack.js";
import { closePipe, openPipe } from "./pipe.js";

/**
 * gzip with what this machine has: ISA-L's `igzip` as a child where it is on PATH, which is several times as fast, else
 * Node's zlib. Both write and read the same format, in one thread: who serves goes first.
 */

/** Larger pieces than zlib's 16 KiB: fewer turns between threads. Bytes. */
const PIECE = 1024 * 1024;

export class Gzip {
  /** Without a child. */
  static readonly zlib = new Gzip(null, tmpdir());

  private constructor(private readonly igzip: string | null, private readonly pipes: string) {}

  /**
   * Looks for an `igzip` that works.
   * @param pipes directory in which pipes to it are made
   */
  static async find(env: NodeJS.ProcessEnv = process.env, pipes = tmpdir()): Promise<Gzip> {
    const found = onPath("igzip", env.PATH ?? "");
    return new Gzip(found !== null && (await works(found)) ? found : null, pipes);
  }

  get name(): "igzip" | "zlib" {
    return this.igzip === null ? "zlib" : "igzip";
  }

  /**
   * Compresses a stream into a new file (0600), which is on the disk afterwards.
   * @param stages what the stream passes through before
   * @throws BackupProblem `disk-full` or `write`; the stream's and the stages' own errors
   */
  async write(source: Readable, stages: readonly Transform[], file: string, signal: AbortSignal): Promise<void> {
    const handle = await createNew(file);
    try {
      const work = this.igzip === null ? writeHere(source, stages, handle, file, signal) : writeByChild(this.igzip, source, stages, handle, file, signal);
      await work;
      await writing(file, () => handle.sync());
    } finally {
      await handle.close();
    }
  }

  /** Whether {@link pack} can be done. */
  get packs(): boolean {
    return this.igzip !== null;
  }

  /**
   * Compresses what comes from a file descriptor into a new file (0600), which is on the disk afterwards, while `read` has it
   * as it grows. Nothing of it passes through this process but what `read` takes.
   * @param input is closed
   * @throws BackupProblem `disk-full` or `write`; else what `read` throws
   */
  async pack<T>(input: number, file: string, signal: AbortSignal, read: (packed: AsyncIterable<Buffer>) => Promise<T>): Promise<T> {
    if (this.igzip === null) throw new Error("zlib packs streams of this process alone");
    return packGrowing(this.igzip, input, file, signal, read);
  }

  /**
   * Unpacks a stream.
   * @param source each piece of it is done with when the next is asked for
   * @throws Error for what is no gzip file, or is damaged or cut; the source's and the sink's own errors
   */
  async read(source: AsyncIterable<Buffer>, sink: Sink, signal: AbortSignal): Promise<void> {
    if (this.igzip === null) return unpackHere(source, sink, signal);
    const [input, output] = await Promise.all([openPipe(this.pipes), openPipe(this.pipes)]);
    if (input !== null && output !== null) return unpackByChild(this.igzip, { input, output }, source, sink, signal);
    for (const pipe of [input, output]) if (pipe !== null) closePipe(pipe);
    return unpackHere(source, sink, signal);
  }
}

async function writeHere(source: Readable, stages: readonly Transform[], handle: FileHandle, file: string, signal: AbortSignal): Promise<void> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: PIECE });
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => void writing(file, () => writeAll(handle, chunk)).then(() => done(), done),
  });
  await pipeline([source, ...stages, gzip, sink], { signal });
}

/** The child writes into the file itself: what is compressed does not pass through here again. */
async function writeByChild(igzip: string, source: Readable, stages: readonly Transform[], handle: FileHandle, file: string, signal: AbortSignal): Promise<void> {
  const child = spawn(igzip, ["-1", "-c"], { stdio: ["pipe", handle.fd, "ignore"] });
  const ended = endOf(child);
  if (child.stdin === null) throw new Error("igzip has no input");
  const [flowed] = await Promise.allSettled([pipeline([source, ...stages, child.stdin], { signal })]);
  await assertPacked(await ended, handle, file, signal);
  if (flowed.status === "rejected") throw flowed.reason;
}

function onPath(program: string, directories: string): string | null {
  for (const directory of directories.split(path.delimiter).filter((one) => path.isAbsolute(one))) {
    const file = path.join(directory, program);
    try {
      accessSync(file, access.X_OK);
      return file;
    } catch {
      // Not in this one.
    }
  }
  return null;
}

/** Compresses a few bytes as it would the data. */
async function works(igzip: string): Promise<boolean> {
  const text = "igzip";
  const child = spawn(igzip, ["-1", "-c"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = endOf(child);
  child.stdin.on("error", () => undefined);
  child.stdin.end(text);
  const output = await buffer(child.stdout).catch(() => Buffer.alloc(0));
  if ((await ended).code !== 0) return false;
  try {
    return gunzipSync(output).toString() === text;
  } catch {
    return false;
  }
}
