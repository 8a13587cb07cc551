import { errors } from "../../components/runtime/errors.js";

/** `--no-backup --reason TEXT`, of every command that takes a backup first. */
export interface BackupFlags {
  backup?: boolean;
  withBackup?: boolean;
  reason?: string;
}

/**
 * Why no backup is to be taken; nothing where one is. Pure.
 *
 * @throws ReleaseError `usage`
 */
export function withoutBackup(flags: BackupFlags): { noBackupReason?: string } {
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
