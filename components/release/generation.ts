/** Which data a release runs on: the generation that serves, one from before, or a new one. Pure. */
import type { Settings } from "../settings/schema.js";
import { storageOf } from "./ledger.js";
import type { DataPart, ReleaseRecord, RestorePlan, Storage } from "./model.js";
import { FIRST_GENERATION } from "./names.js";

export interface DataChoice {
  generation: string;
  storage: Storage;
  /** As in {@link RestorePlan}, "" where none is named; means nothing for a generation that is there. */
  from: string | null;
}

/**
 * @param ledger oldest first
 * @param own generation for Qdrant's data that a change of Qdrant asks for; null: it is as it was
 */
export function chooseData(data: Settings["data"], ledger: readonly ReleaseRecord[], own: string | null): DataChoice {
  const last = ledger.at(-1);
  const present: DataChoice = { generation: last?.generation ?? FIRST_GENERATION, storage: last?.storage ?? storageOf(FIRST_GENERATION), from: "" };
  const { generation, restoreFrom = "", only } = data;
  if (generation === undefined && own !== null) {
    return { generation: own, storage: { ...present.storage, qdrant: own }, from: null };
  }
  if (generation === undefined || generation === present.generation) {
    return present;
  }
  const known = knownGeneration(ledger, generation);
  if (known !== undefined) {
    return { generation, storage: known.storage, from: "" };
  }
  const part = (name: DataPart): string => (only === undefined || only === name ? generation : present.storage[name]);
  return { generation, storage: { qdrant: part("qdrant"), uploads: part("uploads") }, from: restoreFrom };
}

/** The newest release that ran on a generation. */
export function knownGeneration(ledger: readonly ReleaseRecord[], generation: string): ReleaseRecord | undefined {
  return ledger.findLast((record) => record.generation === generation);
}

/**
 * How a release's data comes to be there; null: it is there already.
 * @param before the releases before it
 * @param deadlineMs of a backup: reading one back takes no longer than making it
 */
export function restorePlan({ generation, storage, from }: DataChoice, before: readonly ReleaseRecord[], deadlineMs: number): RestorePlan | null {
  if (generation === FIRST_GENERATION || knownGeneration(before, generation) !== undefined) {
    return null;
  }
  const parts = (["qdrant", "uploads"] as const).filter((part) => storage[part] === generation);
  return { resource: `restore-${generation}`, generation, parts, from, deadlineMs };
}

/** The choice that a record says was made. */
export function recordedData({ generation, storage, restoredFrom, backup }: ReleaseRecord): DataChoice {
  return { generation, storage, from: restoredFrom === backup ? null : restoredFrom };
}
