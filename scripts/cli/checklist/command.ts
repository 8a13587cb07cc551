import { type Command, Option } from "commander";
import { CHECKS, type CheckName } from "../../../components/checklist/names.js";
import { inWorkspace, setupOptions, stackOption } from "../options.js";
import { exitCodeHelp } from "../outcome.js";

interface Flags {
  stack: string;
  version?: string;
  only?: CheckName[];
  write?: boolean;
}

export function addChecklist(cli: Command): void {
  cli
    .command("checklist").description("Go through RELEASE_CHECKLIST.md for a tag: a release on production needs its pass.")
    .addOption(stackOption())
    .option("--version <tag>", "git tag to look at; the newest release tag when left out")
    .addOption(new Option("--only <check...>", "look at these alone, and write nothing down").choices(CHECKS))
    .option("--write", "make the file of ticks for a person to tick and commit, such as checklists/v3.0.0.md")
    .addHelpText("after", `
Examples:
  scripts/checklist.sh --stack prod --version v3.0.0
  scripts/checklist.sh --stack prod --version v3.0.0 --write
  scripts/checklist.sh --only secrets tests
${setupOptions}\n${exitCodeHelp}`)
    .action(async (flags: Flags) => {
      const { checklist } = await import("./checklist.js");
      const { version, only = [], write = false } = flags;
      await inWorkspace(flags.stack, (ws) => checklist(ws, { only, write, ...(version === undefined ? {} : { version }) }));
    });
}
