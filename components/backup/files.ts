import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { codeOf, messageOf } from "../runtime/errors.js";
import type { FileRecord } from "./manifest.js";
import { BackupProblem, isDiskFull } from "./problem.js";

/** Writing so that a finished backup stays finished: hashed while written, synced, renamed, modes whatever the umask. */

const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes a new file (0600) from chunks, and gives its size and SHA-256 once the disk has it.
 * @throws BackupProblem `disk-full` or `write`; what feeds it throws its own errors
 */
export async function writeDurable(file: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<FileRecord> {
  const handle = await createNew(file);
  try {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.byteLength;
      await writing(file, () => writeAll(handle, chunk));
    }
    await writing(file, () => handle.sync());
    return { size, sha256: hash.digest("hex") };
  } finally {
    await handle.close();
  }
}

/** A new file, 0600, open for writing. @throws BackupProblem */
export async function createNew(file: string): Promise<FileHandle> {
  const handle = await writing(file, () => open(file, NEW, 0o600));
  try {
    await writing(file, () => handle.chmod(0o600));
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether nothing more can be written to a file: for telling why another process could not. Spoils the file. */
export async function hasNoRoom(handle: FileHandle): Promise<boolean> {
  try {
    await handle.appendFile(Buffer.alloc(1024 * 1024));
    await handle.sync();
    return false;
  } catch (error) {
    return isDiskFull(error);
  }
}

/** Writes a new file (0600) that need not outlive this run. @throws BackupProblem `disk-full` or `write` */
export async function writePlain(file: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await writing(file, () => open(file, NEW, 0o600));
  try {
    for await (const chunk of chunks) await writing(file, () => writeAll(handle, chunk));
  } finally {
    await handle.close();
  }
}

export function writeText(file: string, text: string): Promise<FileRecord> {
  return writeDurable(file, [Buffer.from(text)]);
}

/** Writes a file (0600) in the place of another, whole and on the disk when this returns; its directory is made. @throws BackupProblem, Error when the disk fails */
export async function replaceText(file: string, text: string): Promise<void> {
  const next = `${file}.next`;
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await rm(next, { force: true });
  await writeText(next, text);
  await rename(next, file);
  await syncDirectory(path.dirname(file));
}

/** Makes one new directory, 0700. */
export async function makePrivate(directory: string): Promise<void> {
  await writing(directory, async () => {
    await mkdir(directory, { mode: 0o700 });
    const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.chmod(0o700);
    } finally {
      await handle.close();
    }
  });
}

/** Makes a directory and those above it, new ones 0700. */
export async function makeParents(directory: string): Promise<void> {
  await writing(directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
}

/** The names in a directory are on the disk afterwards. */
export async function syncDirectory(directory: string): Promise<void> {
  await writing(directory, async () => {
    const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** Names in a directory; none if it is not there. */
export async function directoryNames(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Gives a finished directory its name for good. */
export async function publish(from: string, to: string): Promise<void> {
  await syncDirectory(from);
  await writing(to, () => rename(from, to));
  await syncDirectory(path.dirname(to));
}

export async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let at = 0;
  while (at < chunk.byteLength) at += (await handle.write(chunk, at)).bytesWritten;
}

/** Does something to a file. @throws BackupProblem `disk-full` or `write` */
export async function writing<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isDiskFull(error)) throw new BackupProblem("disk-full", `the disk is full while writing ${file}`);
    throw new BackupProblem("write", `${file} could not be written: ${messageOf(error)}`, "see whether the disk works, then run again");
  }
}
