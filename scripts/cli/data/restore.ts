import { existsSync } from "node:fs";
import path from "node:path";
import { isBackup } from "../../../components/backup/names.js";
import type { DataPart } from "../../../components/release/model.js";
import { errors } from "../../../components/runtime/errors.js";
import type { BackupChoice } from "../backup-flags.js";
import { hasRepository } from "../backups/repository.js";
import { assertOperatorConfig } from "../check-config.js";
import type { Outcome } from "../outcome.js";
import type { Workspace } from "../workspace.js";
import { moveData } from "./move.js";

export interface RestoreOptions extends BackupChoice {
  /** Name, or path, of a backup of this stack. */
  backup: string;
  /** The other part stays as it is. */
  only?: DataPart;
  /** The repository's copy, also where one is here. */
  fromRepository: boolean;
  dryRun: boolean;
  yes: boolean;
  waitMs: number;
}

/** The release that serves, on data made from a backup. */
export async function restore(ws: Workspace, options: RestoreOptions): Promise<Outcome> {
  const restoreFrom = backupNamed(ws, options.backup);
  assertOperatorConfig(ws);
  return moveData(ws, { ...options, ...fetchedFirst(ws, restoreFrom, options), command: "restore" }, ({ ledger }) => {
    const target = ledger.at(-1);
    if (target === undefined) return Promise.resolve({ why: `nothing is released on ${ws.stack}`, next: "run scripts/deploy.sh first" });
    return Promise.resolve({ target, data: { restoreFrom, ...(options.only === undefined ? {} : { only: options.only }) } });
  });
}

/** The backup, where it has to come from the repository. @throws ReleaseError `usage` where that is not to happen now */
export function fetchedFirst(ws: Workspace, name: string, { fromRepository, dryRun }: Pick<RestoreOptions, "fromRepository" | "dryRun">): { fetch?: string } {
  const here = existsSync(path.join(ws.paths.backups, name));
  if (!fromRepository && (here || !hasRepository(ws))) return {};
  if (dryRun) throw errors.usage({ why: `backup ${name} is in the repository, and looking at it would bring it here`, next: `bring it here first: scripts/backups.sh fetch ${name}` });
  return { fetch: name };
}

/** @throws ReleaseError `usage` for what is no backup of this stack */
export function backupNamed({ paths, stack }: Pick<Workspace, "paths" | "stack">, text: string): string {
  const name = path.basename(text);
  const elsewhere = name !== text && path.resolve(text) !== path.join(paths.backups, name);
  if (!isBackup(name) || elsewhere) {
    throw errors.usage({ why: `${JSON.stringify(text.slice(0, 200))} is no backup of stack ${stack}`, next: `name a directory below ${paths.backups}, such as pre-deploy-20260101-120000` });
  }
  return name;
}
