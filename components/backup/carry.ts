import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { QdrantClient } from "../qdrant/client.js";
import { named } from "../qdrant/named.js";
import type { TaskContext } from "./context.js";

const fanOut = z.object({ read_fan_out_factor: z.number().nullish(), read_fan_out_delay_ms: z.number().nullish() });
const params = z.object({ params: fanOut });

/**
 * Makes again in the scratch what no collection's snapshot holds (read in Qdrant 1.19.0), so that its storage has it: how reads fan out to
 * replicas, and node-wide quotas, last, as they may refuse what is written.
 * @param collections names
 */
export async function carrySettings(context: Pick<TaskContext, "say">, live: QdrantClient, scratch: QdrantClient, collections: readonly string[]): Promise<void> {
  for (const name of collections) {
    const [here, there] = [await fanOutOf(live, name), await fanOutOf(scratch, name)];
    if (!isDeepStrictEqual(here, there)) await scratch.setParams(name, here);
  }
  const quotas = await live.quotas();
  if (quotas === null || isDeepStrictEqual(quotas, await scratch.quotas())) return;
  await scratch.setQuotas(quotas);
  context.say("Qdrant's node-wide quotas are saved as well", { quotas });
}

/** Only what is set. */
async function fanOutOf(client: QdrantClient, name: string): Promise<Record<string, number>> {
  const known = params.safeParse((await client.collection(name)).config);
  return named(z.number()).parse(Object.fromEntries(Object.entries(known.success ? known.data.params : {}).filter(([, value]) => typeof value === "number")));
}
