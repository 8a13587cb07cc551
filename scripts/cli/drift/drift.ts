import { listBackups } from "../../../components/backup/list.js";
import { stackNames } from "../../../components/release/names.js";
import type { ReleaseRecord } from "../../../components/release/model.js";
import { readLive } from "../../../components/traffic/live.js";
import { revisionsOf, type TrafficTable } from "../../../components/traffic/model.js";
import type { Present } from "../present.js";
import type { Workspace } from "../workspace.js";
import { find } from "./found.js";
import { type Drift, judgeDrift } from "./judge.js";
import { readKnown } from "./known.js";

/**
 * What somebody did to the stack's containers, network and volumes behind Pulumi's back. Reads only.
 * @throws ReleaseError of Docker
 */
export async function findDrift(ws: Workspace, present: Pick<Present, "exported" | "ledger">): Promise<Drift[]> {
  const { objects } = readKnown(present.exported);
  if (objects.length === 0) return [];
  const [found, table, backups] = await Promise.all([Promise.all(objects.map(find)), servedTable(ws.stack), listBackups(ws.paths)]);
  const known = objects.map((object, at) => ({ object, found: found[at] ?? null }));
  const record = present.ledger.at(-1);
  return judgeDrift(known, {
    stack: ws.stack,
    containers: new Set([...(table === null ? [] : revisionsOf(table).flatMap(({ containers }) => containers)), ...recordedContainers(ws.stack, record)]),
    data: dataVolumes(ws.stack, record),
    backup: backups.findLast(({ proven, problem }) => proven && problem === "")?.name ?? null,
  });
}

/** Null also where it cannot be read: then what is recorded as serving counts. */
async function servedTable(stack: string): Promise<TrafficTable | null> {
  try {
    return (await readLive(stack))?.table ?? null;
  } catch {
    return null;
  }
}

function recordedContainers(stack: string, record: ReleaseRecord | undefined): string[] {
  if (record === undefined) return [];
  return Array.from({ length: record.settings.app.replicas }, (_, at) => stackNames(stack).appContainer(record.revision, at + 1));
}

function dataVolumes(stack: string, record: ReleaseRecord | undefined): Set<string> {
  if (record === undefined) return new Set();
  const names = stackNames(stack, record.settings.volumes);
  return new Set([names.qdrantVolume(record.storage.qdrant), names.uploadsVolume(record.storage.uploads)]);
}

/** What it means for a command that changes the stack, in one sentence. Pure. */
export function inASentence({ how, what, next }: Drift): string {
  if (next !== null) return `${what}. Next: ${next}`;
  return how === "gone" ? `${what}; it is made anew by the next update` : how === "renamed" ? `${what}; it gets its name back` : `${what}; it is taken over as it is`;
}
