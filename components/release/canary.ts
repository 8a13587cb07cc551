/** A canary beside what serves: when config asks for one, what keeps it from being started, and what a person should know. Pure. */
import type { Settings } from "../settings/schema.js";
import { formatDuration } from "../settings/units.js";
import type { Plan, Problem, ReleaseRecord } from "./model.js";
import { qdrantChanges } from "./qdrant-change.js";

/**
 * The tag that is to be tried; null: none. While `version` is what serves, that stays as it was recorded and today's settings are the
 * canary's; a release and a rollback go without one, and naming the canary in `version` promotes it.
 */
export function canaryWanted({ canary, version, reapply, asReleased }: Settings, last: ReleaseRecord | null): string | null {
  const tag = canary.version;
  return tag === undefined || tag === version || last === null || version !== last.tag || reapply || asReleased !== "" ? null : tag;
}

/** @param key digest of today's API key of Qdrant */
export function canaryProblems({ canary, serving, former }: Plan, ledger: readonly ReleaseRecord[], key: string): Problem[] {
  const last = ledger.at(-1);
  if (canary === null || last === undefined) return [];
  const { tag, revision, settings, generation } = canary.revision;
  const refuse = (what: string, next: string): Problem[] => [{ subject: "pbjrag:canary.version", what, next }];
  if (canary.older) return refuse(`${tag} is older than ${serving.tag}, which serves`, `go back with scripts/rollback.sh ${tag}: that takes no canary`);
  if (ledger.findLast((record) => record.revision === revision)?.outcome === "abandoned") {
    return refuse(`${tag} was released here and left by a rollback`, `remove the key (pulumi config rm --path pbjrag:canary.version), or release ${tag} without a canary`);
  }
  if (revision === former?.revision) return refuse(`${tag} is the former release, which is still warm`, "run scripts/finish.sh first, or go back to it with scripts/rollback.sh");
  const changes = qdrantChanges(last, { qdrant: settings.qdrant, key });
  if (changes.length > 0) return refuse(`${tag} would need another Qdrant (${changes.join(", ")}), and a canary works on the data that serves`, "release it without a canary");
  if (generation !== last.generation) return refuse(`pbjrag:data names other data than ${serving.tag} serves, and a canary works on the same`, "do one after the other");
  return [];
}

/** What is tried, and on whom; canary-needed.ts tells what traffic it takes. */
export function canaryNotices({ canary, serving }: Plan): string[] {
  if (canary === null) return [];
  const { tag, revision } = canary.revision;
  const steps = canary.steps.map((step) => `${step} %`).join(", then ");
  return [`CANARY ${tag} (${revision}) beside ${serving.tag}: ${steps} of new users, judged for ${formatDuration(canary.durationMs)}${canary.steps.length > 1 ? " each" : ""}`];
}
