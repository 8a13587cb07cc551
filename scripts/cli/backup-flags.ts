import { Option } from "commander";
import { errors } from "../../components/runtime/errors.js";

/** `--no-backup --reason TEXT`, of every command that takes a backup first. */
export interface BackupFlags {
  backup?: boolean;
  withBackup?: boolean;
  reason?: string;
}

/** What comes of them. */
export interface BackupChoice {
  /** Why no backup is taken first; absent: one is. */
  noBackupReason?: string;
}

export const noBackupOption = (): Option => new Option("--no-backup", "take none first, as where Qdrant is too ill for one; needs --reason, which is recorded");

export const reasonOption = (): Option => new Option("--reason <text>", "why there is no backup");

/**
 * Why no backup is to be taken; nothing where one is. Pure.
 *
 * @throws ReleaseError `usage`
 */
export function withoutBackup(flags: BackupFlags): BackupChoice {
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
  return without ? { noBackupReason: (flags.reason ?? "").trim() } : {};
}
