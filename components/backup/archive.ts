import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { writeDurable } from "./files.js";
import { FileHasher } from "./index/files.js";
import { type Entry, renderEntry } from "./index/format.js";
import type { ArchiveRecord, FileRecord } from "./manifest.js";
import { BackupProblem } from "./problem.js";
import { BLOCK } from "./tar-header.js";
import { TarRebase } from "./tar-rebase.js";

export interface WrittenArchive {
  file: FileRecord;
  content: ArchiveRecord;
}

/** Takes lines of the index. */
export type LineSink = (line: string) => Promise<void> | undefined;

/** Larger pieces than zlib's 16 KiB: fewer turns between threads. Bytes. */
const PIECE = 256 * 1024;

/**
 * Docker's archive of a directory called `base`, written as `.tar.gz` relative to that directory. Streams: memory does not
 * grow with the data.
 * @param list is given a line for each file, see index/format.ts; a promise of it is waited for
 * @throws BackupProblem when the disk fails, TarError when the stream is damaged or cut short
 */
export async function writeArchive(source: Readable, base: string, file: string, signal: AbortSignal, list: LineSink = () => undefined): Promise<WrittenArchive> {
  const digest = createHash("sha256");
  const hasher = new FileHasher((entry: Entry) => {
    const line = renderEntry(entry);
    digest.update(line).update("\n");
    return list(line);
  });
  const rebase = new TarRebase(base, hasher);
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: PIECE });
  const writing: { file?: Promise<FileRecord> } = {};
  const flow = pipeline(source, rebase, gzip, (chunks: AsyncIterable<Buffer>) => (writing.file = writeDurable(file, chunks)), { signal });
  const [flowed] = await Promise.allSettled([flow]);
  // A write that fails ends the stream that feeds it, and the pipeline tells only that, before the file is closed.
  const [written] = await Promise.allSettled([writing.file ?? Promise.reject(new Error("the archive was not begun"))]);
  if (written.status === "rejected" && written.reason instanceof BackupProblem) throw written.reason;
  if (flowed.status === "rejected") throw flowed.reason;
  if (written.status === "rejected") throw written.reason;
  return { file: written.value, content: { files: rebase.files, bytes: rebase.bytes, leftOut: rebase.leftOut, digest: digest.digest("hex") } };
}

/** A valid archive of nothing: for a volume that does not exist. */
export function writeEmptyArchive(file: string, signal: AbortSignal): Promise<WrittenArchive> {
  return writeArchive(Readable.from([Buffer.alloc(2 * BLOCK)]), "", file, signal);
}
