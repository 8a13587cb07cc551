import { Command, Option } from "commander";
import { type Common, inWorkspace, setupOptions, stackOption, waitOption } from "../options.js";
import { exitCodeHelp } from "../outcome.js";

interface Flags extends Common {
  all?: boolean;
  fromRepository?: boolean;
}

const repositoryOption = (): Option => new Option("--from-repository", "what backup.repository holds");

/** `backups` and its commands. Each module is loaded only when it runs. */
export function addBackups(cli: Command): void {
  const backups = cli.command("backups").description("A stack's backups: list, show, verify, accept, pin, prune.").usage("<command> [options]");
  backups.addHelpText("after", `
Examples:
  scripts/backups.sh list
  scripts/backups.sh show pre-deploy-20260101-120000
  scripts/backups.sh verify --all --stack prod
  scripts/backups.sh verify --from-repository
  scripts/backups.sh prune --dry-run
${setupOptions}\n${exitCodeHelp}`);
  backups
    .command("list").description("Each backup's age, the release whose data it holds, its size, whether it is proven, and why it stays.")
    .addOption(stackOption()).addOption(repositoryOption()).option("--json", "as JSON")
    .addHelpText("after", "\nExamples:\n  scripts/backups.sh list\n  scripts/backups.sh list --stack prod --json\n")
    .action(async (flags: Flags) => {
      const { list, listCopies } = await import("./list.js");
      await inWorkspace(flags.stack, (ws) => (flags.fromRepository === true ? listCopies : list)(ws, flags.json === true), flags.fromRepository === true ? "write" : "read");
    });
  backups
    .command("show").argument("<name>", "name of a backup").description("What a backup holds, in words; --json shows its manifest.")
    .addOption(stackOption()).option("--json", "the manifest")
    .addHelpText("after", "\nExamples:\n  scripts/backups.sh show pre-deploy-20260101-120000\n")
    .action(async (name: string, flags: Common) => {
      const { show } = await import("./show.js");
      await inWorkspace(flags.stack, (ws) => show(ws, name, flags.json === true), "read");
    });
  backups
    .command("verify").argument("[name]", "name of a backup; the newest when left out")
    .description("Read a backup to its end: every file's sum, every entry of its archives. Exit 5 if it is damaged.")
    .addOption(stackOption()).option("--all", "every backup of the stack").addOption(repositoryOption()).option("--json", "as JSON")
    .addHelpText("after", "\nExamples:\n  scripts/backups.sh verify\n  scripts/backups.sh verify --all --stack prod\n")
    .action(async (name: string | undefined, flags: Flags) => {
      const { verify } = await import("./verify.js");
      await inWorkspace(flags.stack, (ws) => verify(ws, { name, all: flags.all === true, fromRepository: flags.fromRepository === true, json: flags.json === true }));
    });
  addChanges(backups);
  addTransfers(backups);
}

function addTransfers(backups: Command): void {
  backups
    .command("send").argument("[name]", "name of a backup; the newest when left out").description("Send a backup to backup.repository, if it is not there yet.")
    .addOption(stackOption()).option("--all", "every proven backup of the stack").addOption(waitOption())
    .addHelpText("after", "\nExamples:\n  scripts/backups.sh send\n  scripts/backups.sh send --all --stack prod\n")
    .action(async (name: string | undefined, flags: Flags) => {
      const { sendBackups } = await import("./send.js");
      await inWorkspace(flags.stack, (ws) => sendBackups(ws, { name, all: flags.all === true, waitMs: flags.wait ?? 0 }));
    });
  backups
    .command("fetch").argument("<name>", "name of a backup").description("Bring a backup back from backup.repository, verified; one that is here is replaced by it.")
    .addOption(stackOption()).addOption(waitOption())
    .addHelpText("after", "\nExamples:\n  scripts/backups.sh list --from-repository\n  scripts/backups.sh fetch pre-deploy-20260101-120000\n")
    .action(async (name: string, flags: Common) => {
      const { fetchOne } = await import("./send.js");
      await inWorkspace(flags.stack, (ws) => fetchOne(ws, name, flags.wait ?? 0));
    });
}

function addChanges(backups: Command): void {
  backups
    .command("prune").description("Remove backups, images and data volumes that are old and that no release needs; say why the rest stays.")
    .addOption(stackOption()).option("--dry-run", "say it and remove nothing").option("--yes", "do not ask").addOption(waitOption())
    .addHelpText("after", `
Kept: what is younger than backup.keepDays, the last backup.keepLast, the last proven one, pinned ones, and whatever a
release in the list of \`scripts/status.sh\` needs to be gone back to. A successful deploy prunes by itself.

Examples:
  scripts/backups.sh prune --dry-run
  scripts/backups.sh prune --stack prod --yes
`)
    .action(async (flags: Common) => {
      const { pruneStack } = await import("./prune.js");
      await inWorkspace(flags.stack, (ws) => pruneStack(ws, { dryRun: flags.dryRun === true, yes: flags.yes === true, waitMs: flags.wait ?? 0 }));
    });
  backups
    .command("accept").argument("<name>", "name of a backup")
    .description("Take a backup that this stack did not write for its own: look where it came from first. It is verified to its end.")
    .addOption(stackOption()).addOption(waitOption())
    .addHelpText("after", "\nExamples:\n  scripts/backups.sh accept pre-deploy-20260101-120000\n")
    .action(async (name: string, flags: Common) => {
      const { acceptBackup } = await import("./accept.js");
      await inWorkspace(flags.stack, (ws) => acceptBackup(ws, name, flags.wait ?? 0));
    });
  for (const word of ["pin", "unpin"] as const) {
    backups
      .command(word).argument("<name>", "name of a backup")
      .description(word === "pin" ? "Keep a backup until it is unpinned." : "Leave a backup to retention again.")
      .addOption(stackOption()).addOption(waitOption())
      .addHelpText("after", `\nExamples:\n  scripts/backups.sh ${word} pre-deploy-20260101-120000\n`)
      .action(async (name: string, flags: Common) => {
        const { pinBackup } = await import("./pin.js");
        await inWorkspace(flags.stack, (ws) => pinBackup(ws, name, word, flags.wait ?? 0));
      });
  }
}
