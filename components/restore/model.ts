import { z } from "zod";
import { named } from "../qdrant/named.js";

/**
 * What the restore is to do: the environment variable PBJRAG_RESTORE of its process. It is an input of a Pulumi resource, so
 * the same plan must give the same request: nothing of the run, the machine or the checkout is in it.
 */
export const restoreRequestSchema = z.object({
  /** Also a directory's name. */
  stack: z.string().min(1),
  generation: z.string().min(1),
  /** Directory below `backups/<stack>/`; "": there was no data to back up, so the volumes are made empty. */
  from: z.string(),
  /** Docker names of the volumes that are made; a part that is absent stays where it is. */
  volumes: z.object({ qdrant: z.string().min(1).optional(), uploads: z.string().min(1).optional() }),
  /** Qdrant's image on the new volume. */
  qdrantImage: z.string().min(1),
  /** As configured, possibly relative to the project; PBJRAG_DATA_DIR goes first. */
  dataDir: z.string().min(1),
  /** Milliseconds of a pause of users' writes, which began before and goes on after it. Absent: there is none. */
  pauseMs: z.number().int().positive().optional(),
  /** Milliseconds for the whole restore. */
  deadlineMs: z.number().int().positive(),
});

export type RestoreRequest = z.infer<typeof restoreRequestSchema>;

/** What the restore did: the one line on its standard output, kept in the Pulumi state. No secrets. */
export const restoreOutcomeSchema = z.object({
  generation: z.string(),
  /** As in the request. */
  from: z.string(),
  /** Points per collection that the new volume must have; none where Qdrant's data was not restored. */
  collections: named(z.number()),
  /** Uploaded files that were restored. */
  files: z.number(),
  /** Bytes that were written, unpacked. */
  bytes: z.number(),
  /** An earlier run had restored it already. */
  kept: z.boolean(),
  tookMs: z.number(),
});

export type RestoreOutcome = z.infer<typeof restoreOutcomeSchema>;
