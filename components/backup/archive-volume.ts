import { rm } from "node:fs/promises";
import { messageOf } from "../runtime/errors.js";
import { damagedArchive, type LineSink, readArchive, type TarSource, type WrittenArchive, writeArchive } from "./archive.js";
import { type Context, type Leftovers, throwIfEnded } from "./context.js";
import { BackupProblem } from "./problem.js";
import { CutTarError, NoTarError, TarError } from "./tar-header.js";
import { openVolumeTar, pipeVolumeTar, type VolumeReading } from "./volume-tar.js";

/**
 * Writes a volume as `.tar.gz`, by the quickest way that this machine and its files allow: from tar to igzip at once, through
 * this process, or by Docker's own archive. It is read to its end each time.
 * @param begin begins the list of its files, anew if there was one
 * @param byDocker its archive, for where there is no tar
 * @throws as {@link writeArchive}
 */
export async function archiveVolume(
  context: Context, what: VolumeReading, file: string, leftovers: Leftovers, begin: () => Promise<LineSink | undefined>, byDocker: () => Promise<TarSource>,
): Promise<WrittenArchive> {
  const packed = await packVolume(context, { ...what, n: `${what.n}-packed` }, file, leftovers, begin);
  if (packed !== null) return packed;
  await rm(file, { force: true });
  const tar = (await openVolumeTar(context, what, leftovers)) ?? (await byDocker());
  return writeArchive(tar, file, context.gzip, context.signal, await begin());
}

/**
 * Nothing but what lies on the disk passes through this process, which unpacks and lists it as it grows. That it is what tar
 * gave, the sum in the file says that igzip made of it (CRC-32).
 * @returns null where there is no igzip or no tar, or where something must be left out
 */
async function packVolume(context: Context, what: VolumeReading, file: string, leftovers: Leftovers, begin: () => Promise<LineSink | undefined>): Promise<WrittenArchive | null> {
  const { gzip, signal } = context;
  if (!gzip.packs) return null;
  const list = await begin();
  const tar = await pipeVolumeTar(context, what, leftovers);
  if (tar === null) return null;
  const written = await gzip.pack(tar.fd, file, signal, (packed) => readArchive(packed, null, gzip, signal, list)).catch((error: unknown) => {
    throwIfEnded(signal);
    if (error instanceof TarError) return error;
    if (error instanceof BackupProblem) throw error;
    throw damagedArchive(file, messageOf(error));
  });
  if (written instanceof NoTarError) return null;
  // An entry that no archive may hold, at which reading stopped: a tar that was not through then has nobody to write to, and says so.
  if (written instanceof TarError && !(written instanceof CutTarError)) {
    await tar.end();
    return null;
  }
  // What tar has to say goes first: an archive that it could not end is not taken for that reason.
  await tar.assertMade();
  return written instanceof CutTarError ? null : written;
}
