import type { QdrantClient } from "../../qdrant/client.js";
import type { PointId } from "../../qdrant/json.js";
import type { Limits } from "../../qdrant/limits.js";
import { scroll } from "../../qdrant/points.js";
import type { Alias, CollectionInfo } from "../../qdrant/schema.js";
import type { CollectionHead, Detail, PointEntry } from "./format.js";
import { pointHash } from "./hash.js";

/** Characters of an answer that a page should have: with it, memory stays bounded however large payloads are. */
const PAGE = 4_000_000;
const LIMIT = { first: 64, most: 10_000 } as const;

export function collectionHead(name: string, detail: Detail, info: Pick<CollectionInfo, "config" | "payload_schema">, aliases: readonly Alias[]): CollectionHead {
  return {
    type: "collection",
    name,
    detail,
    config: info.config,
    payloadSchema: info.payload_schema,
    aliases: aliases.filter(({ collection }) => collection === name).map(({ alias }) => alias).sort(),
  };
}

/**
 * Every point of a collection, by id. A page is in memory at a time.
 * @param limits the collection's, as long as they hold
 */
export async function* pointEntries(client: QdrantClient, collection: string, detail: Detail, limits: Pick<Limits, "page">): AsyncGenerator<PointEntry> {
  const most = Math.min(LIMIT.most, limits.page);
  let limit = Math.min(LIMIT.first, most);
  let offset: PointId | null = null;
  do {
    const page = await scroll(client, collection, { offset, limit, payload: detail !== "ids", vectors: detail === "vectors" });
    for (const point of page.points) yield { type: "point", id: point.id, hash: pointHash(point, detail) };
    offset = page.next;
    const each = page.size / Math.max(1, page.points.length);
    limit = Math.max(1, Math.min(most, Math.floor(PAGE / each)));
  } while (offset !== null);
}
