import { isDeepStrictEqual } from "node:util";
import { type QdrantClient, QdrantError } from "./client.js";
import { limitsOf, UNLIMITED } from "./limits.js";

/**
 * Does something to a collection of a Qdrant of our own while its strict mode does not hold, and makes it hold again: reading every point under
 * its users' rate limit can take hours. The same flag is set as before, and nothing else of the configuration changes.
 * @param config the collection's, as Qdrant gives it
 * @throws QdrantError `answer` where the configuration is not as it was afterwards
 */
export async function withoutLimits<T>(client: QdrantClient, collection: string, config: Record<string, unknown>, work: () => Promise<T>): Promise<T> {
  if (limitsOf(config) === UNLIMITED) return work();
  await client.setStrictMode(collection, false);
  const done = await work();
  await client.setStrictMode(collection, true);
  const { config: after } = await client.collection(collection);
  if (isDeepStrictEqual(after, config)) return done;
  throw new QdrantError("the scratch Qdrant", "answer", `PATCH /collections/${collection}`, null, "its strict mode was switched off and on, and its configuration is another one now");
}
