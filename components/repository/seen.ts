import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { errors, messageOf, ReleaseError } from "../runtime/errors.js";
import type { DataPaths } from "../runtime/paths.js";
import type { Restic } from "./restic.js";

/**
 * Opens a repository, and makes it where there never was one. Where this stack has used one before it is not made anew: a disk that is not
 * mounted would get an empty one in its place, on the very machine that the backups are to leave.
 * @throws ReleaseError repositoryFailed
 */
export async function openRepository(restic: Restic, paths: DataPaths, env: Readonly<Record<string, string>>): Promise<{ made: boolean }> {
  const mark = markOf(paths, env);
  let made = false;
  try {
    await restic.id();
  } catch (error) {
    if (!(error instanceof ReleaseError) || (await isThere(mark))) throw error;
    made = await restic.init().then(() => true, () => false);
    // Another made it just now, or the first word was the true one.
    if (!made && !(await restic.id().then(() => true, () => false))) throw errors.repositoryFailed({ why: error.why, next: error.next, lines: error.lines }, error);
  }
  await remember(mark);
  return { made };
}

/** Whether this stack has never used this repository, and there is none to be read: nothing was sent yet. */
export async function neverUsed(restic: Restic, paths: DataPaths, env: Readonly<Record<string, string>>): Promise<boolean> {
  return !(await isThere(markOf(paths, env))) && !(await restic.id().then(() => true, () => false));
}

function markOf(paths: DataPaths, env: Readonly<Record<string, string>>): string {
  return path.join(paths.run, "repositories", createHash("sha256").update(env["RESTIC_REPOSITORY"] ?? "").digest("hex").slice(0, 16));
}

async function isThere(file: string): Promise<boolean> {
  return readFile(file).then(() => true, () => false);
}

async function remember(file: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, "", { mode: 0o600 });
  } catch (error) {
    throw errors.repositoryFailed({ why: `${file} could not be written: ${messageOf(error)}`, next: "see whether the disk is full or broken, then run again" }, error);
  }
}
