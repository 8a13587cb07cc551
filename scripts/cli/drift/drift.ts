import { listBackups } from "../../../components/backup/list.js";
import { stackNames } from "../../../components/release/names.js";
import type { ReleaseRecord } from "../../../components/release/model.js";
import { readLive } from "../../../components/traffic/live.js";
import { revisionsOf, type TrafficTable } from "../../../components/traffic/model.js";
import type { Present } from "../present.js";
import type { Workspace } from "../workspace.js";
import { find, type FoundObject } from "./found.js";
import { type Drift, judgeDrift } from "./judge.js";
import { type KnownObject, readKnown } from "./known.js";

/**
 * What somebody did to the stack's containers, network and volumes behind Pulumi's back. Reads only.
 * @throws ReleaseError of Docker
 */
export async function findDrift(ws: Workspace, present: Pick<Present, "exported" | "ledger">): Promise<Drift[]> {
  const { objects, beingMade } = readKnown(present.exported);
  if (objects.length === 0) return [];
  const [found, table, backups] = await Promise.all([Promise.all(objects.map(find)), servedTable(ws.stack), listBackups(ws.paths)]);
  const known = objects.map((object, at) => ({ object, found: whole(object, found[at] ?? null, beingMade) }));
  const record = present.ledger.at(-1);
  return judgeDrift(known, {
    stack: ws.stack,
    containers: new Set([...(table === null ? [] : revisionsOf(table).flatMap(({ containers }) => containers)), ...recordedContainers(ws.stack, record)]),
    data: dataVolumes(ws.stack, record),
    backup: backups.findLast(({ proven, problem }) => proven && problem === "")?.name ?? null,
  });
}

/** What an update was making when it was killed, and does not run, is none: it is removed as all that such a run left, and made anew. */
function whole(object: KnownObject, found: FoundObject | null, beingMade: ReadonlySet<string>): FoundObject | null {
  return found !== null && found.id !== object.id && found.status !== "running" && object.kind === "container" && beingMade.has(object.name) ? null : found;
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
