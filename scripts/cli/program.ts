import { Command, Option } from "commander";
import { errors } from "../../components/runtime/errors.js";
import { type BackupFlags, noBackupOption, reasonOption, withoutBackup } from "./backup-flags.js";
import { addBackups } from "./backups/command.js";
import { addChecklist } from "./checklist/command.js";
import { addHistory } from "./history/command.js";
import { type Common, inWorkspace, setupOptions, stackOption, waitOption } from "./options.js";
import { exitCodeHelp } from "./outcome.js";
import { addWatch } from "./watch/command.js";

interface DeployFlags extends Common, BackupFlags {
  version?: string;
  watch?: boolean;
  detach?: boolean;
  canary?: string | true;
  skipChecklist?: string;
}

interface RollbackFlags extends Common, BackupFlags {
  backupOnly?: boolean;
  /** True without a name. */
  withData?: string | true;
  generation?: string;
}

interface RestoreFlags extends Common, BackupFlags {
  only?: "qdrant" | "uploads";
  fromRepository?: boolean;
}

interface StatusFlags extends Common {
  prometheus?: boolean;
}

/**
 * The one command line behind the scripts. Each command's module is loaded only when it runs: a warm rollback must
 * answer within a second, and loading everything would take half of that.
 */
export function program(): Command {
  const cli = new Command("release").description("Releases PBJRAG from git tags: backed up, gated, switched without a failed request.");
  // What it refuses is told below, in the form of all refusals.
  cli.configureHelp({ showGlobalOptions: false, commandUsage: scriptUsage }).enablePositionalOptions().exitOverride().configureOutput({ outputError: () => undefined });
  cli
    .command("deploy").usage("[options]").description("Release a git tag. The former release stays warm; a failed one is undone.")
    .addOption(stackOption())
    .option("--version <tag>", "git tag to release; the newest release tag when left out")
    .option("--with-backup", "take a backup first (the default)")
    .addOption(noBackupOption())
    .addOption(reasonOption())
    .option("--canary [shares]", "try it first with a share of new users, --canary=10, or step by step, --canary=10,25,50; the configured ones without")
    .option("--no-watch", "do not watch the release afterwards, whatever watch.for says")
    .option("--detach", "watch it in the background: this command ends when that has begun")
    .option("--skip-checklist <reason>", "release on production without a pass of the checklist; the reason is recorded")
    .option("--dry-run", "show the preview and touch nothing")
    .option("--yes", "do not ask")
    .addOption(waitOption())
    .addHelpText("after", `
Examples:
  scripts/deploy.sh                                   the newest tag, on the local stack dev
  scripts/deploy.sh --version v3.0.0 --dry-run        what would change
  scripts/deploy.sh --version v3.0.0 --canary         a tenth of new users first; released if it is no worse
  scripts/deploy.sh --stack prod --version v3.0.0 --yes
Of the sample app, which dev releases until source is set, v2.9.0, v3.0.0 and v3.3.0 work; v3.1.0 and v3.2.0 are broken on purpose.
${setupOptions}\n${exitCodeHelp}`)
    .action(async (flags: DeployFlags) => {
      const { deploy } = await import("./deploy.js");
      const { deployOptions } = await import("./flags.js");
      await inWorkspace(flags.stack, (ws) => deploy(ws, deployOptions(flags)));
    });
  cli
    .command("rollback").usage("[tag] [options]").argument("[tag]", "release to go back to; the one before the present one when left out")
    .description("Go back to an earlier release: its image, its recorded settings, today's secrets.")
    .addOption(stackOption())
    .option("--backup-only", "take a backup and change nothing")
    .option("--with-data [backup]", "go back with its data: from the backup that holds it, or from the one named (--with-data=BACKUP)")
    .option("--generation <name>", "go to data that was left, by its generation: forward again, for one")
    .addOption(noBackupOption())
    .addOption(reasonOption())
    .option("--dry-run", "show the preview and touch nothing")
    .option("--yes", "do not ask")
    .addOption(waitOption())
    .addHelpText("after", `
Examples:
  scripts/rollback.sh                                 to the release before this one; at once while it is warm
  scripts/rollback.sh v2.9.0 --stack prod
  scripts/rollback.sh v2.9.0 --with-data              its code, settings and data; what is there now stays
  scripts/rollback.sh v3.0.0 --generation 0           forward again, to the data as it was left
  scripts/rollback.sh --backup-only
${setupOptions}\n${exitCodeHelp}`)
    .action(async (tag: string | undefined, flags: RollbackFlags) => {
      const backup = withoutBackup(flags);
      if (flags.backupOnly === true) {
        if (backup.noBackupReason !== undefined) throw errors.usage({ why: "--backup-only and --no-backup contradict each other", next: "say one of them" });
        const { backupOnly } = await import("./backup-only.js");
        return inWorkspace(flags.stack, (ws) => backupOnly(ws, { waitMs: flags.wait ?? 0 }));
      }
      const options = { dryRun: flags.dryRun === true, yes: flags.yes === true, waitMs: flags.wait ?? 0, ...backup, ...(tag === undefined ? {} : { tag }) };
      const { generation, withData } = flags;
      if (withData !== undefined || generation !== undefined) {
        const { rollbackWithData } = await import("./data/rollback.js");
        return inWorkspace(flags.stack, (ws) => rollbackWithData(ws, { ...options, generation, withData: withData === true ? "" : withData }));
      }
      return inWorkspace(flags.stack, async (ws) => {
        // Docker looks while the rest is loaded.
        const { readLive } = await import("../../components/traffic/live.js");
        const look = options.dryRun ? null : readLive(ws.stack).catch(() => null);
        const { rollback } = await import("./rollback.js");
        return rollback(ws, options, look);
      });
    });
  cli
    .command("restore").usage("<backup> [options]").argument("<backup>", "name of a backup of this stack, such as pre-deploy-20260101-120000")
    .description("The release that serves, on data made from a backup. The present data stays and can be gone back to.")
    .addOption(stackOption())
    .addOption(new Option("--only <part>", "restore this part alone").choices(["qdrant", "uploads"]))
    .addOption(noBackupOption())
    .addOption(reasonOption())
    .option("--from-repository", "its copy in backup.repository; that is also where a name is looked for that is not here")
    .option("--dry-run", "verify the backup, show what would change and be missing, and touch nothing")
    .option("--yes", "do not ask")
    .addOption(waitOption())
    .addHelpText("after", `
Examples:
  scripts/restore.sh pre-deploy-20260101-120000 --dry-run
  scripts/restore.sh pre-deploy-20260101-120000 --stack prod --only uploads
${setupOptions}\n${exitCodeHelp}`)
    .action(async (backup: string, flags: RestoreFlags) => {
      const { restore } = await import("./data/restore.js");
      const options = { ...withoutBackup(flags), backup, fromRepository: flags.fromRepository === true, dryRun: flags.dryRun === true, yes: flags.yes === true, waitMs: flags.wait ?? 0, ...(flags.only === undefined ? {} : { only: flags.only }) };
      await inWorkspace(flags.stack, (ws) => restore(ws, options));
    });
  cli
    .command("drill").description("Rehearse on a stack that is not production: back with data, forward again, all of it compared and timed.")
    .addOption(stackOption())
    .addOption(waitOption())
    .addHelpText("after", `\nExamples:\n  scripts/drill.sh\n  scripts/drill.sh --stack staging\n${setupOptions}\n${exitCodeHelp}`)
    .action(async (flags: Common) => {
      const { drill } = await import("./drill/drill.js");
      await inWorkspace(flags.stack, (ws) => drill(ws, { waitMs: flags.wait ?? 0 }));
    });
  cli
    .command("status").description("What runs, since when, its health, open sessions, last backups, whether a release is under way.")
    .addOption(stackOption())
    .option("--json", "as JSON")
    .option("--prometheus", "what is measured, in Prometheus' text form; counts go on from one call to the next")
    .addHelpText("after", `\nExamples:\n  scripts/status.sh\n  scripts/status.sh --stack prod --json\n${setupOptions}`)
    .action(async (flags: StatusFlags) => {
      if (flags.prometheus === true) {
        const { printMetrics } = await import("./metrics.js");
        return inWorkspace(flags.stack, (ws) => printMetrics(ws));
      }
      const { status } = await import("./status.js");
      await inWorkspace(flags.stack, (ws) => status(ws, flags.json === true), "read");
    });
  cli
    .command("finish").description("Wait for the former release's sessions up to drain.deadline, then remove it.")
    .addOption(stackOption())
    .addOption(waitOption())
    .addHelpText("after", `\nExamples:\n  scripts/finish.sh\n  scripts/finish.sh --stack prod --wait 5m\n${setupOptions}\n${exitCodeHelp}`)
    .action(async (flags: Common) => {
      const { finish } = await import("./finish.js");
      await inWorkspace(flags.stack, (ws) => finish(ws, { waitMs: flags.wait ?? 0 }));
    });
  cli
    .command("pulumi").usage("[--stack name] [pulumi arguments]").description("Run pulumi with the backend and passphrase that the other scripts use.")
    .addOption(stackOption())
    .argument("[arguments...]").allowUnknownOption().passThroughOptions()
    .addHelpText("after", `\nExamples:\n  scripts/pulumi.sh preview --diff\n  scripts/pulumi.sh --stack prod stack output releases --json\n${setupOptions}`)
    .action(async (args: string[], flags: Common) => {
      const { passThrough } = await import("./pass-through.js");
      await inWorkspace(flags.stack, (ws) => passThrough(ws, args));
    });
  addBackups(cli);
  addWatch(cli);
  addChecklist(cli);
  addHistory(cli);
  return cli;
}

/** What a person types: the script of the command. */
function scriptUsage(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  const [script = "", ...rest] = names;
  return [`scripts/${script}.sh`, ...rest, command.usage()].join(" ");
}
