import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { addAbortSignal, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { asError } from "../runtime/errors.js";
import { endOf } from "./gzip-child.js";
import type { OpenPipe } from "./pipe.js";

/** Takes what is unpacked, piece by piece: each is good until it is done with, and the next waits for that. */
export type Sink = (piece: Buffer) => Promise<void> | undefined;

/** Bytes unpacked at once. */
const PIECE = 1024 * 1024;

/** @throws Error as {@link Gzip.read} */
export async function unpackHere(source: AsyncIterable<Buffer>, sink: Sink, signal: AbortSignal): Promise<void> {
  // A stream asks for the next piece before it is done with one.
  const copied = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of source) yield Buffer.from(piece);
  };
  // Who is told to stop, and whom the sink refuses, does not wait for a source that has nothing: from Node 24 on a pipeline does.
  let giveUp: (error: Error) => void = () => undefined;
  const givenUp = new Promise<never>((_, reject) => { giveUp = reject; });
  const stop = (): void => giveUp(asError(signal.reason));
  const taking = async (unpacked: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of unpacked) {
      try {
        await sink(piece);
      } catch (error) {
        giveUp(asError(error));
        throw error;
      }
    }
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const unpacking = pipeline(Readable.from(copied(), { objectMode: false }), createGunzip({ chunkSize: PIECE }), taking, { signal });
  try {
    await Promise.race([givenUp, unpacking]);
  } finally {
    signal.removeEventListener("abort", stop);
    // Whichever of the two comes second has nothing to tell.
    givenUp.catch(() => undefined);
    unpacking.catch(() => undefined);
  }
}

/**
 * By an igzip between two pipes, into one of which it is fed.
 * @param input, output are closed
 * @throws Error as {@link Gzip.read}
 */
export async function unpackByChild(igzip: string, { input, output }: { input: OpenPipe; output: OpenPipe }, source: AsyncIterable<Buffer>, sink: Sink, signal: AbortSignal): Promise<void> {
  const child = spawn(igzip, ["-d", "-c"], { stdio: [input.reader, output.writer, "ignore"] });
  const ended = endOf(child);
  closeSync(input.reader);
  closeSync(output.writer);
  const stop = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  const broken: unknown[] = [];
  const feeding = feed(source, input.writer, signal);
  feeding.catch((error: unknown) => {
    broken.push(error);
    stop();
  });
  const taking = drain(output.reader, sink, signal);
  taking.catch(stop);
  // The source may have nothing for long, and is not waited for when there is nobody to feed.
  const [end, taken] = await Promise.all([ended, taking.then(() => null, (error: unknown) => ({ error }))]);
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  if (broken.length > 0) throw broken[0];
  if (taken !== null) throw taken.error;
  if (end.code === null) throw new Error(`igzip ${end.how}`);
  if (end.code !== 0) throw new Error(`it is no whole gzip file (igzip ended with code ${end.code})`);
  if (!(await feeding)) throw new Error("it goes on after its end");
}

/**
 * A chunk is written before the next is asked for: its memory may be the same.
 * @returns whether all was taken; who takes it no more says why
 * @throws the source's own errors
 */
async function feed(source: AsyncIterable<Buffer>, fd: number, signal: AbortSignal): Promise<boolean> {
  const into = new Socket({ fd, readable: false, writable: true });
  // Whoever waits for a chunk is told; else there is nothing to tell.
  addAbortSignal(signal, into).on("error", () => undefined);
  const write = (chunk: Buffer): Promise<boolean> => new Promise((resolve) => void into.write(chunk, (error) => resolve(!(error instanceof Error))));
  try {
    for await (const chunk of source) if (!(await write(chunk))) return false;
    into.end();
    return true;
  } finally {
    if (!into.writableEnded) into.destroy();
  }
}

/** Reads a pipe to its end, into the same memory again and again: fresh memory for each piece costs a tenth of the time. */
function drain(fd: number, sink: Sink, signal: AbortSignal): Promise<void> {
  const memory = Buffer.allocUnsafe(PIECE);
  return new Promise((resolve, reject) => {
    const taken = (bytes: number): boolean => {
      try {
        const waiting = sink(memory.subarray(0, bytes));
        if (waiting === undefined) return true;
        waiting.then(() => socket.resume(), (error: unknown) => socket.destroy(asError(error)));
      } catch (error) {
        socket.destroy(asError(error));
      }
      return false;
    };
    const socket = addAbortSignal(signal, new Socket({ fd, readable: true, writable: false, onread: { buffer: memory, callback: taken } }));
    socket.once("error", reject).once("close", () => resolve()).resume();
  });
}
