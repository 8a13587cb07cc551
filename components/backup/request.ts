import type { BackupPlan, RecordedSettings } from "../release/model.js";
import type { BackupRequest } from "./model.js";

/** The names that a backup needs; `StackNames` has them. */
export interface BackupNames {
  readonly network: string;
  qdrantVolume(generation: string): string;
  uploadsVolume(generation: string): string;
  qdrantContainer(generation: string): string;
}

/** The part of a plan that a backup needs. */
export interface BackupSubject {
  readonly stack: string;
  readonly backup: Omit<BackupPlan, "resource" | "triggers">;
  readonly serving: { readonly settings: RecordedSettings };
}

/**
 * What the backup of this plan is to do. Pure and stable: planning again gives the same, so that an update without a change
 * takes no second backup. Secrets are left out: the key is read from Qdrant's own container when it is needed.
 */
export function backupRequest(plan: BackupSubject, settings: { readonly dataDir: string }, names: BackupNames): BackupRequest {
  const { stack, backup, serving } = plan;
  return {
    stack,
    kind: backup.kind,
    of: backup.of,
    before: backup.before,
    skipReason: backup.skipReason,
    dataDir: settings.dataDir,
    qdrantVolume: names.qdrantVolume(backup.storage.qdrant),
    uploadsVolume: names.uploadsVolume(backup.storage.uploads),
    qdrantImage: backup.qdrantImage,
    qdrantContainer: names.qdrantContainer(backup.storage.qdrant),
    network: names.network,
    scratch: backup.scratch,
    deadlineMs: backup.deadlineMs,
    ...(backup.pause === null ? {} : { pause: backup.pause }),
    settings: withoutToken(backup.settings ?? serving.settings),
  };
}

/** A repository's address may carry a token; who restores has one of their own. */
function withoutToken(settings: RecordedSettings): Record<string, unknown> {
  return { ...settings, source: settings.source.replace(/^(https?:\/\/)[^/@]+@/, "$1") };
}
