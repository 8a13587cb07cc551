import { type Command, Option } from "commander";
import { type Common, inWorkspace, parseWait, setupOptions, stackOption } from "../options.js";
import { exitCodeHelp } from "../outcome.js";

interface WatchFlags extends Common {
  for?: number;
  detach?: boolean;
  thaw?: boolean;
}

export function addWatch(cli: Command): void {
  cli
    .command("watch").description("Watch what serves; roll back by itself when a rule of `watch` in the config is met.")
    .addOption(stackOption())
    .addOption(new Option("--for <duration>", "how long, e.g. 1h; when left out, what is left of a watch that was interrupted, else watch.for").argParser(parseWait))
    .option("--detach", "go on in the background; scripts/watch.sh shows it, scripts/status.sh says that it runs")
    .option("--json", "an object for each look")
    .option("--thaw", "permit releases again that a rule has frozen, and watch nothing")
    .addHelpText("after", `
Examples:
  scripts/watch.sh --stack prod                       goes on with a watch that was interrupted, or follows one that runs
  scripts/watch.sh --stack prod --for 2h --detach
${setupOptions}\n${exitCodeHelp}`)
    .action(async (flags: WatchFlags) => {
      const { thaw, watch } = await import("./watch.js");
      const options = { detach: flags.detach === true, json: flags.json === true, ...(flags.for === undefined ? {} : { forMs: flags.for }) };
      await inWorkspace(flags.stack, (ws) => (flags.thaw === true ? Promise.resolve(thaw(ws)) : watch(ws, options)));
    });
}
