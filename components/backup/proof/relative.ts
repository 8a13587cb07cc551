import { z } from "zod";

const sparse = z.object({ modifier: z.string().nullish(), index: z.object({ datatype: z.string().nullish() }).nullish() }).nullish();
const params = z.object({ params: z.object({ sparse_vectors: z.record(z.string(), sparse).nullish() }) });

/**
 * Whether the scores of a vector depend on points besides those that are asked about, so that any write changes them: of a sparse vector with
 * `modifier: idf` on how many points have a word (hybrid search with BM25), and of one whose index keeps bytes on the range of all weights
 * (read in Qdrant 1.19.0). Pure.
 * @param config a collection's, as Qdrant gives it
 */
export function scoresAreRelative(config: Record<string, unknown>, using: string): boolean {
  const known = params.safeParse(config);
  const all = known.success ? (known.data.params.sparse_vectors ?? {}) : {};
  const vector = Object.hasOwn(all, using) ? all[using] : undefined;
  return (vector?.modifier ?? "none") !== "none" || vector?.index?.datatype === "uint8";
}
