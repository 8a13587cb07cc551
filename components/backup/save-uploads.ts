import { rm } from "node:fs/promises";
import { messageOf } from "../runtime/errors.js";
import { type WrittenArchive, writeEmptyArchive } from "./archive.js";
import { archiveVolume } from "./archive-volume.js";
import { type Context, type Leftovers, throwIfEnded } from "./context.js";
import type { BackupRequest } from "./model.js";
import { BackupProblem } from "./problem.js";
import type { Reader } from "./reader.js";
import type { BackupIndex } from "./save-index.js";
import { TarError } from "./tar-header.js";
import { LISTING, type Listing, readListing } from "./unchanged/listing.js";
import { reuseArchive } from "./unchanged/reuse.js";
import { openVolume } from "./volume-tar.js";
import { volumeCreated } from "./volumes.js";

/** A file that shrinks while it is read spoils the archive; so often in a row means that it always will. */
const TRIES = 3;

export interface SavedUploads extends WrittenArchive {
  /** As they were listed before they were read; null where they were not. */
  listing: Listing | null;
  /** The backup that has read them, where they are unchanged since; "" where they were read now. */
  from: string;
}

/**
 * Writes the archive of the uploads volume, an empty one if there is no such volume, and lists its files in the index. Files
 * that are unchanged since an earlier backup are not read and compressed again.
 */
export async function saveUploads(request: BackupRequest, context: Context, reader: Reader | null, file: string, index: BackupIndex, leftovers: Leftovers): Promise<SavedUploads> {
  if (reader === null || !reader.mounted.includes("uploads")) return { ...(await writeEmptyArchive(file, context.signal)), listing: null, from: "" };
  const listing = await list(request, context, reader, leftovers);
  const wanted = listing === null ? null : { stack: request.stack, volume: request.uploadsVolume, listing };
  const reused = wanted === null ? null : await reuseArchive(context, wanted, file, () => index.beginUploads());
  return reused === null ? { ...(await read(request, context, reader, file, index, leftovers)), listing, from: "" } : { ...reused, listing };
}

/** Null where the image has no tools for it, or something was deleted meanwhile: then they are read. */
async function list(request: BackupRequest, context: Context, reader: Reader, leftovers: Leftovers): Promise<Listing | null> {
  const { stack, uploadsVolume: volume } = request;
  try {
    const created = await volumeCreated(volume);
    const source = await openVolume(context, { stack, volume, directory: reader.directories.uploads, image: reader.image, n: "listing", script: LISTING }, leftovers);
    if (source === null) return null;
    const listing = await readListing(source.stream, created);
    await source.assertMade();
    return listing;
  } catch (error) {
    throwIfEnded(context.signal);
    context.say(`the uploads cannot be listed, so that they are read whatever they are: ${messageOf(error)}`);
    return null;
  }
}

async function read(request: BackupRequest, context: Context, reader: Reader, file: string, index: BackupIndex, leftovers: Leftovers): Promise<WrittenArchive> {
  context.say("compressing the uploads");
  for (let attempt = 1; ; attempt++) {
    try {
      const what = { stack: request.stack, volume: request.uploadsVolume, directory: reader.directories.uploads, image: reader.image, n: `uploads-${attempt}` };
      const written = await archiveVolume(context, what, file, leftovers, () => index.beginUploads(), () => reader.archive("uploads"));
      const { leftOut } = written.content;
      if (leftOut > 0) context.say(`${leftOut} devices, pipes or links to outside the uploads are left out: no restore would make them`, { leftOut });
      return written;
    } catch (error) {
      if (!(error instanceof TarError)) throw error;
      if (attempt === TRIES) throw new BackupProblem("damaged", `the uploads could not be read whole, in ${TRIES} attempts: ${error.message}`);
      context.say(`the uploads changed while they were read: beginning again (${error.message})`);
      await rm(file, { force: true });
    }
  }
}
