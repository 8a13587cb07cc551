import path from "node:path";
import { type BackupSummary, listBackups } from "../../../components/backup/list.js";
import { manifestBytes } from "../../../components/backup/manifest-file.js";
import { acceptWith, isKnown, NOT_KNOWN, readKey } from "../../../components/backup/origin.js";
import { errors } from "../../../components/runtime/errors.js";
import type { Workspace } from "../workspace.js";

/** A backup of the stack by its name. @throws ReleaseError `usage`, with those that there are */
export async function findBackup({ paths, stack }: Workspace, name: string): Promise<BackupSummary> {
  const all = await listBackups(paths);
  const found = all.find((backup) => backup.name === name);
  if (found !== undefined) return found;
  const newest = all.slice(-5).reverse().map((backup) => backup.name).join(", ");
  throw errors.usage({
    why: `stack ${stack} has no backup ${JSON.stringify(name)}`,
    next: newest === "" ? "scripts/rollback.sh --backup-only takes one" : `name one of ${newest}; scripts/backups.sh list shows all`,
  });
}

/** @throws ReleaseError `usage` for a whole backup that somebody else wrote, as its sums do not tell */
export function assertKnown({ paths, stack }: Workspace, name: string): void {
  const directory = path.join(paths.backups, name);
  if (!isKnown(directory, stack, readKey(paths), manifestBytes(directory))) throw errors.usage({ why: `backup ${name} cannot be restored: ${NOT_KNOWN}`, next: acceptWith(name) });
}
