import { readFileSync } from "node:fs";
import type { Problem } from "../../components/release/model.js";
import { loadSettings } from "../../components/settings/load.js";
import { RELEASE_KEYS } from "../../components/settings/recorded.js";
import type { Settings } from "../../components/settings/schema.js";
import { refusalOf } from "./failure.js";
import { rawConfigOf, withConfig } from "./stack-file.js";
import type { Workspace } from "./workspace.js";

/**
 * Refuses what the program would refuse of the config, before the lock is taken or the stack is made: its file says it all, but for the
 * secrets' own values.
 *
 * @param values what the command sets for this run
 * @throws ReleaseError `refused`, with all problems
 */
export function assertConfig(ws: Workspace, values: Record<string, unknown>): void {
  const problems = configProblems(ws.stack, withConfig(readFileSync(ws.stackFile, "utf8"), values));
  if (problems.length > 0) throw refusalOf(problems);
}

/** The same where a recorded release is what runs: of today's config only the operator's keys count then. */
export function assertOperatorConfig(ws: Workspace): void {
  assertConfig(ws, operatorOnly());
}

function operatorOnly(): Record<string, unknown> {
  const recorded = Object.fromEntries(RELEASE_KEYS.map((key) => [key, undefined]));
  return { ...recorded, version: "v0.0.0", source: "." };
}

/** Of today's config, what is the operator's and not a release's: where backups go, how long they stay. @throws ReleaseError `refused` */
export function operatorSettings(ws: Workspace): Pick<Settings, "backup"> {
  assertOperatorConfig(ws);
  const text = withConfig(readFileSync(ws.stackFile, "utf8"), operatorOnly());
  const loaded = loadSettings({ stack: ws.stack, config: rawConfigOf(text).config });
  if ("problems" in loaded) throw refusalOf(loaded.problems);
  return loaded.settings;
}

/** Pure. */
export function configProblems(stack: string, stackFile: string): Problem[] {
  const { config, secretKeys } = rawConfigOf(stackFile);
  const loaded = loadSettings({ stack, config, isSecret: (key) => secretKeys.has(key) });
  return "problems" in loaded ? loaded.problems : [];
}
