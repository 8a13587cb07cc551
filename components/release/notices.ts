/** What a person should know of a plan before agreeing to it. Pure. */
import { settingsDiff } from "../settings/recorded.js";
import { canaryNotices } from "./canary.js";
import { dataNotices } from "./data-rules.js";
import type { Plan, ReleaseRecord } from "./model.js";
import { qdrantNotices } from "./qdrant-change.js";
import { versionNotices } from "./qdrant-version.js";

/** In words; going back comes first. */
export function noticesOf(plan: Plan, ledger: readonly ReleaseRecord[], images: ReadonlySet<string>): string[] {
  const present = ledger.at(-1) ?? null;
  return [...canaryNotices(plan), ...goingBack(plan, present), ...dataNotices(plan, ledger), ...versionNotices(plan, present), ...qdrantNotices(plan, present), ...changed(plan, present), ...removed(plan, ledger), ...rebuilt(plan, plan.step === "unchanged" ? ledger.slice(-1) : ledger, images)];
}

function goingBack(plan: Plan, present: ReleaseRecord | null): string[] {
  if (present === null || plan.step === "unchanged" || (!plan.older && plan.kind !== "rollback")) {
    return [];
  }
  const { tag, revision } = plan.serving;
  const notices = [tag === present.tag ? `ROLLBACK of ${tag}: ${present.revision} -> ${revision}` : `ROLLBACK ${present.tag} -> ${tag}`];
  if (plan.kind !== "rollback") {
    notices.push(`${tag} is older than ${present.tag}, but was never released to this stack`);
  }
  return notices;
}

/** Settings other than those of what runs; the version has been named. */
function changed(plan: Plan, present: ReleaseRecord | null): string[] {
  if (present === null || plan.step === "unchanged") {
    return [];
  }
  const differences = settingsDiff(present.settings, plan.serving.settings).filter((line) => !line.startsWith("version: "));
  return differences.length === 0 ? [] : [`changes settings: ${differences.join("; ")}`];
}

/** What the ledger gets when the update has succeeded; null where the present release stays. */
export function entryOf({ step, seq, serving, kind, rollbackTo }: Plan): string | null {
  const back = rollbackTo === null ? "" : `; a rollback then goes to ${rollbackTo}`;
  return step === "unchanged" ? null : `the ledger gets release ${seq}: ${serving.tag} (${serving.revision}), ${kind}${back}`;
}

/** Releases whose containers are there and will not be after this update. */
function removed(plan: Plan, ledger: readonly ReleaseRecord[]): string[] {
  const stays = new Set([plan.serving.revision, plan.former?.revision]);
  return declaredBy(ledger)
    .filter((record) => !stays.has(record.revision))
    .map((record) => `removes the containers of ${record.tag} (${record.revision})`);
}

/** What the last update declared: the release that serves, and the former one if it was kept. */
export function declaredBy(ledger: readonly ReleaseRecord[]): ReleaseRecord[] {
  const [present, former] = [ledger.at(-1), ledger.at(-2)];
  return [...(present === undefined ? [] : [present]), ...(former === undefined || present?.formerFinished === true ? [] : [former])];
}

/** A recorded image that is gone is built again, and what comes out need not be what ran. */
function rebuilt(plan: Plan, records: readonly ReleaseRecord[], images: ReadonlySet<string>): string[] {
  const { image, commit, tag } = plan.serving;
  const lost = records.findLast((record) => record.commit === commit && !images.has(record.imageId));
  if (image.origin === "recorded" || lost === undefined) {
    return [];
  }
  return [`the image that ${tag} ran as (${lost.imageId.slice(0, 19)}) is gone: it is built again from commit ${commit.slice(0, 12)}; base images and packages may be newer than they were`];
}
