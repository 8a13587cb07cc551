/** Which release, which data, which name: chosen from what is known. Pure. */
import type { BackupSummary } from "../../../components/backup/list.js";
import { knownGeneration } from "../../../components/release/generation.js";
import { defaultRollbackTarget, findReleases } from "../../../components/release/ledger.js";
import type { DataPart, ReleaseRecord } from "../../../components/release/model.js";
import { GENERATION_NAME } from "../../../components/release/names.js";

export interface RollbackAsk {
  /** Tag, revision or commit. */
  tag?: string;
  /** A backup's name; "": the one that is meant, found out here. Absent: data that was left. */
  withData?: string;
  /** Data that was left, by its generation. */
  generation?: string;
}

/** What to go to: a release, and data that is there already or is made from a backup. */
export interface Chosen {
  target: ReleaseRecord;
  data: { generation: string } | { restoreFrom: string; only?: DataPart };
}

export type Choice = Chosen | { why: string; next: string };

/** @param backups oldest first */
export function chooseRollback(ask: RollbackAsk, ledger: readonly ReleaseRecord[], backups: readonly BackupSummary[]): Choice {
  if (ask.generation !== undefined) {
    return leftData(ask.generation, ask.tag, ledger);
  }
  const named = ask.withData ?? "";
  const tag = ask.tag ?? (named === "" ? undefined : backups.find(({ name }) => name === named)?.of);
  const target = tag === undefined || tag === "" ? defaultRollbackTarget(ledger) : (findReleases(ledger, tag).at(-1) ?? null);
  if (target === null) {
    return { why: `${tag ?? "an earlier release"} was never released here`, next: "scripts/status.sh lists the releases; scripts/restore.sh restores data under the present one" };
  }
  if (named !== "") {
    return backups.some(({ name }) => name === named) ? { target, data: { restoreFrom: named } } : { why: `there is no backup ${named}`, next: "scripts/status.sh lists the newest" };
  }
  const present = ledger.at(-1);
  if (target.generation !== present?.generation) {
    // A change of Qdrant left its data, and not the uploads, which were written on since: the backup that it made has both of that moment.
    const both = target.storage.uploads === present?.storage.uploads ? backupOfGeneration(target.generation, ledger) : null;
    const there = backups.some(({ name, problem }) => name === both && problem === "");
    // Otherwise data that the release left is its last word, newer than any backup of it.
    return { target, data: both !== null && there ? { restoreFrom: both } : { generation: target.generation } };
  }
  const restoreFrom = backupOf(target, ledger, backups);
  return restoreFrom === null
    ? { why: `no backup is left that holds the data of ${target.tag}`, next: "name another: scripts/rollback.sh TAG --with-data=BACKUP" }
    : { target, data: { restoreFrom } };
}

function leftData(generation: string, tag: string | undefined, ledger: readonly ReleaseRecord[]): Choice {
  const known = knownGeneration(ledger, generation);
  const named = tag === undefined ? [] : findReleases(ledger, tag);
  // Of the releases with that name the one that ran on it has the settings, and the Qdrant, for it.
  const target = tag === undefined ? known : (named.findLast((record) => record.generation === generation) ?? named.at(-1));
  if (known === undefined) {
    const all = [...new Set(ledger.map((record) => record.generation))].join(", ");
    return { why: `no release has run on the data generation ${generation}`, next: `name one of these: ${all}` };
  }
  return target === undefined ? { why: `${tag ?? ""} was never released here`, next: "scripts/status.sh lists the releases" } : { target, data: { generation } };
}

/** The backup taken before the release that followed this one; if it is gone, the newest with this release's data. */
export function backupOf(target: ReleaseRecord, ledger: readonly ReleaseRecord[], backups: readonly BackupSummary[]): string | null {
  const whole = backups.filter(({ problem }) => problem === "");
  const followed = ledger[ledger.findIndex(({ seq }) => seq === target.seq) + 1]?.backup ?? "";
  const at = whole.find(({ name }) => name === followed) ?? whole.findLast(({ of }) => of === target.tag);
  return at?.name ?? null;
}

/** The backup that tells best what the data of a generation is that was left: the one taken when it was left. */
export function backupOfGeneration(generation: string, ledger: readonly ReleaseRecord[]): string | null {
  const at = ledger.findLastIndex((record) => record.generation === generation);
  const backup = ledger[at + 1]?.backup ?? "";
  return at === -1 || backup === "" ? null : backup;
}

/** A generation is named after its backup; where that name is taken, a letter follows. Null: there are no more. */
export async function generationName(backup: string, isFree: (name: string) => Promise<boolean>): Promise<string | null> {
  for (const suffix of ["", ..."bcdefghijklmnopqrstuvwxyz"]) {
    const name = `${backup}${suffix}`;
    if (GENERATION_NAME.test(name) && (await isFree(name))) return name;
  }
  return null;
}
