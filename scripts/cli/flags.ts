import { errors } from "../../components/runtime/errors.js";
import { sharesOf } from "./canary.js";
import type { DeployOptions } from "./deploy.js";

export interface RawDeployFlags {
  version?: string;
  backup?: boolean;
  withBackup?: boolean;
  reason?: string;
  skipChecklist?: string;
  dryRun?: boolean;
  yes?: boolean;
  wait?: number;
  watch?: boolean;
  detach?: boolean;
  /** True without shares. */
  canary?: string | true;
}

/**
 * Options that go together, checked together. Pure.
 *
 * @throws ReleaseError `usage`
 */
export function deployOptions(flags: RawDeployFlags): DeployOptions {
  const without = flags.backup === false;
  if (without && flags.withBackup === true) {
    throw errors.usage({ why: "--with-backup and --no-backup contradict each other", next: "say one of them" });
  }
  if (without && (flags.reason ?? "").trim() === "") {
    throw errors.usage({ why: "--no-backup needs a reason: it is recorded with the release", next: 'add --reason "why"' });
  }
  if (!without && flags.reason !== undefined) {
    throw errors.usage({ why: "--reason says why there is no backup, and one is taken", next: "add --no-backup or leave --reason out" });
  }
  if (flags.watch === false && flags.detach === true) {
    throw errors.usage({ why: "--detach is about the watch, and --no-watch wants none", next: "say one of them" });
  }
  if (flags.skipChecklist?.trim() === "") {
    throw errors.usage({ why: "--skip-checklist needs a reason: it is recorded with the release", next: 'say why: --skip-checklist "reason"' });
  }
  return {
    watch: flags.watch !== false,
    detach: flags.detach === true,
    dryRun: flags.dryRun === true,
    yes: flags.yes === true,
    waitMs: flags.wait ?? 0,
    ...(flags.version === undefined ? {} : { version: flags.version }),
    ...(flags.skipChecklist === undefined ? {} : { skipChecklistReason: flags.skipChecklist.trim() }),
    ...(flags.canary === undefined ? {} : { canary: sharesOf(flags.canary) }),
    ...(without ? { noBackupReason: (flags.reason ?? "").trim() } : {}),
  };
}
