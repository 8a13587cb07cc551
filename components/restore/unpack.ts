import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { type Readable, Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { throwIfEnded } from "../backup/context.js";
import type { FileRecord } from "../backup/manifest.js";
import { BackupProblem, problemFrom } from "../backup/problem.js";
import { TarGuard } from "../backup/tar-guard.js";
import type { Expected } from "../backup/tar-rules.js";
import type { Context } from "../runtime/task.js";

/** Bytes read at once. */
const PIECE = 512 * 1024;

/** Takes a tar, whose entries are relative, to where it is unpacked. */
export type Unpack = (tar: Readable, signal: AbortSignal) => Promise<void>;

/** Counts and hashes what passes. */
class Hashing extends Transform {
  size = 0;
  private readonly hash = createHash("sha256");

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.size += chunk.length;
    this.hash.update(chunk);
    done(null, chunk);
  }

  is({ size, sha256 }: FileRecord): boolean {
    return this.size === size && this.hash.digest("hex") === sha256;
  }
}

/**
 * Unpacks one archive of a backup into a volume. It was verified before; it is checked once more as it passes, for it may have
 * been changed since. Streams: memory does not grow with the data.
 * @throws BackupProblem
 */
export async function unpackArchive(
  unpack: Unpack, context: Context, archive: { directory: string; name: string; file: FileRecord; content: Expected },
): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const hashing = new Hashing();
  const guard = new TarGuard(archive.content);
  const handle = await open(path.join(archive.directory, archive.name), constants.O_RDONLY | constants.O_NOFOLLOW);
  const source = handle.createReadStream({ highWaterMark: PIECE });
  // Whichever side fails ends the other, and is the one to tell.
  const failures: unknown[] = [];
  const side = (doing: string, work: Promise<unknown>): Promise<void> =>
    work.then(() => undefined, (error: unknown) => {
      failures.push(problemFrom(error, "damaged", doing));
      ending.abort();
    });
  await Promise.all([
    side(`${archive.name} could not be read`, pipeline(source, hashing, createGunzip({ chunkSize: PIECE }), guard, { signal })),
    side(`${archive.name} could not be unpacked`, unpack(guard, signal)),
  ]);
  throwIfEnded(context.signal);
  if (failures.length > 0) throw failures[0];
  if (!hashing.is(archive.file)) throw new BackupProblem("damaged", `${archive.name} was changed while it was unpacked`, "run again with another backup");
}
