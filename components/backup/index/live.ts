import type { Readable } from "node:stream";
import type { QdrantClient } from "../../qdrant/client.js";
import { limitsOf } from "../../qdrant/limits.js";
import { under } from "../../qdrant/named.js";
import { fileEntries } from "./files.js";
import type { Detail, Entry } from "./format.js";
import { collectionHead, pointEntries } from "./points.js";

/**
 * What is there now, in the form of an index: for `lossOf`. Reads all of it; a page of points is in memory at a time.
 * @param details of the backup's index (its manifest's `index.details`): hashes of another detail cannot be compared
 * @param uploads Docker's archive of the volume, and the name that its entries begin with; null: there is no such volume
 */
export async function* liveEntries(
  qdrant: QdrantClient | null,
  details: Readonly<Record<string, Detail>>,
  uploads: { archive: Readable; base: string } | null,
): AsyncGenerator<Entry> {
  if (qdrant !== null) yield* collectionEntries(qdrant, details);
  yield { type: "uploads" };
  if (uploads !== null) yield* fileEntries(uploads.archive, uploads.base);
}

async function* collectionEntries(qdrant: QdrantClient, details: Readonly<Record<string, Detail>>): AsyncGenerator<Entry> {
  const aliases = await qdrant.aliases();
  for (const name of await qdrant.collections()) {
    const detail = under(details, name) ?? "ids";
    const info = await qdrant.collection(name);
    yield collectionHead(name, detail, info, aliases);
    yield* pointEntries(qdrant, name, detail, limitsOf(info.config));
  }
}
