import { listBackups } from "../../../components/backup/list.js";
import { isBackup } from "../../../components/backup/names.js";
import { errors } from "../../../components/runtime/errors.js";
import { tagProblem } from "../../../components/source/names.js";
import type { BackupChoice } from "../backup-flags.js";
import { assertOperatorConfig } from "../check-config.js";
import type { Outcome } from "../outcome.js";
import type { Workspace } from "../workspace.js";
import { chooseRollback, type RollbackAsk } from "./choose.js";
import { moveData } from "./move.js";
import { backupNamed, fetchedFirst } from "./restore.js";

export interface DataRollbackOptions extends RollbackAsk, BackupChoice {
  dryRun: boolean;
  yes: boolean;
  waitMs: number;
  /** Part of a drill. */
  rehearsal?: boolean;
}

/** Goes to an earlier release together with its data; forward again likewise. */
export async function rollbackWithData(ws: Workspace, options: DataRollbackOptions): Promise<Outcome> {
  const ask = checked(ws, options);
  assertOperatorConfig(ws);
  const named = ask.withData ?? "";
  const fetch = named === "" ? {} : fetchedFirst(ws, named, { fromRepository: false, dryRun: options.dryRun });
  return moveData(ws, { ...options, ...fetch, command: "rollback" }, async ({ ledger }) => chooseRollback(ask, ledger, await listBackups(ws.paths)));
}

/** `--with-data v2.9.0` means the tag: a backup is named with `=`, or as what it is. */
function checked(ws: Workspace, { tag, withData, generation }: DataRollbackOptions): RollbackAsk {
  if (withData !== undefined && generation !== undefined) {
    throw errors.usage({ why: "--with-data and --generation each say which data, and only one can be meant", next: "say one of them" });
  }
  const isTag = withData !== undefined && withData !== "" && tag === undefined && !isBackup(withData) && !withData.includes("/");
  const ask = isTag ? { tag: withData, withData: "" } : { tag, withData: withData === undefined || withData === "" ? withData : backupNamed(ws, withData) };
  const problem = ask.tag === undefined ? null : tagProblem(ask.tag);
  if (problem !== null) throw errors.usage({ why: `no release has such a name: it ${problem}`, next: "scripts/status.sh lists the releases" });
  return Object.fromEntries(Object.entries({ ...ask, generation }).filter(([, value]) => value !== undefined));
}
