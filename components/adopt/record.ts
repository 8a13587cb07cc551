import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { replaceText } from "../backup/files.js";
import type { DataPaths } from "../runtime/paths.js";

/** How the containers were that were stopped: written before the first is, so that they can be given back as they were. */
const recordSchema = z.object({
  /** Milliseconds since 1970. */
  stoppedAt: z.number(),
  containers: z.array(z.object({
    /** Docker's: another container of that name is none that was adopted. */
    id: z.string(),
    name: z.string(),
    running: z.boolean(),
    restart: z.object({ Name: z.string(), MaximumRetryCount: z.number() }),
  })),
});

export type AdoptRecord = z.infer<typeof recordSchema>;

const fileOf = ({ run }: Pick<DataPaths, "run">): string => path.join(run, "adopted.json");

/** Null: nothing is being taken over. */
export async function readAdopted(paths: Pick<DataPaths, "run">): Promise<AdoptRecord | null> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(fileOf(paths), "utf8")));
  } catch {
    return null;
  }
}

/** Whole and on the disk when this returns. @throws BackupProblem when the disk fails */
export async function writeAdopted(paths: Pick<DataPaths, "run">, record: AdoptRecord): Promise<void> {
  await replaceText(fileOf(paths), JSON.stringify(record));
}

/** The new release serves, or they were given back. */
export async function dropAdopted(paths: Pick<DataPaths, "run">): Promise<void> {
  await rm(fileOf(paths), { force: true });
}
