import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { mebibytes } from "../backup/space.js";
import { errors } from "../runtime/errors.js";
import type { DataPaths } from "../runtime/paths.js";
import type { SendOutcome } from "./model.js";
import { type Added, type Copy, Restic } from "./restic.js";
import { openRepository } from "./seen.js";

export interface SendContext {
  paths: DataPaths;
  signal?: AbortSignal;
  say(message: string): void;
}

/**
 * Sends one finished backup, unless the repository holds it whole already: each of its files, in its full size. What was sent is looked at
 * likewise.
 * @param env what restic is told: see address.ts
 * @throws ReleaseError repositoryFailed
 */
export async function sendBackup(env: Readonly<Record<string, string>>, backup: string, context: SendContext): Promise<SendOutcome> {
  const began = performance.now();
  const { paths } = context;
  const restic = new Restic(env, paths, context.signal);
  const files = await filesOf(path.join(paths.backups, backup));
  if ((await openRepository(restic, paths, env)).made) context.say(`made the repository ${restic.shown}: keep its password, without it nothing can be read back`);
  const outcome = (known: boolean, { bytes: added, stored }: Added, { id }: Copy): SendOutcome => ({
    backup, sent: true, known, snapshot: id.slice(0, 8), added, stored, tookMs: Math.round(performance.now() - began), problem: "", next: "",
  });
  const before = await wholeCopy(restic, backup, files);
  if (before !== null) return outcome(true, { bytes: 0, stored: true }, before);
  const bytes = [...files.values()].reduce((sum, size) => sum + size, 0);
  context.say(`sending backup ${backup} (${mebibytes(bytes)}) to ${restic.shown}`);
  const added = await restic.save(paths.backups, backup);
  const copy = await wholeCopy(restic, backup, files);
  if (copy === null) throw errors.repositoryFailed({ why: `backup ${backup} was sent to ${restic.shown}, which does not hold all of it` });
  return outcome(false, added, copy);
}

async function wholeCopy(restic: Restic, backup: string, files: ReadonlyMap<string, number>): Promise<Copy | null> {
  for (const copy of await restic.copies(backup)) if (isWhole(await restic.listing(copy), files)) return copy;
  return null;
}

/** Both have the same files in the same sizes. Pure. */
export function isWhole(copy: ReadonlyMap<string, number>, files: ReadonlyMap<string, number>): boolean {
  return copy.size === files.size && [...files].every(([name, size]) => copy.get(name) === size);
}

async function filesOf(directory: string): Promise<Map<string, number>> {
  const names = await readdir(directory);
  return new Map(await Promise.all(names.map(async (name) => [name, (await stat(path.join(directory, name))).size] as const)));
}
