import { listBackups } from "../../../components/backup/list.js";
import { type LedgerNeeds, retention, type RetentionInput, type RetentionRules, type Retained } from "../../../components/backup/retention.js";
import { stockOf } from "../../../components/backup/stock.js";
import type { ReleaseRecord } from "../../../components/release/model.js";
import { stackNames } from "../../../components/release/names.js";
import type { Present } from "../present.js";
import type { Workspace } from "../workspace.js";

/** What of the stack's past stays and what goes, now. Reads only. */
export async function retentionOf(ws: Workspace, present: Pick<Present, "ledger" | "ids">, rules: RetentionRules): Promise<Retained[]> {
  const [backups, { images, volumes }] = await Promise.all([listBackups(ws.paths), stockOf(ws.stack, present.ids)]);
  const input: RetentionInput = { now: Date.now(), rules, backups, ledger: present.ledger.map((record) => needsOf(ws.stack, record)), images, volumes };
  return retention(input);
}

function needsOf(stack: string, record: ReleaseRecord): LedgerNeeds {
  const { seq, tag, revision, imageId, backup, restoredFrom, storage, settings } = record;
  const names = stackNames(stack, settings.volumes);
  return { seq, tag, revision, imageId, backup, restoredFrom, volumes: [names.qdrantVolume(storage.qdrant), names.uploadsVolume(storage.uploads)] };
}
