import { z } from "zod";
import { named } from "./named.js";

/**
 * The parts of Qdrant's REST answers that are read here. Configuration and payload schema are kept as they came:
 * a backup's manifest records them whole, whatever a later version of Qdrant adds.
 */
const anything = named(z.unknown());

/** `GET /` */
export const versionAnswer = z.object({ title: z.string(), version: z.string(), commit: z.string().nullish() });

export const collectionList = z.object({ collections: z.array(z.object({ name: z.string() })) });

export const collectionInfo = z.object({
  /** `green`: ready; `yellow`: optimising; `grey`: optimisation waits for an update; `red`: damaged. */
  status: z.enum(["green", "yellow", "grey", "red"]),
  config: anything,
  payload_schema: anything.nullish().transform((schema) => schema ?? {}),
  /** From 1.18 on. */
  update_queue: z
    .object({
      /** Points that are there and not seen until they are optimised; told of collections with `prevent_unoptimized` only. */
      deferred_points: z.number().int().nonnegative().nullish(),
    })
    .nullish(),
});

export const countAnswer = z.object({ count: z.number().int().nonnegative() });

export const aliasList = z.object({ aliases: z.array(z.object({ alias_name: z.string(), collection_name: z.string() })) });

/** `GET /quotas`, from 1.19 on */
export const quotaStatus = z.object({ config: anything });

export const snapshotInfo = z.object({
  name: z.string().min(1),
  /** Without a zone, UTC. */
  creation_time: z.string().nullish(),
  /** Bytes. */
  size: z.number().int().nonnegative(),
  /** SHA-256 in hex; servers before 1.8 give none. */
  checksum: z.string().nullish(),
});

export const snapshotList = z.array(snapshotInfo);

export type QdrantVersion = z.infer<typeof versionAnswer>;
export type CollectionInfo = z.output<typeof collectionInfo>;
export type SnapshotInfo = z.infer<typeof snapshotInfo>;

export interface Alias {
  alias: string;
  collection: string;
}
