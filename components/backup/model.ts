import { z } from "zod";
import { named } from "../qdrant/named.js";

const release = z.object({ tag: z.string().min(1), commit: z.string().min(1), revision: z.string().min(1) });

/**
 * What the backup is to do: the environment variable PBJRAG_BACKUP of its process. It is an input of a Pulumi resource, so
 * the same plan must give the same request: nothing of the run, the machine or the checkout is in it.
 */
export const backupRequestSchema = z.object({
  /** Also a directory's name. */
  stack: z.string().min(1),
  kind: z.enum(["pre-deploy", "pre-rollback"]),
  /** The release whose data it holds; null before the first. */
  of: release.nullable(),
  /** The release it is made before. */
  before: release,
  /** Why none is to be made; "" otherwise. */
  skipReason: z.string(),
  /** As configured, possibly relative to the project; PBJRAG_DATA_DIR goes first. */
  dataDir: z.string().min(1),
  qdrantVolume: z.string().min(1),
  uploadsVolume: z.string().min(1),
  /** For the scratch where the stack's Qdrant is gone; otherwise the image that Qdrant runs is used. */
  qdrantImage: z.string().min(1),
  qdrantContainer: z.string().min(1),
  network: z.string().min(1),
  /** Limits of the scratch Qdrant; memory in bytes. */
  scratch: z.object({ cpus: z.number().positive(), memory: z.number().int().positive() }),
  /** Milliseconds for the whole backup. */
  deadlineMs: z.number().int().positive(),
  /** Users' writes are paused meanwhile, until the uploads are read or, by others, until the route has moved. Milliseconds. Absent: they are not. */
  pause: z.object({ until: z.enum(["uploads", "route"]), leaseMs: z.number().int().positive() }).optional(),
  /** Settings of the release whose data it holds, without secrets: `stack-config.json`. */
  settings: z.record(z.string(), z.unknown()),
});

export type BackupRequest = z.infer<typeof backupRequestSchema>;

/** A pause of writes that goes on after the backup. */
const heldPause = z.object({
  /** Milliseconds since 1970: nobody was refused before. */
  from: z.number(),
  /** Websockets that were closed for it. */
  closed: z.number(),
});

export type HeldPause = z.infer<typeof heldPause>;

/** What the backup did: the one line on its standard output, kept in the Pulumi state. No secrets. */
export const backupOutcomeSchema = z.object({
  /** Directory below `backups/<stack>/`; "" when none was made. */
  backup: z.string(),
  /** Why none was made; "" otherwise. */
  reason: z.string(),
  /** Of the Qdrant that the data was taken from and proven on; "" without Qdrant data. */
  qdrantVersion: z.string(),
  /** Points per collection, as counted in the scratch. */
  collections: named(z.number()),
  /** Uploaded files. */
  files: z.number(),
  /** Size of the backup on disk. */
  bytes: z.number(),
  tookMs: z.number(),
  /** The data was restored into a scratch Qdrant and counted there, and the archives were read to their end. */
  proven: z.boolean(),
  /** Writes are paused still; null: they are not. */
  paused: heldPause.nullable().default(null),
});

export type BackupOutcome = z.infer<typeof backupOutcomeSchema>;

/** An outcome without a backup. */
export function noBackup(reason: string): BackupOutcome {
  return { backup: "", reason, qdrantVersion: "", collections: {}, files: 0, bytes: 0, tookMs: 0, proven: false, paused: null };
}
