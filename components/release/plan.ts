/**
 * Settings and ledger -> what one update is to do. Pure. A plan is derived from a target and the releases before it, by
 * the same steps whether the target is new or was recorded already: so planning again after a release changes nothing.
 */
import { type RecordedSettings, type Settings } from "../settings/schema.js";
import { toRecorded } from "../settings/recorded.js";
import { appEnv } from "./env.js";
import { stepsOf, thresholdsOf } from "../canary/rules.js";
import { relationOf, rollbackTarget } from "./history.js";
import { chooseData, type DataChoice, recordedData, restorePlan } from "./generation.js";
import { LEDGER_MAX, storageOf } from "./ledger.js";
import type { BackupPlan, PausePlan, Plan, ReleaseKind, ReleaseRecord, ResolvedSource, RevisionPlan } from "./model.js";
import { FIRST_GENERATION, stackNames, tagSlug } from "./names.js";
import { noticesOf } from "./notices.js";
import { pauseOf } from "./pause.js";
import { ownGeneration, qdrantChanges } from "./qdrant-change.js";
import { revisionName, type SecretDigests } from "./revision.js";

export interface PlanInput {
  stack: string;
  settings: Settings;
  secrets: SecretDigests;
  source: ResolvedSource;
  /** Of the canary that config asks for; null: of none. */
  candidate: ResolvedSource | null;
  /** Oldest first, as read. */
  ledger: readonly ReleaseRecord[];
  /** IDs of recorded images that this host still has. */
  images: ReadonlySet<string>;
  /** The data generation that the front door leads to; null: to none. */
  live: string | null;
  /** Data generations whose volumes are there, made whole. */
  taken: ReadonlySet<string>;
}

/** What serves after the update, whether it is new or recorded. */
interface Target extends DataChoice {
  source: Pick<ResolvedSource, "tag" | "commit" | "tagObject" | "context">;
  revision: string;
  settings: RecordedSettings;
  attempt: string;
  qdrantKey: string;
  formerFinished: boolean;
  /** Null for a new release. */
  record: ReleaseRecord | null;
}

/** @throws RangeError for `reapply` with an empty ledger: rules.ts reports that before */
export function planRelease(input: PlanInput): Plan {
  const { settings, ledger } = input;
  const last = ledger.at(-1) ?? null;
  if (settings.reapply) {
    if (last === null) {
      throw new RangeError("there is no release to apply again");
    }
    return derive(input, recordedTarget(last, settings, last.settings, input.source.context), ledger.slice(0, -1), true);
  }
  if (input.candidate !== null && last !== null) {
    return planCanary(input, last, input.candidate);
  }
  const target = newTarget(input, last);
  if (last === null || target.revision !== last.revision) {
    return derive(input, target, ledger, false);
  }
  // What a release was gated and backed up with is done: changing those settings must not repeat it.
  const kept = { ...target.settings, gate: last.settings.gate, backup: last.settings.backup };
  return derive(input, recordedTarget(last, settings, kept, input.source.context), ledger.slice(0, -1), false);
}

/** Planned as the release that it becomes when it is promoted: all that is made for it stays as it is then. */
function planCanary(input: PlanInput, last: ReleaseRecord, source: ResolvedSource): Plan {
  const { settings, ledger, images } = input;
  const plan = derive(input, recordedTarget(last, settings, last.settings, input.source.context), ledger.slice(0, -1), true);
  const target = newTarget({ ...input, settings: { ...settings, version: source.tag }, source }, last);
  const before = kept(ledger);
  const { back, older } = relationOf({ revision: target.revision, tag: source.tag, commit: source.commit }, before);
  const canary = {
    revision: servingPlan(input, target, before),
    backup: backupPlan(target, last, back, pauseOf(target.settings, last, null)),
    attempt: target.attempt, older,
    steps: stepsOf(settings.canary), durationMs: settings.canary.duration, synthetic: settings.canary.synthetic, onInsufficient: settings.canary.onInsufficient, thresholds: thresholdsOf(settings.canary),
  };
  return { ...plan, canary, notices: noticesOf({ ...plan, canary }, ledger, images) };
}

function newTarget(input: PlanInput, last: ReleaseRecord | null): Target {
  const { stack, source, secrets } = input;
  const settings = toRecorded(input.settings);
  const changes = last === null ? [] : qdrantChanges(last, { qdrant: settings.qdrant, key: secrets.qdrantKey });
  const own = last === null || changes.length === 0 ? null : ownGeneration(last.seq + 1, input.live, input.taken);
  const data = chooseData(input.settings.data, kept(input.ledger), own);
  const env = appEnv(settings, stackNames(stack).qdrantContainer(data.storage.qdrant));
  const revision = revisionName({ tag: source.tag, commit: source.commit, settings, env, secrets: secrets.app, generation: data.generation });
  return {
    source, revision, settings, ...data, attempt: input.settings.attempt, qdrantKey: secrets.qdrantKey,
    formerFinished: last !== null && !settings.keepWarm, record: null,
  };
}

function recordedTarget(record: ReleaseRecord, today: Settings, settings: RecordedSettings, context: string): Target {
  const finished = record.formerFinished || today.finish === record.revision || !settings.keepWarm;
  return {
    source: { tag: record.tag, commit: record.commit, tagObject: record.tagObject, context },
    revision: record.revision,
    settings,
    ...recordedData(record),
    attempt: record.attempt,
    qdrantKey: record.qdrantKey,
    formerFinished: record.seq > 1 && finished,
    record,
  };
}

/** The ledger keeps so many with the target's own record; a plan must not see what the next one will not. */
function kept(before: readonly ReleaseRecord[]): readonly ReleaseRecord[] {
  return before.slice(-(LEDGER_MAX - 1));
}

/** @param all the releases before the target's own record */
function derive(input: PlanInput, target: Target, all: readonly ReleaseRecord[], asRecorded: boolean): Plan {
  const { stack } = input;
  const before = kept(all);
  const identity = { revision: target.revision, tag: target.source.tag, commit: target.source.commit };
  const relation = relationOf(identity, before);
  const kind: ReleaseKind = target.record?.kind ?? (relation.back ? "rollback" : "deploy");
  const leaving = before.at(-1) ?? null;
  const past = kind === "rollback" && leaving !== null ? [...before.slice(0, -1), { ...leaving, outcome: "abandoned" as const }] : [...before];
  const restore = restorePlan(target, before, target.settings.backup.deadline);
  const serving = servingPlan(input, target, past);
  const former = leaving === null || target.formerFinished ? null : formerPlan(stack, leaving);
  const plan: Plan = {
    stack,
    step: target.record !== null ? "unchanged" : leaving === null ? "first" : kind,
    kind,
    serving,
    canary: null,
    former,
    formerAbandoned: kind === "rollback" || (leaving !== null && leaving.generation !== target.generation),
    formerFinished: target.formerFinished,
    backup: backupPlan(target, leaving, kind === "rollback" || (restore !== null && restore.from !== null), pauseOf(target.settings, leaving, restore)),
    restore,
    attempt: target.attempt,
    qdrantKey: target.qdrantKey,
    past,
    seq: target.record?.seq ?? (leaving?.seq ?? 0) + 1,
    rollbackTo: rollbackTarget(past, { ...identity, generation: target.generation, settings: target.settings })?.revision ?? null,
    older: target.record === null && relation.older,
    asRecorded,
    notices: [],
  };
  return { ...plan, notices: noticesOf(plan, input.ledger, input.images) };
}

function servingPlan({ stack, images }: PlanInput, target: Target, past: readonly ReleaseRecord[]): RevisionPlan {
  const { tag, commit, context } = target.source;
  const { dockerfile } = target.settings.app;
  const same = (record: ReleaseRecord): boolean => record.commit === commit && record.settings.app.dockerfile === dockerfile && images.has(record.imageId);
  // As recorded where there is a record; else whatever earlier release made this very image, newest first.
  const earlier = target.record === null ? past.findLast(same) : target.record.imageOrigin === "recorded" && images.has(target.record.imageId) ? target.record : undefined;
  const name = stackNames(stack).imageName(tag, commit);
  return {
    ...revisionPlan(stack, target.source, target),
    image:
      earlier === undefined
        ? { origin: "built", resource: `image-${tagSlug(tag)}-${commit.slice(0, 12)}`, name, context, dockerfile }
        : { origin: "recorded", name: earlier.imageName, id: earlier.imageId },
  };
}

/** As it was recorded, whatever config says today: under other settings its containers would be replaced. */
function formerPlan(stack: string, record: ReleaseRecord): RevisionPlan {
  return { ...revisionPlan(stack, record, record), image: { origin: "recorded", name: record.imageName, id: record.imageId } };
}

function revisionPlan(
  stack: string,
  { tag, commit, tagObject }: Pick<ResolvedSource, "tag" | "commit" | "tagObject">,
  { revision, settings, generation, storage }: Pick<Target, "revision" | "settings" | "generation" | "storage">,
): Omit<RevisionPlan, "image"> {
  const names = stackNames(stack);
  return {
    revision, tag, commit, tagObject, settings, generation, storage,
    replicas: Array.from({ length: settings.app.replicas }, (_value, at) => ({ name: names.appContainer(revision, at + 1), index: at + 1 })),
    env: appEnv(settings, names.qdrantContainer(storage.qdrant)),
  };
}

/** The data is that of the release that is left; its Qdrant wrote it. */
function backupPlan(target: Target, leaving: ReleaseRecord | null, goingBack: boolean, pause: PausePlan | null): BackupPlan {
  const { backup, qdrant } = target.settings;
  const { tag, commit } = target.source;
  return {
    resource: `backup-before-${tagSlug(tag)}`,
    kind: goingBack ? "pre-rollback" : "pre-deploy",
    triggers: [target.revision, target.attempt],
    of: leaving === null ? null : { tag: leaving.tag, commit: leaving.commit, revision: leaving.revision },
    before: { tag, commit, revision: target.revision },
    skipReason: backup.skipReason,
    settings: leaving?.settings ?? null,
    storage: leaving?.storage ?? storageOf(FIRST_GENERATION),
    qdrantImage: leaving?.settings.qdrant.image ?? qdrant.image,
    scratch: { cpus: backup.scratchCpus, memory: backup.scratchMemory },
    deadlineMs: backup.deadline,
    pause,
  };
}
