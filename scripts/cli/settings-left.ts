import path from "node:path";
import { RELEASE_KEYS, settingsDiff, toRecorded } from "../../components/settings/recorded.js";
import type { RecordedSettings } from "../../components/settings/schema.js";
import { assertConfig } from "./check-config.js";
import type { Outcome } from "./outcome.js";
import type { Workspace } from "./workspace.js";

/** A setting in which the stack's file is not what the serving release was made with. */
export interface LeftSetting {
  /** `app.memory: 1GiB -> 512MiB`: from what the file says to what serves. */
  words: string;
  /** What writes it into the file. */
  command: string;
}

/** Keys of a release that are settings: the version is written down by the release itself. */
const KEYS: readonly string[] = RELEASE_KEYS.filter((key) => key !== "version");

/** Pure. @param today as the stack's file says it now @param serving as recorded */
export function settingsLeft(stack: string, today: RecordedSettings, serving: RecordedSettings): LeftSetting[] {
  return settingsDiff(today, serving).flatMap((words) => {
    const [, key = "", to = ""] = /^([^:]+): .* -> (.*)$/s.exec(words) ?? [];
    if (!KEYS.includes(key.split(".")[0] ?? "")) return [];
    const config = `scripts/pulumi.sh --stack ${stack} config`;
    const command = to === "(unset)" ? `${config} rm --path ${quoted(`pbjrag:${key}`)}` : `${config} set --path ${quoted(`pbjrag:${key}`)} ${quoted(to === '""' ? "" : to)}`;
    return [{ words, command }];
  });
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The same of the stack's file as it is; none where it is refused, which the next release says. */
export function settingsLeftIn(ws: Workspace, serving: { tag: string; settings: RecordedSettings }): LeftSetting[] {
  try {
    return settingsLeft(ws.stack, toRecorded(assertConfig(ws, { version: serving.tag })), serving.settings);
  } catch {
    return [];
  }
}

/** A rollback's end: the next plain release would go forward again with what the file still says. Pure. */
export function withSettingsLeft(outcome: Outcome, stackFile: string, left: readonly LeftSetting[]): Outcome {
  if (left.length === 0) return outcome;
  const count = left.length === 1 ? "a setting" : `${left.length} settings`;
  return {
    ...outcome,
    summary: `${outcome.summary}; ${path.basename(stackFile)} still has ${count} of the release that was left, which the next one would take: the commands above set what serves`,
    lines: [...(outcome.lines ?? []), ...left.map(({ words, command }) => `${words}: ${command}`)],
  };
}
