import { z } from "zod";
import { named } from "../qdrant/named.js";
import { DETAILS } from "./index/format.js";

const count = z.number().int().nonnegative();

const file = z.object({
  /** Bytes. */
  size: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /**
   * CRC-32 of an archive: whether it still is what was written is seen by it in a third of the time, though not whether somebody meant
   * it to look so. Absent of other files, and in old backups.
   */
  crc32: z.number().int().nonnegative().optional(),
});

const release = z.object({ tag: z.string(), commit: z.string(), revision: z.string() });

/** What was counted of an archive while it was written. */
const archive = z.object({
  files: z.number().int().nonnegative(),
  /** Content of the files, unpacked. */
  bytes: z.number().int().nonnegative(),
  /** What that takes on a disk where zeros are holes, as `du` tells it, less directories; absent in old backups. */
  stored: z.number().int().nonnegative().optional(),
  /** Devices, pipes and links to outside that were not taken along. */
  leftOut: z.number().int().nonnegative(),
  /** SHA-256 of the lines that the index has, or would have, for its files: what it must hold when it is read. "" in old backups. */
  digest: z.string(),
});

/** How the uploads were listed just before they were read: equal lists mean equal files, see unchanged/listing.ts. */
const listing = z.object({
  /** SHA-256 of the boot and of path, kind, size, times, inode, links, owner and mode of everything in the volume. */
  digest: z.string(),
  /** Seconds since 1970 on the clock of files: when it was made, and of the newest change. */
  takenAt: z.number(),
  newest: z.number(),
  /** Docker's `CreatedAt` of the volume. */
  volumeCreated: z.string(),
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
  /**
   * Points and queries that were compared with the live Qdrant, see proof/sample.ts. Null where there was no live one to compare
   * with; absent in old backups.
   */
  sampled: z.object({ points: count, changed: count, queries: count }).nullish(),
});

/** `manifest.json`, written when all else is there: a directory without one is no backup. */
export const manifestSchema = z.object({
  schema: z.literal(2),
  tool: z.object({ name: z.string(), version: z.string() }),
  name: z.string(),
  kind: z.enum(["pre-deploy", "pre-rollback"]),
  stack: z.string(),
  /** Its number among the stack's backups, from 1: their order, as clocks jump. Absent in old ones, which come first. */
  seq: z.number().int().positive().optional(),
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
      collections: named(collection),
      aliases: z.array(z.object({ alias: z.string(), collection: z.string() })),
      storage: archive,
      /** A count changed while its snapshot was made: the backup is one moment of each collection, not of all. */
      writesDuringBackup: z.boolean(),
    })
    .nullable(),
  uploads: archive.extend({
    volume: z.string(),
    /** Null where it could not be listed, or by times that cannot be relied on. */
    listing: listing.nullable(),
    /** The backup whose archive this is, the files being unchanged since; "" where they were read. */
    from: z.string(),
  }),
  /** What `index.ndjson.gz` covers of each collection (see index/format.ts), besides all uploaded files. Null: there is no index. */
  index: z.object({ details: named(z.enum(DETAILS)) }).nullable(),
  /** Every file of the backup but this one and its own sum. */
  files: z.record(z.string(), file),
  /** How it was proven. */
  proof: z.object({
    restored: z.boolean(),
    counted: z.boolean(),
    /** Of every collection that has points, some were compared with the live Qdrant's, and answers to queries. */
    sampled: z.boolean(),
    /** The archives were read to their end as they were written. */
    read: z.boolean(),
  }),
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
  return manifestSchema.parse(current(JSON.parse(text)));
}

/** What a manifest of an older version says in the form of today's; anything else as it is. */
export function current(value: unknown): unknown {
  const old = manifest1.safeParse(value);
  return old.success ? upgraded(old.data) : value;
}

/** The first version, as far as it lacks something. */
const manifest1 = z.looseObject({
  schema: z.literal(1),
  qdrant: z.looseObject({ storage: z.looseObject({}) }).nullable(),
  uploads: z.looseObject({}),
  proof: z.looseObject({}),
});

function upgraded(old: z.infer<typeof manifest1>): object {
  const { qdrant, uploads, proof } = old;
  return {
    ...old,
    schema: 2,
    qdrant: qdrant === null ? null : { ...qdrant, storage: { ...qdrant.storage, digest: "" } },
    uploads: { ...uploads, digest: "", listing: null, from: "" },
    index: null,
    proof: { ...proof, sampled: false, read: false },
  };
}

/** The text of `manifest.sha256`, as `sha256sum manifest.json` prints it. */
export function manifestSum(sha256: string): string {
  return `${sha256}  manifest.json\n`;
}

/** Its Qdrant data was restored into a scratch Qdrant and counted there; without any there is nothing to restore. */
export function wasRestored({ qdrant, proof }: Manifest): boolean {
  return qdrant === null || (proof.restored && proof.counted);
}

/**
 * It was restored, and its archives were read to their end: what a deploy goes on with. That it was `sampled` as well is told
 * apart: where users wrote every point that was looked at, or no Qdrant ran, there was nothing to compare.
 */
export function isProven(manifest: Manifest): boolean {
  return wasRestored(manifest) && manifest.proof.read;
}

/** See `proof.sampled`. */
export function wasSampled(collections: Readonly<Record<string, CollectionRecord>>): boolean {
  const held = Object.values(collections).filter(({ points }) => points > 0);
  return held.length > 0 && held.every(({ sampled }) => (sampled?.points ?? 0) > 0);
}

/** Bytes that the files of an archive take where they are unpacked; of an old backup, with all their zeros. */
export function storedBytes({ bytes, stored }: Pick<ArchiveRecord, "bytes" | "stored">): number {
  return stored ?? bytes;
}
