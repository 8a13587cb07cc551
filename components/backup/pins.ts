import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { isBackup } from "./names.js";

/** A pin is an empty file beside the backup's directory: what a backup holds is sealed. */
const PIN = ".pinned";

/** Names of pinned backups, from the names in a stack's directory of backups. Pure. */
export function pinnedOf(names: readonly string[]): string[] {
  return names.filter((name) => name.endsWith(PIN)).map((name) => name.slice(0, -PIN.length)).filter(isBackup);
}

export async function pin(backups: string, name: string): Promise<void> {
  await writeFile(path.join(backups, `${name}${PIN}`), "", { mode: 0o600 });
}

/** One that is not pinned is fine. */
export async function unpin(backups: string, name: string): Promise<void> {
  await rm(path.join(backups, `${name}${PIN}`), { force: true });
}
