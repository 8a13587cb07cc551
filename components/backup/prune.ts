import path from "node:path";
import { dockerCallOrNull } from "../runtime/docker.js";
import { messageOf } from "../runtime/errors.js";
import type { DataPaths } from "../runtime/paths.js";
import type { Retained } from "./retention.js";
import { removeUnfinished } from "./sweep.js";

export interface Pruning {
  paths: DataPaths;
  /** Distinguishes what this process renames from what another did. */
  token: string;
  /** False once the operator has asked to stop: what is not removed by then stays. */
  goOn(): boolean;
  /** @throws when this run no longer holds the stack's lock: then a backup may be under way */
  assertHolds(): void;
}

export interface Pruned {
  removed: Retained[];
  failed: { item: Retained; why: string }[];
}

/** Removes these, one after another; one that cannot be removed keeps none of the others. @throws what `assertHolds` throws */
export async function prune(items: readonly Retained[], pruning: Pruning): Promise<Pruned> {
  const pruned: Pruned = { removed: [], failed: [] };
  for (const item of items) {
    if (!pruning.goOn()) break;
    pruning.assertHolds();
    try {
      await remove(item, pruning);
      pruned.removed.push(item);
    } catch (error) {
      pruned.failed.push({ item, why: messageOf(error) });
    }
  }
  return pruned;
}

/** Docker itself refuses what is in use by now; what is gone already is fine. */
async function remove({ kind, name }: Retained, { paths, token }: Pruning): Promise<void> {
  if (kind === "backup") return removeUnfinished(path.join(paths.backups, name), token);
  if (kind === "image") await dockerCallOrNull(`remove image ${name}`, (client, abortSignal) => client.getImage(name).remove({ abortSignal }));
  else await dockerCallOrNull(`remove volume ${name}`, (client, abortSignal) => client.getVolume(name).remove({ abortSignal }));
}
