import path from "node:path";
import type { Readable } from "node:stream";
import type { Entry } from "../../../components/backup/index/format.js";
import { liveEntries } from "../../../components/backup/index/live.js";
import { readIndex } from "../../../components/backup/index/store.js";
import { isNothing, type Loss, lossInWords, lossOf } from "../../../components/backup/loss.js";
import { manifestIn } from "../../../components/backup/manifest-file.js";
import { connectTo } from "../../../components/qdrant/connect.js";
import type { DataPart, ReleaseRecord } from "../../../components/release/model.js";
import { stackNames } from "../../../components/release/names.js";
import { dockerCall } from "../../../components/runtime/docker.js";
import { messageOf } from "../../../components/runtime/errors.js";
import { readLive } from "../../../components/traffic/live.js";
import type { Workspace } from "../workspace.js";

/** What leaving the present data for that of a backup would take away. */
export type LossPreview = { loss: Loss } | { unknown: string };

/**
 * Compares what is there now, point by point and file by file, with what a backup holds. Only reads.
 * @param backup null: no backup tells what the other data is
 */
export async function previewLoss(ws: Workspace, backup: string | null, present: ReleaseRecord, only?: DataPart): Promise<LossPreview> {
  if (backup === null) return { unknown: "no backup tells what that data is" };
  const directory = path.join(ws.paths.backups, backup);
  try {
    const { index } = manifestIn(directory).manifest;
    if (index === null) return { unknown: `backup ${backup} is of an older form, without a list of what it holds` };
    const now = liveEntries(only === "uploads" ? null : await connectTo(stackNames(ws.stack, present.settings.volumes).qdrantContainer(present.storage.qdrant)), index.details, only === "qdrant" ? null : await uploads(ws, present));
    return { loss: await lossOf(partOf(readIndex(directory), only), now) };
  } catch (error) {
    return { unknown: messageOf(error) };
  }
}

/** In lines for a person, the last of which says where it stays. */
export function lossLines(preview: LossPreview, present: ReleaseRecord): string[] {
  const stays = `it stays in data generation ${present.generation}, which can be gone back to`;
  if ("unknown" in preview) return [`what users wrote since, and would not be there, could not be counted: ${preview.unknown}; ${stays}`];
  return isNothing(preview.loss) ? ["nothing was written since: no data would be missing"] : ["what users wrote since would not be there:", ...lossInWords(preview.loss).map((line) => `  ${line}`), stays];
}

/** Nobody has to be asked. */
export function losesNothing(preview: LossPreview): boolean {
  return "loss" in preview && isNothing(preview.loss);
}

/** As a container of the release that serves has them. */
async function uploads(ws: Workspace, { settings }: ReleaseRecord): Promise<{ archive: Readable; base: string }> {
  const container = (await readLive(ws.stack))?.table.serving?.containers[0];
  if (container === undefined) throw new Error("nothing serves, so the uploads cannot be listed");
  const directory = settings.app.uploadsPath;
  const archive = await dockerCall(`read ${directory} of container ${container}`, (client) => client.getContainer(container).getArchive({ path: directory }));
  return { archive: archive as Readable, base: path.posix.basename(directory) };
}

async function* partOf(entries: AsyncIterable<Entry>, only: DataPart | undefined): AsyncGenerator<Entry> {
  for await (const entry of entries) {
    const part: DataPart = entry.type === "collection" || entry.type === "point" ? "qdrant" : "uploads";
    if (only === undefined || only === part) yield entry;
  }
}
