import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Qdrant } from "../qdrant/qdrant.js";
import type { Settings } from "../settings/schema.js";
import type { DataPart, Plan, Storage } from "./model.js";
import { FIRST_GENERATION, type StackNames } from "./names.js";

/** Where one release finds its data. */
export interface Store {
  readonly qdrant: docker.Container;
  readonly uploadsVolume: docker.Volume;
}

export interface StoresArgs {
  readonly plan: Plan;
  /** Today's. */
  readonly settings: Pick<Settings, "qdrant" | "adopt">;
  readonly names: StackNames;
  readonly network: pulumi.Input<string>;
  readonly parent: pulumi.Resource;
  /** Everything waits for it: the backup, or the end of what had the volumes before. */
  readonly ready: pulumi.Resource;
  /** What makes the volumes of the generation that is new; null: none is. */
  readonly restore: pulumi.Resource | null;
}

/** Every generation of data that the serving release or the former one runs on; the former's Qdrant stays as recorded. */
export class Stores {
  private readonly generations = new Map<string, Qdrant>();

  constructor({ plan, settings, names, network, parent, ready, restore }: StoresArgs) {
    const { serving, former } = plan;
    for (const [generation, parts] of partsInUse([serving.storage, ...(former === null ? [] : [former.storage])])) {
      const ofFormer = former !== null && former.storage.qdrant === generation && serving.storage.qdrant !== generation;
      const args = {
        stack: plan.stack, names, generation, parts, network,
        settings: ofFormer ? former.settings : settings,
        keepEnv: ofFormer || plan.asRecorded,
        adopted: settings.adopt !== undefined && generation === FIRST_GENERATION,
      };
      const name = generation === FIRST_GENERATION ? "qdrant" : `qdrant-${generation}`;
      this.generations.set(generation, new Qdrant(name, args, { parent, dependsOn: restore !== null && generation === plan.restore?.generation ? [ready, restore] : ready }));
    }
  }

  of(storage: Storage): Store {
    const qdrant = this.generations.get(storage.qdrant)?.container;
    const uploadsVolume = this.generations.get(storage.uploads)?.uploadsVolume;
    if (!qdrant || !uploadsVolume) throw new Error(`no volumes are declared for the data in ${storage.qdrant} and ${storage.uploads}`);
    return { qdrant, uploadsVolume };
  }
}

/** What of each generation these releases use. Pure. */
export function partsInUse(storages: readonly Storage[]): Map<string, DataPart[]> {
  const inUse = new Map<string, DataPart[]>();
  for (const storage of storages) {
    for (const part of ["qdrant", "uploads"] as const) {
      const parts = inUse.get(storage[part]) ?? [];
      inUse.set(storage[part], parts.includes(part) ? parts : [...parts, part]);
    }
  }
  return inUse;
}
