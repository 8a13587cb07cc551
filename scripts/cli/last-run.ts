import path from "node:path";
import { z } from "zod";
import type { DataPaths } from "../../components/runtime/paths.js";
import { readJson } from "../../components/runtime/whole-file.js";
import { replaceFile } from "./replace-file.js";

const schema = z.object({
  run: z.string(),
  command: z.string(),
  /** Null while it runs: a run that was killed leaves it so. */
  exitCode: z.number().nullable(),
  /** ISO 8601; absent while it runs, and where an older version of this tool wrote it. */
  endedAt: z.string().optional(),
});

/** How the last command that changed this stack ended. */
export type LastRun = z.infer<typeof schema>;

const fileOf = (paths: DataPaths): string => path.join(paths.run, "last-run.json");

/** Null when there was none, or the file is damaged: then nothing is known to have ended well either. */
export function readLastRun(paths: DataPaths): LastRun | null {
  return readJson(fileOf(paths), schema);
}

export function writeLastRun(paths: DataPaths, last: LastRun): void {
  replaceFile(fileOf(paths), JSON.stringify(last), 0o600);
}

/** True when a retry must get a new backup and a new gate: the run before was killed, or failed after its first change. */
export function endedBadly(last: LastRun | null): boolean {
  return last !== null && last.exitCode !== 0 && last.exitCode !== 2 && last.exitCode !== 6;
}
