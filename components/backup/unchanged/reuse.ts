import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, open, rm } from "node:fs/promises";
import path from "node:path";
import { messageOf } from "../../runtime/errors.js";
import type { LineSink, WrittenArchive } from "../archive.js";
import type { Context } from "../context.js";
import { writing } from "../files.js";
import { renderEntry } from "../index/format.js";
import { readIndex } from "../index/store.js";
import { listBackups } from "../list.js";
import type { FileRecord, Manifest } from "../manifest.js";
import { FILES } from "../names.js";
import { BackupProblem } from "../problem.js";
import { checkFile } from "../verify-file.js";
import { readManifest } from "../verify.js";
import { isUnchanged, type Listing } from "./listing.js";

export interface Reused extends WrittenArchive {
  /** The backup that read the files. */
  from: string;
}

/** How many of the newest backups are looked through. */
const LOOKED_AT = 5;

/**
 * Gives this backup the archive of an earlier one if no file changed since that one listed them: as a hard link, or a copy
 * where that cannot be. It is read to its end for its sum, and its files are those of that backup's index, which it is
 * compared with; if anything of it is not as it was, the files are read anew.
 * @param file of this backup's archive
 * @param begin begins this backup's list of uploads, anew if there was one
 * @returns null: there is no such backup
 */
export async function reuseArchive(
  context: Pick<Context, "paths" | "signal" | "say">, wanted: { stack: string; volume: string; listing: Listing }, file: string, begin: () => Promise<LineSink>,
): Promise<Reused | null> {
  for (const directory of await newest(context)) {
    const { manifest, problems } = readManifest(directory);
    if (manifest === null || problems.length > 0 || !fits(manifest, wanted)) continue;
    try {
      return await take(context, directory, manifest, file, await begin());
    } catch (error) {
      context.signal.throwIfAborted();
      // The disk of the backups fails: that is no reason to write to it once more.
      if (error instanceof BackupProblem) throw error;
      await rm(file, { force: true });
      context.say(`the uploads are unchanged since backup ${manifest.name}, but its archive cannot be taken again: ${messageOf(error)}`);
    }
  }
  return null;
}

/** Directories of the stack's own backups that their manifest says are good, the newest first. */
export async function newest({ paths }: Pick<Context, "paths">): Promise<string[]> {
  const good = (await listBackups(paths)).filter(({ problem, proven }) => problem === "" && proven);
  return good.slice(-LOOKED_AT).reverse().map(({ name }) => path.join(paths.backups, name));
}

function fits({ stack, uploads, index, proof }: Manifest, wanted: { stack: string; volume: string; listing: Listing }): boolean {
  return stack === wanted.stack && uploads.volume === wanted.volume && index !== null && proof.read && isUnchanged(uploads.listing, wanted.listing);
}

async function take({ signal, say }: Pick<Context, "signal" | "say">, directory: string, { name, uploads, files }: Manifest, file: string, list: LineSink): Promise<Reused> {
  const record = files[FILES.uploads];
  if (record === undefined) throw new Error("its manifest does not have it");
  await linkOrCopy(path.join(directory, FILES.uploads), file);
  await assertWhole(file, record, signal);
  await copyList(directory, uploads.digest, list);
  say(`the uploads are unchanged since backup ${name}: its archive is taken again, and is whole`, { from: name });
  const { digest, bytes, stored, leftOut } = uploads;
  return { file: record, content: { files: uploads.files, bytes, ...(stored === undefined ? {} : { stored }), leftOut, digest }, from: uploads.from === "" ? name : uploads.from };
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  // Another file system, or one without links: then a copy. What fails of that may be the one that is read.
  await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE));
  await writing(to, async () => {
    const handle = await open(to, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      await handle.chmod(0o600);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

async function assertWhole(file: string, record: FileRecord, signal: AbortSignal): Promise<void> {
  const problems = await checkFile(path.dirname(file), path.basename(file), record, { signal });
  if (problems.length > 0) throw new Error(problems.join(", "));
}

/** The part of the index that lists the uploads, as the other backup has it. */
async function copyList(directory: string, digest: string, list: LineSink): Promise<void> {
  const hash = createHash("sha256");
  let uploads = false;
  for await (const entry of readIndex(directory)) {
    uploads ||= entry.type === "uploads";
    if (entry.type !== "file") continue;
    const line = renderEntry(entry);
    hash.update(`${line}\n`);
    await list(line);
  }
  if (!uploads || hash.digest("hex") !== digest) throw new Error("its index lists other files than the archive holds");
}
