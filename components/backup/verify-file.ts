import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createGunzip } from "node:zlib";
import { codeOf, messageOf } from "../runtime/errors.js";
import { FileDigest } from "./archive.js";
import type { FileRecord } from "./manifest.js";
import { TarGuard } from "./tar-guard.js";
import type { Expected } from "./tar-rules.js";

export interface Progress {
  file: string;
  /** Bytes of it read so far; its content is read once, or twice if it is damaged. */
  read: number;
  size: number;
}

export interface VerifyOptions {
  signal?: AbortSignal | undefined;
  /** Called for each piece that was read. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** What an archive must hold. */
export interface ExpectedArchive extends Expected {
  /** As in the manifest; absent or "": not known. */
  digest?: string;
}

/** Bytes read at once. */
const PIECE = 1024 * 1024;
/** The same for a CRC-32, which is done with a piece before one could wait for the next, and how many are had in turn. */
const LARGE_PIECE = 4 * 1024 * 1024;
const IN_TURN = 3;
/** No link is followed, and a pipe put in a file's place makes nobody wait. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads one file of a backup to its end, an archive also as what it holds.
 * @param archive what the archive must hold; null for a file of another kind
 * @returns what is wrong with it
 */
export function verifyFile(directory: string, file: string, expected: FileRecord, archive: ExpectedArchive | null, options: VerifyOptions): Promise<string[]> {
  return inFile(directory, file, expected, options, (reading) => (archive === null ? reading.plain(expected.sha256) : reading.archive(expected.sha256, archive)));
}

/**
 * Whether a file still is what was written: by its CRC-32 where that is known, which finds every accident and is several times as quick,
 * else as {@link verifyFile} does it.
 * @returns what is wrong with it
 */
export function checkFile(directory: string, file: string, expected: FileRecord, options: VerifyOptions): Promise<string[]> {
  return inFile(directory, file, expected, options, (reading) => (expected.crc32 === undefined ? reading.plain(expected.sha256) : reading.crc(expected.crc32)));
}

async function inFile(directory: string, file: string, expected: FileRecord, options: VerifyOptions, read: (reading: Reading) => Promise<string[]>): Promise<string[]> {
  let handle: FileHandle;
  try {
    handle = await open(path.join(directory, file), FLAGS);
  } catch (error) {
    const why = codeOf(error) === "ENOENT" ? "is missing" : codeOf(error) === "ELOOP" ? "is a link" : `cannot be opened: ${messageOf(error)}`;
    return [`${file} ${why}`];
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return [`${file} is no regular file`];
    if (stat.size !== expected.size) return [`${file} has ${stat.size} bytes, and the manifest says ${expected.size}`];
    return await read(new Reading(handle, file, expected.size, options));
  } catch (error) {
    options.signal?.throwIfAborted();
    return [`${file} cannot be read: ${messageOf(error)}`];
  } finally {
    await handle.close();
  }
}

/** One file's passes. The handle stays open: what was hashed and what was unpacked is the same file. */
class Reading {
  constructor(
    private readonly handle: FileHandle,
    private readonly file: string,
    private readonly size: number,
    private readonly options: VerifyOptions,
  ) {}

  async plain(sha256: string): Promise<string[]> {
    return (await this.hash()) === sha256 ? [] : [`${this.file} is damaged: its SHA-256 is not the manifest's`];
  }

  async archive(sha256: string, expected: ExpectedArchive): Promise<string[]> {
    const hash = createHash("sha256");
    const files = new FileDigest();
    const guard = new TarGuard(expected, files.hasher);
    const hashed = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    };
    try {
      await pipeline(this.pieces(), hashed, createGunzip({ chunkSize: PIECE }), guard, nowhere(), { signal: this.options.signal });
    } catch (error) {
      this.options.signal?.throwIfAborted();
      // Bytes that were damaged later are one thing, an archive that was never good another.
      const changed = (await this.hash()) !== sha256;
      return [changed ? `${this.file} is damaged: its SHA-256 is not the manifest's (${messageOf(error)})` : `${this.file} is refused: ${messageOf(error)}`];
    }
    if (hash.digest("hex") !== sha256) return [`${this.file} is damaged: its SHA-256 is not the manifest's`];
    const { digest = "" } = expected;
    return digest === "" || files.digest() === digest ? [] : [`${this.file} holds files with other names or contents than the manifest says`];
  }

  async crc(expected: number): Promise<string[]> {
    let crc = 0;
    const memory = Array.from({ length: IN_TURN }, () => Buffer.allocUnsafe(LARGE_PIECE));
    for await (const chunk of this.pieces(memory)) crc = crc32(chunk, crc);
    return crc === expected ? [] : [`${this.file} is damaged: its CRC-32 is not the manifest's`];
  }

  private async hash(): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of this.pieces()) hash.update(chunk);
    return hash.digest("hex");
  }

  /**
   * The next ones are read while one is worked on.
   * @param memory of one size, taken in turn, for who is done with a piece when it asks for the next: fresh memory costs more than a CRC-32
   * of what is in it
   */
  private async *pieces(memory?: readonly Buffer[]): AsyncGenerator<Buffer> {
    const { file, size, options } = this;
    const [length = PIECE, ahead] = [memory?.[0]?.length, (memory?.length ?? 2) - 1];
    let asked = 0;
    const ask = (): Promise<Buffer> => {
      const reading = this.fill(memory?.[asked % memory.length] ?? Buffer.allocUnsafe(length), asked * length);
      // Told when it is waited for; who stops before is not interested.
      reading.catch(() => undefined);
      asked += 1;
      return reading;
    };
    const asking = Array.from({ length: ahead }, ask);
    for (let at = 0; ; ) {
      options.signal?.throwIfAborted();
      asking.push(ask());
      const piece = await asking.shift();
      if (piece === undefined || piece.length === 0) return;
      at += piece.length;
      options.onProgress?.({ file, read: at, size });
      yield piece;
    }
  }

  /** Less than all of `into` at the file's end alone: where the next piece begins is settled before this one is there. */
  private async fill(into: Buffer, at: number): Promise<Buffer> {
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await this.handle.read(into, filled, into.length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return into.subarray(0, filled);
  }
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
