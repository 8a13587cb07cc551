import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { BackupOutcome } from "../backup/model.js";
import type { BackupPlan, Plan } from "../release/model.js";
import { tagSlug } from "../release/names.js";
import type { Settings } from "../settings/schema.js";
import { repositoryEnv } from "./address.js";
import type { SendRequest } from "./model.js";

export interface SendingArgs {
  readonly plan: Pick<Plan, "stack"> & { readonly backup: Pick<BackupPlan, "before" | "triggers" | "deadlineMs"> };
  readonly settings: Pick<Settings, "dataDir" | "backup">;
  readonly outcome: pulumi.Output<BackupOutcome>;
}

/**
 * Declares that the backup leaves this machine, where config names a repository. Nothing waits for it, so that users need not; what
 * fails in it is told by its process, and `||` covers one that was killed: the backup that a release needs is here.
 */
export function declareSending({ plan, settings, outcome }: SendingArgs, opts: pulumi.CustomResourceOptions): void {
  const env = repositoryEnv(settings.backup);
  if (env === null) return;
  const { before, triggers, deadlineMs } = plan.backup;
  const request = outcome.apply(({ backup }) => JSON.stringify({ stack: plan.stack, backup, dataDir: settings.dataDir, deadlineMs } satisfies SendRequest));
  new command.local.Command(
    `send-before-${tagSlug(before.tag)}`,
    {
      create: "node dist/components/repository/main.js || true",
      // What was sent stays so, whatever else of the inputs changes: a password, for one.
      update: 'printf "%s" "$PULUMI_COMMAND_STDOUT"',
      environment: { PBJRAG_SEND: request, ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, pulumi.secret(value)])) },
      triggers: [...triggers, outcome.apply(({ backup }) => backup)],
      logging: command.local.Logging.Stderr,
    },
    opts,
  );
}
