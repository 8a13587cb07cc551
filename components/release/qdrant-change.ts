/**
 * A change of Qdrant: another container under its name would interrupt every search, and a Qdrant that is given another's volume
 * may change it for good. So each gets data of its own, made from the backup that its update takes. Pure.
 */
import type { RecordedSettings } from "../settings/schema.js";
import type { Plan, Problem, ReleaseRecord } from "./model.js";
import { present } from "./ledger.js";

/** What a Qdrant is started with: its settings, and the digest of its API key. */
export interface QdrantSpec {
  qdrant: RecordedSettings["qdrant"];
  /** "" for none. */
  key: string;
}

/** Names that {@link ownGeneration} gives. */
export const OWN_GENERATION = /^g\d+(?:-\d+)?$/;

/** In words, what differs; nothing for memory, which is changed in place. */
export function qdrantChanges(last: Pick<ReleaseRecord, "settings" | "qdrantKey">, { qdrant, key }: QdrantSpec): string[] {
  const before = last.settings.qdrant;
  const settings = (["image", "cpus"] as const).filter((name) => before[name] !== qdrant[name]).map((name) => `qdrant.${name}: ${before[name]} -> ${qdrant[name]}`);
  return last.qdrantKey === key ? settings : [...settings, "qdrant.apiKey"];
}

/**
 * Name of the data that a release makes for its Qdrant: what a failed attempt left is never taken for what the next one makes.
 * @param seq of the release
 * @param live the generation that serves: a stopped update of this release may have moved to it already, and it is gone on with
 * @param taken generations whose volumes are there
 */
export function ownGeneration(seq: number, live: string | null, taken: ReadonlySet<string>): string {
  const base = `g${seq}`;
  if (live !== null && (live === base || live.startsWith(`${base}-`))) {
    return live;
  }
  let name = base;
  for (let attempt = 2; taken.has(name); attempt += 1) {
    name = `${base}-${attempt}`;
  }
  return name;
}

/** Whether this plan's release makes data of its own from the backup that its update takes. */
export function copiesData({ restore, step }: Pick<Plan, "restore" | "step">): boolean {
  return restore !== null && restore.from === null && step !== "unchanged";
}

/** @param key digest of today's API key */
export function qdrantProblems(plan: Plan, key: string, ledger: readonly ReleaseRecord[]): Problem[] {
  const last = present(ledger);
  if (last === null) {
    return [];
  }
  const changes = qdrantChanges(last, { qdrant: plan.serving.settings.qdrant, key });
  if (changes.length > 0 && plan.serving.storage.qdrant === last.storage.qdrant) {
    return [{
      subject: "pbjrag:data",
      what: `keeps Qdrant's data in generation ${last.storage.qdrant}, and the change of Qdrant (${changes.join(", ")}) makes a generation of its own`,
      next: "do one after the other: first without the change of Qdrant, then remove the key (pulumi config rm pbjrag:data) and change Qdrant",
    }];
  }
  if (copiesData(plan) && plan.backup.skipReason !== "") {
    return [{
      subject: "pbjrag:backup.skipReason",
      what: `leaves no backup, and the change of Qdrant (${changes.join(", ")}) is made from the one that this update takes`,
      next: "take the reason back (--with-backup, or pulumi config rm --path pbjrag:backup.skipReason), or leave Qdrant as it is",
    }];
  }
  return [];
}

/** What a person should know of a change of Qdrant. */
export function qdrantNotices(plan: Plan, last: ReleaseRecord | null): string[] {
  if (last === null || !copiesData(plan)) {
    return [];
  }
  const changes = qdrantChanges(last, { qdrant: plan.serving.settings.qdrant, key: plan.qdrantKey });
  return [`QDRANT changes (${changes.join(", ")}): pages are served all the time; what users write is refused from the backup until traffic has moved`];
}
