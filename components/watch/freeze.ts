/** A freeze: until somebody has looked, no further release is made on top of one that a watch complained of. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { EXIT, ReleaseError } from "../runtime/errors.js";
import type { DataPaths } from "../runtime/paths.js";
import { readJson, writeWhole } from "../runtime/whole-file.js";

const schema = z.object({ revision: z.string(), tag: z.string(), what: z.string(), at: z.string() });

/** Why releases are frozen: the release that serves, the rule in words, and when (ISO 8601). */
export type Freeze = z.output<typeof schema>;

const fileOf = (paths: DataPaths): string => join(paths.run, "freeze.json");

/** Null when there is none. It means nothing once another release serves. */
export function readFreeze(paths: DataPaths): Freeze | null {
  return readJson(fileOf(paths), schema);
}

export function writeFreeze(paths: DataPaths, freeze: Freeze): void {
  writeWhole(fileOf(paths), JSON.stringify(freeze));
}

export function endFreeze(paths: DataPaths): void {
  rmSync(fileOf(paths), { force: true });
}

/** @param serving tells the revision that serves, and is asked only if that matters. @throws ReleaseError `frozen` */
export async function assertNotFrozen(paths: DataPaths, serving: () => Promise<string | null>): Promise<void> {
  const freeze = readFreeze(paths);
  if (freeze === null || freeze.revision !== (await serving())) return;
  throw new ReleaseError({
    code: "frozen", exitCode: EXIT.refused, what: `Releases of stack ${paths.stack} are frozen, nothing was touched`,
    why: `since ${freeze.at}, as the watch of ${freeze.tag} saw: ${freeze.what}`,
    next: "scripts/rollback.sh goes back; scripts/watch.sh --thaw permits releases again",
  });
}
