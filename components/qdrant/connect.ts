import { containerEnv, inspect, publishedPort } from "../runtime/docker.js";
import { QdrantClient } from "./client.js";
import { countPoints } from "./count.js";
import { proveQdrant } from "./identity.js";

/**
 * A client of the Qdrant in one of our containers: through its published port, with the key that the container was given.
 * @throws ReleaseError containerMissing, elsewhere; Error when it does not run
 */
export async function connectTo(container: string): Promise<QdrantClient> {
  const info = await inspect(container);
  const port = publishedPort(info, 6333);
  if (port === null) throw new Error(`Qdrant (container ${container}) does not run`);
  const [baseUrl, apiKey] = [`http://127.0.0.1:${port}`, containerEnv(info).QDRANT__SERVICE__API_KEY ?? ""];
  await proveQdrant(info, baseUrl, apiKey);
  return new QdrantClient({ baseUrl, apiKey: apiKey || undefined });
}

/** Exact points of each collection. */
export async function countAll(client: QdrantClient): Promise<Record<string, number>> {
  const counts: [string, number][] = [];
  for (const name of await client.collections()) counts.push([name, await countPoints(client, name)]);
  return Object.fromEntries(counts);
}
