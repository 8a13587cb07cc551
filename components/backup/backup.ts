import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { engineTimeout } from "../runtime/allowance.js";
import { type BackupOutcome, backupOutcomeSchema } from "./model.js";
import { type BackupNames, backupRequest, type BackupSubject } from "./request.js";

export interface BackupArgs {
  readonly plan: BackupSubject & { readonly backup: { readonly resource: string; readonly triggers: string[] } };
  /** Today's: where backups go. */
  readonly settings: { readonly dataDir: string };
  readonly names: BackupNames;
}

export interface DeclaredBackup {
  /** Whatever this update changes depends on it. */
  readonly command: command.local.Command;
  /** Unknown in a preview that would take one. */
  readonly outcome: pulumi.Output<BackupOutcome>;
}

/**
 * Declares the backup before a release: taken when the resource is created or its triggers (revision, attempt) change.
 * It has no delete script: when it leaves the program its files stay, and retention is a matter of its own.
 */
export function declareBackup({ plan, settings, names }: BackupArgs, opts: pulumi.CustomResourceOptions): DeclaredBackup {
  const made = new command.local.Command(
    plan.backup.resource,
    {
      create: "node dist/components/backup/main.js",
      // The engine calls this when anything but the triggers changed, a deadline for one: what was taken stays as it is.
      update: 'printf "%s" "$PULUMI_COMMAND_STDOUT"',
      environment: { PBJRAG_BACKUP: JSON.stringify(backupRequest(plan, settings, names)) },
      triggers: plan.backup.triggers,
      // The one line on standard output is for the program; people read the other.
      logging: command.local.Logging.Stderr,
    },
    { ...opts, customTimeouts: { create: engineTimeout(plan.backup.deadlineMs) } },
  );
  return { command: made, outcome: made.stdout.apply(parseOutcome) };
}

/** @throws Error if it is not what the backup's process writes */
export function parseOutcome(stdout: string): BackupOutcome {
  return backupOutcomeSchema.parse(JSON.parse(stdout));
}
