import { Argument, type Command, InvalidArgumentError } from "commander";
import { type Common, inWorkspace, setupOptions, stackOption } from "../options.js";
import { exitCodeHelp } from "../outcome.js";

interface HistoryFlags extends Common {
  limit: number;
}

/** Releases that are listed when nobody says how many. */
const LIMIT = 20;

export function addHistory(cli: Command): void {
  cli
    .command("history").usage("[options] [open [STAMP|TAG]]").description("List what was released, newest first, with how it ended and its receipt; or open a receipt's page.")
    .addArgument(new Argument("[open]", "opens a page, of the newest receipt when none is named").choices(["open"]))
    .argument("[which]", "time stamp or tag of a receipt, as in its name; of several the newest")
    .addOption(stackOption())
    .option("--limit <n>", "that many at most", parseLimit, LIMIT)
    .option("--json", "as JSON")
    .addHelpText("after", `
Examples:
  scripts/history.sh
  scripts/history.sh --stack prod --limit 5
  scripts/history.sh open v3.0.0                      in a browser, where there is a display; else its path and address are printed
  scripts/history.sh --stack prod open 20260101-120000
${setupOptions}\n${exitCodeHelp}`)
    .action(async (open: "open" | undefined, which: string | undefined, flags: HistoryFlags) => {
      const json = flags.json === true;
      if (open !== undefined) {
        const { openPage } = await import("./open.js");
        return inWorkspace(flags.stack, (ws) => openPage(ws, which, json));
      }
      const { history } = await import("./history.js");
      await inWorkspace(flags.stack, (ws) => history(ws, { limit: flags.limit, json }), "read");
    });
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("Say a whole number from 1, e.g. 5.");
  return Number(text);
}
