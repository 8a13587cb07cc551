import { readFileSync } from "node:fs";
import type { ReleaseRecord } from "../../components/release/model.js";
import { RELEASE_KEYS, rollbackConfig } from "../../components/settings/recorded.js";
import { programText, type PulumiValue } from "../../components/settings/pulumi-yaml.js";
import { configValues, skipping, withoutTrial } from "./stack-file.js";
import type { Workspace } from "./workspace.js";

/**
 * Config of a rollback: what the target was made of, as recorded. Everything else (docker, dataDir, drain, keepWarm, …) is
 * the operator's and stays as it is now, and so do secrets: recorded ones would die with their passphrase. So does the data,
 * whatever generation the stack's file names; and nothing is tried beside it.
 *
 * @param noBackupReason why no backup is taken; absent: one is
 */
export function rollbackValues(ws: Workspace, target: ReleaseRecord, attempt: string, noBackupReason?: string): Record<string, unknown> {
  const text = readFileSync(ws.stackFile, "utf8");
  const present = Object.entries(configValues(text));
  const raw = Object.fromEntries(present.map(([key, value]) => [`pbjrag:${key}`, programText(value as PulumiValue)]));
  const config = rollbackConfig(raw, target.settings);
  const values = RELEASE_KEYS.map((key): [string, unknown] => [key, asYaml(config[`pbjrag:${key}`])]);
  const once = { ...withoutTrial(text), ...skipping(text, "backup", noBackupReason) };
  return { ...Object.fromEntries(values), data: undefined, ...once, asReleased: target.revision, attempt: attempt === "" ? undefined : attempt };
}

/** Objects are written as such: a secret within one is only one to Pulumi where YAML has it as `secure:`. */
function asYaml(text: string | undefined): unknown {
  if (text?.startsWith("{") !== true) return text;
  return JSON.parse(text) as unknown;
}
