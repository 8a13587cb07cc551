import { createHash } from "node:crypto";
import { messageOf } from "../runtime/errors.js";
import { renderEntry } from "./index/format.js";
import { readIndex } from "./index/store.js";
import type { Manifest } from "./manifest.js";
import { FILES } from "./names.js";

/**
 * What is wrong with the index of a backup whose files have the manifest's sums: it must list what the archives hold, as previews of what
 * would be lost go by it.
 */
export async function indexProblems(directory: string, { qdrant, uploads, index }: Manifest): Promise<string[]> {
  if (index === null) return [];
  const hash = createHash("sha256");
  const points = new Map<string, number>();
  let collection = "";
  try {
    for await (const entry of readIndex(directory)) {
      if (entry.type === "file") hash.update(`${renderEntry(entry)}\n`);
      if (entry.type === "collection") {
        collection = entry.name;
        points.set(collection, 0);
      }
      if (entry.type === "point") points.set(collection, (points.get(collection) ?? 0) + 1);
    }
  } catch (error) {
    return [`${FILES.index} cannot be read: ${messageOf(error)}`];
  }
  const held = new Map(Object.entries(qdrant?.collections ?? {}).map(([name, record]) => [name, record.points]));
  return [
    ...[...held].filter(([name, count]) => points.get(name) !== count).map(([name, count]) => `${FILES.index} lists ${points.get(name) ?? "no"} points of collection ${name}, and the manifest says ${count}`),
    ...[...points.keys()].filter((name) => !held.has(name)).map((name) => `${FILES.index} lists collection ${name}, which the manifest does not have`),
    ...(uploads.digest === "" || hash.digest("hex") === uploads.digest ? [] : [`${FILES.index} lists other uploads than the manifest says`]),
  ];
}
