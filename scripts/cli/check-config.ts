import { readFileSync } from "node:fs";
import type { Problem } from "../../components/release/model.js";
import { loadSettings } from "../../components/settings/load.js";
import { RELEASE_KEYS } from "../../components/settings/recorded.js";
import type { Settings } from "../../components/settings/schema.js";
import { refusalOf } from "./failure.js";
import { rawConfigOf, securePaths, withConfig } from "./stack-file.js";
import type { Workspace } from "./workspace.js";

/**
 * Refuses what the program would refuse of the config, before the lock is taken or the stack is made: its file says it all, but for the
 * secrets' own values.
 *
 * @param values what the command sets for this run
 * @throws ReleaseError `refused`, with all problems
 */
export function assertConfig(ws: Workspace, values: Record<string, unknown>): Settings {
  const loaded = load(ws.stack, withConfig(readFileSync(ws.stackFile, "utf8"), values));
  if ("problems" in loaded) throw refusalOf(loaded.problems);
  return loaded.settings;
}

/**
 * The same where a recorded release is what runs: of today's config only the operator's keys count then.
 *
 * @returns settings of which only those keys mean something
 */
export function assertOperatorConfig(ws: Workspace): Settings {
  const recorded = Object.fromEntries(RELEASE_KEYS.map((key) => [key, undefined]));
  return assertConfig(ws, { ...recorded, version: "v0.0.0", source: "." });
}

/** Pure. */
export function configProblems(stack: string, stackFile: string): Problem[] {
  const loaded = load(stack, stackFile);
  return "problems" in loaded ? loaded.problems : [];
}

function load(stack: string, stackFile: string): ReturnType<typeof loadSettings> {
  const encrypted = securePaths(stackFile);
  const isSecret = (place: readonly string[]): boolean => encrypted.some((path) => path.every((name, at) => name === place[at]));
  return loadSettings({ stack, config: rawConfigOf(stackFile), isSecret });
}
