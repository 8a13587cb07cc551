import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { replaceText } from "../backup/files.js";
import type { DataPaths } from "../runtime/paths.js";
import { restoreOutcomeSchema } from "./model.js";

/**
 * What this program knows of a generation that it makes, written before the first volume is made and again when all is there:
 * so a restore that was killed is told from data, and is begun again.
 */
const recordSchema = z.object({
  from: z.string(),
  /** Null while it is being made. */
  done: z
    .object({
      /** Docker's time of each volume when all was in it, by its name: another volume of that name, or one used since, is not what was restored. */
      created: z.record(z.string(), z.string()),
      outcome: restoreOutcomeSchema,
    })
    .nullable(),
});

export type RestoreRecord = z.infer<typeof recordSchema>;

function fileOf(paths: DataPaths, generation: string): string {
  return path.join(paths.run, "restores", `${generation}.json`);
}

/** Null: there is none, or it is none of ours. */
export async function readRecord(paths: DataPaths, generation: string): Promise<RestoreRecord | null> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(fileOf(paths, generation), "utf8")));
  } catch {
    return null;
  }
}

/** Whole and on the disk when this returns. @throws BackupProblem when the disk fails */
export async function writeRecord(paths: DataPaths, generation: string, record: RestoreRecord): Promise<void> {
  await replaceText(fileOf(paths, generation), JSON.stringify(record));
}

export async function dropRecord(paths: DataPaths, generation: string): Promise<void> {
  await rm(fileOf(paths, generation), { force: true });
}
