import { type QdrantClient, QdrantError } from "./client.js";
import { limitsOf } from "./limits.js";
import { scroll } from "./points.js";

/** Ids of one answer, where points are counted one by one. */
const PAGE = 10_000;

/**
 * The exact number of points. A collection whose strict mode refuses exact counts is counted by scrolling through its ids.
 * @param timeoutMs milliseconds for each request
 * @throws QdrantError
 */
export async function countPoints(client: QdrantClient, collection: string, timeoutMs?: number): Promise<number> {
  try {
    return await client.count(collection, timeoutMs);
  } catch (error) {
    if (!(error instanceof QdrantError) || error.status !== 400) throw error;
    const { exact, page } = limitsOf((await client.collection(collection)).config);
    if (exact) throw error;
    return countByIds(client, collection, Math.min(PAGE, page));
  }
}

async function countByIds(client: QdrantClient, collection: string, limit: number): Promise<number> {
  let count = 0;
  let offset: string | null = null;
  do {
    const page = await scroll(client, collection, { offset, limit, payload: false, vectors: false });
    count += page.points.length;
    offset = page.next;
  } while (offset !== null);
  return count;
}
