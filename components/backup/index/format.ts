import { z } from "zod";
import type { PointId } from "../../qdrant/json.js";
import { named } from "../../qdrant/named.js";

/**
 * `index.ndjson.gz`: what a backup holds, piece by piece, so that one can say what going back to it would lose without
 * restoring it. One entry a line: a head for each collection by name, followed by its points by id; then a head for the
 * uploads, followed by their files in the order of {@link comparePaths}. Pure.
 */
export type Entry = CollectionHead | PointEntry | UploadsHead | FileEntry;

/**
 * What a point's hash covers: `vectors` and payload, the `payload` alone, or nothing (`ids`: only which points there are).
 * Less is covered where more would cost too much: see {@link detailFor}.
 */
export const DETAILS = ["vectors", "payload", "ids"] as const;
export type Detail = (typeof DETAILS)[number];

export interface CollectionHead {
  type: "collection";
  name: string;
  detail: Detail;
  /** As Qdrant gives it. */
  config: Record<string, unknown>;
  /** Payload indexes by field. */
  payloadSchema: Record<string, unknown>;
  /** Sorted. */
  aliases: string[];
}

export interface PointEntry {
  type: "point";
  id: PointId;
  /** See hash.ts; "" where the detail is `ids`. */
  hash: string;
}

export interface UploadsHead {
  type: "uploads";
}

/** A regular file, or a link; directories are left out. */
export interface FileEntry {
  type: "file";
  /** Relative to the volume; bytes that are not UTF-8 are lone surrogates: see paths.ts. */
  path: string;
  /** Bytes; 0 for links. */
  size: number;
  /** Hex, of a regular file; otherwise `hardlink:` or `symlink:` and the target. */
  content: string;
}

const record = named(z.unknown());
const head = z.object({ collection: z.string(), detail: z.enum(DETAILS), config: record, payloadSchema: record, aliases: z.array(z.string()) });
const file = z.object({ path: z.string(), size: z.number().int().nonnegative(), content: z.string() });

/** The first line: the version of this form. */
export const FIRST_LINE = '{"index":1}';

/** Not an index, or one of a version that is not known here. */
export class IndexError extends Error {
  override readonly name = "IndexError";
}

/** One line, without its end. */
export function renderEntry(entry: Entry): string {
  switch (entry.type) {
    case "point":
      return JSON.stringify(entry.hash === "" ? [entry.id] : [entry.id, entry.hash]);
    case "file":
      return JSON.stringify({ path: entry.path, size: entry.size, content: entry.content });
    case "uploads":
      return '{"uploads":true}';
    case "collection": {
      const { name: collection, detail, config, payloadSchema, aliases } = entry;
      return JSON.stringify({ collection, detail, config, payloadSchema, aliases });
    }
  }
}

/** @throws IndexError */
export function parseEntry(line: string): Entry {
  const value = parsed(line);
  if (Array.isArray(value)) {
    const [id, hash = ""] = value as unknown[];
    if (typeof id === "string" && typeof hash === "string") return { type: "point", id, hash };
  }
  const asFile = file.safeParse(value);
  if (asFile.success) return { type: "file", ...asFile.data };
  const asHead = head.safeParse(value);
  if (asHead.success) {
    const { collection: name, ...rest } = asHead.data;
    return { type: "collection", name, ...rest };
  }
  if (line === '{"uploads":true}') return { type: "uploads" };
  throw new IndexError(`the index has a line that is none of its own: ${line.slice(0, 80)}`);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    throw new IndexError(`the index has a line that is no JSON: ${line.slice(0, 80)}`);
  }
}

/** Numbers in all vectors of a collection up to which they are hashed: about 20,000 points of 384 dimensions. */
const VECTORS_MAX = 8_000_000;
/** Points up to which payloads are hashed. */
const PAYLOADS_MAX = 1_000_000;
/** Numbers that a vector may have whose size its collection does not fix. */
const SPARSE = 256;
const MULTI = 32;

/** How closely a collection is indexed: its vectors too, its payloads only, or only which points it has. */
export function detailFor(points: number, config: Record<string, unknown>): Detail {
  if (points > PAYLOADS_MAX) return "ids";
  return points * numbersPerPoint(config) <= VECTORS_MAX ? "vectors" : "payload";
}

const dense = z.object({ size: z.number(), multivector_config: z.unknown().optional() });
const params = z.object({
  params: z.object({
    vectors: z.union([dense, z.record(z.string(), dense)]).nullish(),
    sparse_vectors: record.nullish(),
  }),
});

/** Vectors of a collection by name, "" for the unnamed one; [] where its configuration is of a form not known here. */
export function vectorNames(config: Record<string, unknown>): string[] {
  const known = params.safeParse(config);
  if (!known.success) return [];
  const { vectors, sparse_vectors: sparse } = known.data.params;
  const single = dense.safeParse(vectors);
  return [...(single.success ? [""] : Object.keys(vectors ?? {})), ...Object.keys(sparse ?? {})];
}

function numbersPerPoint(config: Record<string, unknown>): number {
  const known = params.safeParse(config);
  if (!known.success) return Infinity;
  const { vectors, sparse_vectors: sparse } = known.data.params;
  const single = dense.safeParse(vectors);
  const all = single.success ? [single.data] : Object.values((vectors ?? {}) as Record<string, z.infer<typeof dense>>);
  const numbers = all.reduce((sum, { size, multivector_config: multi }) => sum + size * (multi === undefined || multi === null ? 1 : MULTI), 0);
  return numbers + Object.keys(sparse ?? {}).length * SPARSE;
}
