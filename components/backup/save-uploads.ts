import { rm } from "node:fs/promises";
import { type WrittenArchive, writeArchive, writeEmptyArchive } from "./archive.js";
import type { Context, Leftovers } from "./context.js";
import type { BackupRequest } from "./model.js";
import { BackupProblem } from "./problem.js";
import type { Reader } from "./reader.js";
import type { BackupIndex } from "./save-index.js";
import { TarError } from "./tar-header.js";
import { openVolumeTar } from "./volume-tar.js";

/** A file that shrinks while it is read spoils the archive; so often in a row means that it always will. */
const TRIES = 3;

/** Writes the archive of the uploads volume, an empty one if there is no such volume, and lists its files in the index. */
export async function saveUploads(request: BackupRequest, context: Context, reader: Reader | null, file: string, index: BackupIndex, leftovers: Leftovers): Promise<WrittenArchive> {
  const { gzip, signal } = context;
  if (reader === null || !reader.mounted.includes("uploads")) return writeEmptyArchive(file, gzip, signal);
  context.say("compressing the uploads");
  for (let attempt = 1; ; attempt++) {
    const list = await index.beginUploads();
    try {
      const tar = await openVolumeTar(context, { stack: request.stack, volume: request.uploadsVolume, image: reader.image, n: `uploads-${attempt}` }, leftovers);
      const written = await writeArchive(tar ?? (await reader.archive("uploads")), file, gzip, signal, list);
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
