import type { Command } from "commander";

/** Columns: what a terminal has at least. */
const WIDTH = 80;

/** What `--help` of one command prints. */
export interface HelpText {
  /** As in the file's name: `deploy`, `backups-list`. */
  name: string;
  text: string;
}

/**
 * The help of each command and of its own commands. Kept in docs/commands, so that a fresh clone answers `--help` before anything is
 * installed. Pure.
 */
export function helpTexts(command: Command, parents: readonly string[] = []): HelpText[] {
  return command.commands.flatMap((child) => {
    const names = [...parents, child.name()];
    return [{ name: names.join("-"), text: helpOf(child) }, ...helpTexts(child, names)];
  });
}

/** With what stands below it, which `helpInformation` leaves out. */
function helpOf(command: Command): string {
  const written: string[] = [];
  command.configureOutput({ writeOut: (text) => written.push(text), getOutHelpWidth: () => WIDTH, getOutHasColors: () => false });
  command.outputHelp();
  return written.join("");
}
