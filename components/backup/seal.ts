import path from "node:path";
import { type Context, throwIfEnded } from "./context.js";
import { publish, writeText } from "./files.js";
import { type FileRecord, isProven, type Manifest, manifestSum, renderManifest, wasSampled } from "./manifest.js";
import type { BackupRequest } from "./model.js";
import { FILES, partialOf } from "./names.js";
import type { SavedQdrant } from "./save-qdrant.js";
import type { SavedUploads } from "./save-uploads.js";
import { ensureKey, macOf } from "./origin.js";
import { removeUnfinished } from "./sweep.js";

export interface Saved {
  name: string;
  seq: number;
  created: Date;
  qdrant: SavedQdrant;
  uploads: SavedUploads;
  index: FileRecord;
}

/**
 * Writes what goes beside the archives, the manifest and its sum last, and gives the directory its name.
 * @returns its size in bytes, and whether it is proven as its manifest has it
 */
export async function seal(request: BackupRequest, context: Context, tool: Manifest["tool"], saved: Saved): Promise<{ bytes: number; proven: boolean }> {
  const { backups } = context.paths;
  const [partial, final] = [path.join(backups, partialOf(saved.name)), path.join(backups, saved.name)];
  const files = {
    [FILES.qdrant]: saved.qdrant.file,
    [FILES.uploads]: saved.uploads.file,
    [FILES.index]: saved.index,
    ...(await writeTexts(request, partial)),
  };
  const manifest = manifestOf(request, context, tool, saved, files);
  const text = renderManifest(manifest);
  const written = await writeText(path.join(partial, FILES.manifest), text);
  const sum = await writeText(path.join(partial, FILES.sum), manifestSum(written.sha256));
  const { key, adopted } = await ensureKey(context.paths);
  if (adopted.length > 0) context.say(`this stack has a key for its backups from now on; ${adopted.length} that were there are taken for its own`, { adopted }, "info");
  const mac = await writeText(path.join(partial, FILES.mac), `${macOf(key, request.stack, Buffer.from(text))}\n`);
  throwIfEnded(context.signal);
  context.assertHolds();
  try {
    await publish(partial, final);
  } catch (error) {
    // Renamed but not known to be on the disk: that is no backup.
    await removeUnfinished(final, context.token);
    throw error;
  }
  const bytes = [...Object.values(files), written, sum, mac].reduce((all, { size }) => all + size, 0);
  return { bytes, proven: isProven(manifest) };
}

/** Of the release whose data it is; before the first one, of the one that it is made for. */
async function writeTexts(request: BackupRequest, directory: string): Promise<Record<string, FileRecord>> {
  const { tag, commit } = request.of ?? request.before;
  return {
    [FILES.commit]: await writeText(path.join(directory, FILES.commit), `${commit}\n`),
    [FILES.tag]: await writeText(path.join(directory, FILES.tag), `${tag}\n`),
    [FILES.config]: await writeText(path.join(directory, FILES.config), `${JSON.stringify(request.settings, null, 2)}\n`),
  };
}

function manifestOf(request: BackupRequest, context: Context, tool: Manifest["tool"], saved: Saved, files: Record<string, FileRecord>): Manifest {
  const { kind, stack, of, before } = request;
  const qdrant = saved.qdrant.record;
  return {
    schema: 2,
    tool,
    name: saved.name,
    kind,
    stack,
    seq: saved.seq,
    of,
    before,
    created: saved.created.toISOString(),
    run: context.run,
    qdrant,
    uploads: { ...saved.uploads.content, volume: request.uploadsVolume, listing: saved.uploads.listing, from: saved.uploads.from },
    index: { details: saved.qdrant.details },
    files,
    // Whoever wrote an archive has read it to its end, or failed; one that is taken again is the one that was read, by its SHA-256.
    proof: { restored: qdrant !== null, counted: qdrant !== null, sampled: wasSampled(qdrant?.collections ?? {}), read: true },
  };
}
