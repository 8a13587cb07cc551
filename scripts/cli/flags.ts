import { errors } from "../../components/runtime/errors.js";
import { type BackupFlags, withoutBackup } from "./backup-flags.js";
import { sharesOf } from "./canary.js";
import type { DeployOptions } from "./deploy.js";

export interface RawDeployFlags extends BackupFlags {
  version?: string;
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
  const backup = withoutBackup(flags);
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
    ...backup,
  };
}
