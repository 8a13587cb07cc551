/** Questions to the list of releases. Pure; order is by `seq`, never by time. */
import { isDeepStrictEqual } from "node:util";
import semver from "semver";
import { versionOf } from "../source/tags.js";
import type { ReleaseRecord } from "./model.js";

type Target = Pick<ReleaseRecord, "revision" | "tag" | "commit">;
type Release = Pick<ReleaseRecord, "revision" | "tag" | "commit" | "generation" | "settings">;

/**
 * Where a plain rollback goes: the newest earlier release that differs from the present one and was not left by a rollback.
 * Of several records of one release the newest counts.
 * @param past records before the present one
 */
export function rollbackTarget(past: readonly ReleaseRecord[], present: Release): ReleaseRecord | null {
  const seen = [present];
  for (const record of [...past].reverse()) {
    if (!seen.some((other) => sameRelease(record, other)) && record.outcome !== "abandoned") {
      return record;
    }
    seen.push(record);
  }
  return null;
}

/** A plain rollback keeps the data: what differs in nothing but its data is where one is already. */
function sameRelease(a: Release, b: Release): boolean {
  const same = a.tag === b.tag && a.commit === b.commit && isDeepStrictEqual(a.settings.app, b.settings.app);
  return a.revision === b.revision || (same && a.generation !== b.generation);
}

/** Whether a target was here before, and what it is to the one that serves. */
export interface Relation {
  /** Released here before, as this revision or as this commit. */
  known: boolean;
  /** A version, or a place in the ledger, before the present one's; of the same commit: never. */
  older: boolean;
  /** Going to it is going back: it was here before and comes before the present one. */
  back: boolean;
}

export function relationOf(target: Target, past: readonly ReleaseRecord[]): Relation {
  const present = past.at(-1);
  if (present === undefined) {
    return { known: false, older: false, back: false };
  }
  if (target.commit === present.commit) {
    // The same code under other settings: back only if exactly this was here, and first.
    const known = past.some((record) => record.revision === target.revision);
    return { known, older: false, back: known && firstSeq(past, (r) => r.revision === target.revision) < firstSeq(past, (r) => r.revision === present.revision) };
  }
  const known = past.some((record) => record.commit === target.commit);
  const order = compareVersions(target.tag, present.tag);
  const before = known && firstSeq(past, (r) => r.commit === target.commit) < firstSeq(past, (r) => r.commit === present.commit);
  const older = order === 0 ? before : order < 0;
  return { known, older, back: known && older };
}

function firstSeq(past: readonly ReleaseRecord[], matches: (record: ReleaseRecord) => boolean): number {
  return past.find(matches)?.seq ?? 0;
}

/** Below 0: `a` is the earlier version. 0 also where one of them is no version. */
function compareVersions(a: string, b: string): number {
  const [first, second] = [versionOf(a), versionOf(b)];
  return first === null || second === null ? 0 : semver.compare(first, second);
}
