import { InvalidArgumentError, Option } from "commander";
import { settleDockerHost } from "../../components/runtime/docker-endpoint.js";
import { openWorkspace, type Workspace } from "./workspace.js";

/** What the commands of the one command line have in common. */
export interface Common {
  stack: string;
  yes?: boolean;
  dryRun?: boolean;
  wait?: number;
  json?: boolean;
}

export const stackOption = (): Option => new Option("--stack <name>", "stack to work on; dev is local and needs nothing").default("dev");
export const waitOption = (): Option =>
  new Option("--wait <duration>", "wait that long for another release of the stack, e.g. 10m").argParser(parseWait).default(0, "refuse at once");
export const setupOptions = "\nSet-up (all scripts): --offline forces the stand-ins of offline/, --online forbids them.\n";

export function parseWait(text: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Say a whole number with ms, s, m or h, e.g. 10m.");
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as "ms" | "s" | "m" | "h"];
  return Number(match[1]) * unit;
}

/** Runs one command in a stack's workspace. @param use as for {@link openWorkspace} */
export async function inWorkspace(stack: string, command: (ws: Workspace) => Promise<{ exitCode: number }>, use: "read" | "write" = "write"): Promise<void> {
  settleDockerHost();
  process.exitCode = (await command(openWorkspace(process.cwd(), stack, use))).exitCode;
}
