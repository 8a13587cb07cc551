import { isDeepStrictEqual } from "node:util";
import type { Found } from "../../qdrant/points.js";
import type { CollectionInfo } from "../../qdrant/schema.js";
import { BackupProblem } from "../problem.js";

/** What came back differs from what is in the live Qdrant: with writers at work, worth one more try. */
export class Mismatch extends BackupProblem {}

/** Parts of a collection's configuration that decide what is stored and found. */
const DECISIVE = ["params.vectors", "params.sparse_vectors", "params.on_disk_payload", "hnsw_config", "quantization_config"] as const;

/** Scores are 32-bit numbers: how much two sums of the same products may differ, to their size. */
const TOLERANCE = 1e-5;

/**
 * Compares a collection as it was restored with the live one: its points by their counts, its payload indexes, and the part
 * of its configuration that decides what is stored and found.
 * @param counts.deferred points that may be seen in one and not in the other
 * @throws Mismatch
 */
export function assertSame(
  name: string,
  counts: { before: number; after: number; points: number; deferred: number },
  live: CollectionInfo,
  restored: CollectionInfo,
): void {
  const { before, after, points, deferred } = counts;
  const [low, high] = [Math.min(before, after), Math.max(before, after)];
  if (points < low - deferred || points > high + deferred) {
    const had = low === high ? String(low) : `${low} to ${high}`;
    throw new Mismatch("count", `collection ${name} has ${points} points in the scratch Qdrant and ${had} in the live one`);
  }
  if (restored.status === "red") throw new Mismatch("damaged", `collection ${name} has status red in the scratch Qdrant`);
  const [ours, theirs] = [indexes(live), indexes(restored)];
  if (!isDeepStrictEqual(ours, theirs)) throw new Mismatch("damaged", `collection ${name} has the payload indexes [${listed(theirs)}] in the scratch Qdrant and [${listed(ours)}] in the live one`);
  const different = DECISIVE.filter((path) => !isDeepStrictEqual(at(live.config, path), at(restored.config, path)));
  if (different.length > 0) throw new Mismatch("damaged", `collection ${name} has another configuration in the scratch Qdrant than in the live one: ${different.join(", ")}`);
}

/** Other parts of the configuration that differ (tuning, strictness): the manifest has the live one's, and nothing fails for them. */
export function otherDifferences(live: CollectionInfo, restored: CollectionInfo): string[] {
  const keys = new Set([...Object.keys(live.config), ...Object.keys(restored.config)]);
  const decided = new Set(DECISIVE.map((path) => path.split(".")[0] ?? ""));
  return [...keys].filter((key) => !decided.has(key) && !isDeepStrictEqual(at(live.config, key), at(restored.config, key))).sort();
}

/**
 * Whether two answers to one query say the same: the same points with the same scores. Where the last places are shared by
 * points of one score, which of them are named is no difference.
 */
export function sameAnswers(one: readonly Found[], other: readonly Found[]): boolean {
  if (one.length !== other.length) return false;
  const close = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
  if (!one.every(({ score }, place) => close(score, other[place]?.score ?? NaN))) return false;
  const last = one.at(-1)?.score ?? 0;
  const agrees = (those: readonly Found[], these: readonly Found[]): boolean => {
    const scores = new Map(these.map(({ id, score }) => [id, score]));
    return those.every(({ id, score }) => close(score, scores.get(id) ?? last));
  };
  return agrees(one, other) && agrees(other, one);
}

/** Whether two answers name the same points, whatever their scores: for answers that name every point that matches at all. */
export function sameMembers(one: readonly Found[], other: readonly Found[]): boolean {
  const ids = (found: readonly Found[]): string[] => found.map(({ id }) => id).sort();
  return isDeepStrictEqual(ids(one), ids(other));
}

/** By field, what each index is; how many points it has at the moment is left out. */
function indexes({ payload_schema: schema }: CollectionInfo): Map<string, unknown> {
  const known = Object.entries(schema).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(known.map(([field, index]) => [field, isRecord(index) ? pruned({ type: index.data_type, params: index.params }) : index]));
}

function listed(all: ReadonlyMap<string, unknown>): string {
  return [...all].map(([field, index]) => (isRecord(index) && typeof index.type === "string" ? `${field} (${index.type})` : field)).join(", ");
}

function at(config: Record<string, unknown>, path: string): unknown {
  return pruned(path.split(".").reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), config));
}

/** Without what is null or empty: a setting that was never made is given as null by one version, and left out by another. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  if (!isRecord(value)) return value ?? undefined;
  const kept = Object.entries(value).flatMap(([key, inner]) => {
    const rest = pruned(inner);
    return rest === undefined ? [] : [[key, rest] as const];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
