import { z } from "zod";

const file = z.object({
  /** Bytes. */
  size: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const release = z.object({ tag: z.string(), commit: z.string(), revision: z.string() });

const archive = z.object({
  files: z.number().int().nonnegative(),
  /** Content of the files, unpacked. */
  bytes: z.number().int().nonnegative(),
  /** Devices, pipes and links to outside that were not taken along. */
  leftOut: z.number().int().nonnegative(),
});

const collection = z.object({
  /** Exact count in the scratch Qdrant, whose storage the archive holds. */
  points: z.number().int().nonnegative(),
  /** Exact counts in the live Qdrant before and after the snapshot; the same number unless something wrote meanwhile. */
  live: z.object({ before: z.number().int(), after: z.number().int() }),
  status: z.string(),
  config: z.record(z.string(), z.unknown()),
  payloadSchema: z.record(z.string(), z.unknown()),
  /** The snapshot that it was restored from; null where a stopped Qdrant's storage was copied. */
  snapshot: file.nullable(),
});

/** `manifest.json`, written when all else is there: a directory without one is no backup. */
export const manifestSchema = z.object({
  schema: z.literal(1),
  tool: z.object({ name: z.string(), version: z.string() }),
  name: z.string(),
  kind: z.enum(["pre-deploy", "pre-rollback"]),
  stack: z.string(),
  of: release.nullable(),
  before: release,
  /** ISO 8601, UTC. For people: backups are not ordered by it. */
  created: z.string(),
  run: z.string(),
  /** Null when there was no Qdrant data. */
  qdrant: z
    .object({
      version: z.string(),
      commit: z.string(),
      imageId: z.string(),
      /** `snapshots` of a running Qdrant, or a `copy` of the volume where no Qdrant was left to run on it. */
      source: z.enum(["snapshots", "copy"]),
      volume: z.string(),
      collections: z.record(z.string(), collection),
      aliases: z.array(z.object({ alias: z.string(), collection: z.string() })),
      storage: archive,
      /** A count changed while its snapshot was made: the backup is one moment of each collection, not of all. */
      writesDuringBackup: z.boolean(),
    })
    .nullable(),
  uploads: archive.extend({ volume: z.string() }),
  /** Every file of the backup but this one and its own sum. */
  files: z.record(z.string(), file),
  /** How it was proven. */
  proof: z.object({ restored: z.boolean(), counted: z.boolean() }),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type CollectionRecord = z.infer<typeof collection>;
export type FileRecord = z.infer<typeof file>;
export type ArchiveRecord = z.infer<typeof archive>;
export type QdrantRecord = NonNullable<Manifest["qdrant"]>;

export function renderManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`;
}

/** @throws z.ZodError or SyntaxError for what is no manifest of a known version. */
export function parseManifest(text: string): Manifest {
  return manifestSchema.parse(JSON.parse(text));
}

/** The text of `manifest.sha256`, as `sha256sum manifest.json` prints it. */
export function manifestSum(sha256: string): string {
  return `${sha256}  manifest.json\n`;
}

/** Its Qdrant data was restored and counted; without any there is nothing to prove. */
export function isProven({ qdrant, proof }: Manifest): boolean {
  return qdrant === null || (proof.restored && proof.counted);
}
