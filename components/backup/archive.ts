import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { messageOf } from "../runtime/errors.js";
import { Gzip } from "./gzip.js";
import { FileHasher } from "./index/files.js";
import { renderEntry } from "./index/format.js";
import type { ArchiveRecord, FileRecord } from "./manifest.js";
import { BackupProblem } from "./problem.js";
import { TarContents } from "./tar-contents.js";
import { BLOCK } from "./tar-header.js";
import { TarRebase } from "./tar-rebase.js";
import { TarRules } from "./tar-rules.js";
import { TarScanner } from "./tar-scan.js";

export interface WrittenArchive {
  file: FileRecord;
  content: ArchiveRecord;
}

/** A tar of a directory whose entries are named by `base`, as it is made. */
export interface TarSource {
  stream: Readable;
  base: string;
  /** Once the stream has come to its end: what went wrong with it. */
  assertMade(): Promise<void>;
}

/** Takes lines of the index; a promise of it is waited for. */
export type LineSink = (line: string) => Promise<void> | undefined;

/** Bytes read at once. */
const PIECE = 1024 * 1024;

/**
 * Writes a tar as `.tar.gz` relative to its directory, then reads the file to its end: it unpacks, a restore would take each
 * of its entries, and they are what came from the source. Streams: memory does not grow with the data.
 * @param list is given a line for each file, see index/format.ts
 * @throws BackupProblem when the disk fails, TarError when the source is damaged or cut short
 */
export async function writeArchive(source: TarSource, file: string, gzip: Gzip, signal: AbortSignal, list: LineSink = () => undefined): Promise<WrittenArchive> {
  const files = new FileDigest(list);
  const rebase = new TarRebase(source.base, files.hasher);
  await gzip.write(source.stream, [rebase], file, signal);
  await source.assertMade();
  const content = { files: rebase.files, bytes: rebase.bytes, stored: rebase.stored, leftOut: rebase.leftOut, digest: files.digest() };
  return { file: await readThrough(file, content, gzip, signal), content };
}

/** Docker's archive of a directory called `base`: one that it breaks off has no end. */
export function dockerTar(stream: Readable, base: string): TarSource {
  return { stream, base, assertMade: () => Promise.resolve() };
}

/** A valid archive of nothing: for a volume that does not exist. So little is not worth a process. */
export function writeEmptyArchive(file: string, signal: AbortSignal): Promise<WrittenArchive> {
  return writeArchive(dockerTar(Readable.from([Buffer.alloc(2 * BLOCK)]), ""), file, Gzip.zlib, signal);
}

/**
 * Reads an archive as it lies there.
 * @returns its size and sums
 * @throws BackupProblem `damaged` if it is not what was written
 */
export async function readThrough(file: string, content: ArchiveRecord, gzip: Gzip, signal: AbortSignal): Promise<FileRecord> {
  const chunks = createReadStream(file, { highWaterMark: PIECE }) as AsyncIterable<Buffer>;
  const read = await readArchive(chunks, content, gzip, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw damagedArchive(file, messageOf(error));
  });
  if (read.content.digest !== content.digest) throw damagedArchive(file, "its files have other names or contents");
  return read.file;
}

export function damagedArchive(file: string, why: string): BackupProblem {
  return new BackupProblem("damaged", `${file} does not hold what was written to it: ${why}`, "see whether disk and memory of this machine work, then run again");
}

/**
 * Unpacks an archive to nowhere.
 * @param expected what it must hold; null where nothing is known of it
 * @throws TarError for what a restore would not take, Error for what is no whole gzip file
 */
export async function readArchive(packed: AsyncIterable<Buffer>, expected: ArchiveRecord | null, gzip: Gzip, signal: AbortSignal, list: LineSink = () => undefined): Promise<WrittenArchive> {
  const hash = createHash("sha256");
  let [size, crc] = [0, 0];
  const hashed = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of packed) {
      hash.update(chunk);
      crc = crc32(chunk, crc);
      size += chunk.length;
      yield chunk;
    }
  };
  const files = new FileDigest(list);
  const rules = new TarRules(expected);
  const contents = new TarContents(files.hasher);
  const scanner = new TarScanner({
    entry: (entry) => {
      rules.entry(entry);
      contents.entry(entry);
    },
    body: (part) => contents.body(part),
    end: () => rules.end(),
  });
  const taking = (piece: Buffer): Promise<void> | undefined => {
    scanner.consume(piece);
    return contents.takeWaiting();
  };
  await gzip.read(hashed(), taking, signal);
  scanner.assertWhole();
  rules.assertComplete();
  return { file: { size, sha256: hash.digest("hex"), crc32: crc }, content: { files: contents.files, bytes: contents.bytes, stored: contents.stored, leftOut: 0, digest: files.digest() } };
}

/** Lists the files of an archive that passes, and hashes the list. */
export class FileDigest {
  private readonly hash = createHash("sha256");
  readonly hasher: FileHasher;

  constructor(list: LineSink = () => undefined) {
    this.hasher = new FileHasher((entry) => {
      const line = renderEntry(entry);
      this.hash.update(`${line}\n`);
      return list(line);
    });
  }

  /** Once. */
  digest(): string {
    return this.hash.digest("hex");
  }
}
