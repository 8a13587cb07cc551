import { constants } from "node:fs";
import { open, readdir, rename } from "node:fs/promises";
import path from "node:path";
import { makeParents, syncDirectory } from "../backup/files.js";
import { isBackup, partialOf } from "../backup/names.js";
import { removeUnfinished } from "../backup/sweep.js";
import { assertUsable } from "../backup/verify.js";
import { errors, ReleaseError } from "../runtime/errors.js";
import type { DataPaths } from "../runtime/paths.js";
import { Restic } from "./restic.js";

export interface FetchContext {
  paths: DataPaths;
  /** Distinguishes what this run makes. */
  token: string;
  signal?: AbortSignal;
  say(message: string): void;
}

/**
 * Brings a backup back from the repository to where backups are, verified whole before it gets its name: what is there under that name
 * stays until then. Only for who holds the lock.
 * @throws ReleaseError repositoryFailed, backupUnusable; nothing is changed then
 */
export async function fetchBackup(env: Readonly<Record<string, string>>, backup: string, context: FetchContext): Promise<void> {
  const { backups } = context.paths;
  assertName(backup);
  await makeParents(backups);
  const partial = path.join(backups, partialOf(backup));
  await removeUnfinished(partial, context.token);
  try {
    const directory = await copyOut(env, backup, partial, context);
    context.say(`verifying backup ${backup}`);
    await assertUsable(directory, context.signal === undefined ? {} : { signal: context.signal });
    for (const name of await readdir(directory)) await sync(path.join(directory, name));
    await syncDirectory(directory);
    const final = path.join(backups, backup);
    await removeUnfinished(final, context.token);
    await rename(directory, final);
    await syncDirectory(backups);
  } finally {
    await removeUnfinished(partial, context.token);
  }
}

/** Reads a backup of the repository into a new directory. @returns where it lies then */
export async function copyOut(env: Readonly<Record<string, string>>, backup: string, target: string, context: Pick<FetchContext, "paths" | "signal" | "say">): Promise<string> {
  assertName(backup);
  const restic = new Restic(env, context.paths, context.signal);
  const [copy] = await restic.copies(backup);
  if (copy === undefined) throw await unknown(restic, backup);
  context.say(`reading backup ${backup} (snapshot ${copy.id.slice(0, 8)}) from ${restic.shown}`);
  await restic.restore(copy, target);
  return path.join(target, backup);
}

/** It becomes a path, and one of restic's tags. */
function assertName(backup: string): void {
  if (!isBackup(backup)) throw errors.usage({ why: `${JSON.stringify(backup.slice(0, 200))} is no name of a backup`, next: "name one such as pre-deploy-20260101-120000" });
}

async function unknown(restic: Restic, backup: string): Promise<ReleaseError> {
  const newest = [...new Set((await restic.copies()).map((copy) => copy.backup))].slice(0, 5);
  return errors.usage({
    why: `${restic.shown} holds no backup ${JSON.stringify(backup)} of this stack`,
    next: newest.length === 0 ? "it holds none at all: see whether pbjrag:backup.repository is the right one" : `name one of ${newest.join(", ")}; scripts/backups.sh list --from-repository shows all`,
  });
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
