import { readFileSync } from "node:fs";
import { isObject } from "../../components/settings/defaults.js";
import type { Engine } from "./engine.js";
import { passphraseOf } from "./passphrase.js";
import { configValue, securePaths } from "./stack-file.js";
import type { Workspace } from "./workspace.js";

/**
 * The values of the stack's secrets, and the passphrase: what no line that is shown or kept may hold. Asks Pulumi only where the stack's
 * file has secrets.
 *
 * @throws ReleaseError `passphraseWrong` and the like, when they cannot be read
 */
export async function secretsOf(ws: Workspace, engine: Engine): Promise<string[]> {
  const passphrase = passphraseOf({ ...ws.env, ...process.env });
  const known = passphrase === null ? [] : [passphrase];
  const paths = securePaths(readFileSync(ws.stackFile, "utf8"));
  if (paths.length === 0) return known;
  const values = await engine.shownConfig();
  return [...known, ...paths.flatMap(([key = "", ...below]) => below.reduce(under, below.length === 0 ? values[key]?.value : values[key]?.objectValue) ?? []).map(String)];
}

function under(value: unknown, key: string): unknown {
  return Array.isArray(value) ? (value[Number(key)] as unknown) : isObject(value) ? value[key] : undefined;
}

/** Names of the app's variables that hold secrets. */
export function secretNames(ws: Workspace): string[] {
  const app = configValue(readFileSync(ws.stackFile, "utf8"), "app");
  const secretEnv = isObject(app) ? app["secretEnv"] : undefined;
  return isObject(secretEnv) ? Object.keys(secretEnv) : [];
}
