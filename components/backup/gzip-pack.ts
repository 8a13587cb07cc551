import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { EarlySync } from "./early-sync.js";
import { createNew, writing } from "./files.js";
import { assertPacked, endOf } from "./gzip-child.js";

/** Bytes read at once. */
const PIECE = 512 * 1024;
/** Milliseconds until a file that has not grown is looked at again. */
const POLL_MS = 10;

/**
 * Lets a child compress what comes from a file descriptor into a new file (0600), and has the file read as it grows, piece by piece:
 * each is good until the next is asked for. Neither goes on when the other has failed.
 * @param input is closed
 * @throws BackupProblem `disk-full` or `write`; else what `read` throws
 */
export async function packGrowing<T>(
  igzip: string, input: number, file: string, signal: AbortSignal, read: (packed: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await createNew(file);
  } catch (error) {
    closeSync(input);
    throw error;
  }
  try {
    const child = spawn(igzip, ["-1", "-c"], { stdio: [input, handle.fd, "ignore"] });
    closeSync(input);
    const stop = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", stop, { once: true });
    let over = false;
    const ended = endOf(child).finally(() => (over = true));
    const early = new EarlySync(handle);
    const reading = read(growing(file, () => over, early, signal));
    reading.catch(stop);
    const [end, result] = await Promise.all([ended, reading.then((value) => ({ value }), (error: unknown) => ({ error }))]);
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
    // A child that was stopped because its file is not as it should be has not failed by itself.
    if (!("error" in result) || end.code !== null) await assertPacked(end, handle, file, signal);
    if ("error" in result) throw result.error;
    await writing(file, () => early.end());
    return result.value;
  } finally {
    await handle.close();
  }
}

/**
 * A file from its beginning to its end, which is where it ends once `over`. Each piece is good until the next is asked for: fresh memory
 * for each would cost a tenth of all the time.
 */
async function* growing(file: string, over: () => boolean, early: EarlySync, signal: AbortSignal): AsyncGenerator<Buffer> {
  const handle = await open(file, "r");
  const piece = Buffer.allocUnsafe(PIECE);
  try {
    for (let at = 0; ; ) {
      // Asked beforehand: what was written until then is seen.
      const last = over();
      const { bytesRead } = await handle.read(piece, 0, PIECE, at);
      at += bytesRead;
      early.grown(at);
      if (bytesRead > 0) yield piece.subarray(0, bytesRead);
      else if (last) return;
      else await delay(POLL_MS, undefined, { signal });
    }
  } finally {
    await handle.close();
  }
}
