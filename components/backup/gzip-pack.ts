import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createNew, writing } from "./files.js";
import { assertPacked, endOf } from "./gzip-child.js";

/** Bytes read at once. */
const PIECE = 512 * 1024;
/** Milliseconds until a file that has not grown is looked at again. */
const POLL_MS = 10;

/**
 * Lets a child compress what comes from a file descriptor into a new file (0600), and has the file read as it grows. Neither goes
 * on when the other has failed.
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
    const reading = read(growing(file, () => over, signal));
    reading.catch(stop);
    const [end, result] = await Promise.all([ended, reading.then((value) => ({ value }), (error: unknown) => ({ error }))]);
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
    // A child that was stopped because its file is not as it should be has not failed by itself.
    if (!("error" in result) || end.code !== null) await assertPacked(end, handle, file, signal);
    if ("error" in result) throw result.error;
    await writing(file, () => handle.sync());
    return result.value;
  } finally {
    await handle.close();
  }
}

/** A file from its beginning to its end, which is where it ends once `over`. */
async function* growing(file: string, over: () => boolean, signal: AbortSignal): AsyncGenerator<Buffer> {
  const handle = await open(file, "r");
  try {
    for (let at = 0; ; ) {
      // Asked beforehand: what was written until then is seen.
      const last = over();
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
      at += bytesRead;
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else if (last) return;
      else await delay(POLL_MS, undefined, { signal });
    }
  } finally {
    await handle.close();
  }
}
