import { readFileSync, statSync } from "node:fs";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { codeOf } from "./errors.js";

/**
 * Forms in which Pulumi's file backend keeps a state: plain, or compressed where `PULUMI_DIY_BACKEND_GZIP` (of old
 * `PULUMI_SELF_MANAGED_STATE_GZIP`) or `PULUMI_DIY_BACKEND_ZSTD` is set. Seen with the CLI 3.260: the next write is in the form that is
 * asked for then, and renames the file of another form to `.bak`.
 */
const FORMS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = { ".json": (bytes) => bytes, ".json.gz": gunzipSync, ".json.zst": zstdDecompressSync };

/** Names of a stack's state file, in each form. Pure. */
export const stateNames = (stack: string): string[] => Object.keys(FORMS).map((form) => `${stack}${form}`);

/** The stack whose state a file of this name is; null: it is none's. Pure. */
export function stackOf(name: string): string | null {
  return /^(.+)\.json(?:\.gz|\.zst)?$/.exec(name)?.[1] ?? null;
}

/** A stack's state among the files of its directory: of several forms, as after a write that was killed, the newest. Null: there is none. */
export function findState(directory: string, stack: string): string | null {
  const found = stateNames(stack).flatMap((name) => {
    const file = `${directory}/${name}`;
    const at = modified(file);
    return at === null ? [] : [{ file, at }];
  });
  return found.sort((a, b) => b.at - a.at)[0]?.file ?? null;
}

/** @throws Error where it cannot be read, or is no whole file of its form */
export function readState(file: string): string {
  const form = Object.keys(FORMS).findLast((one) => file.endsWith(one)) ?? ".json";
  return (FORMS[form] ?? ((bytes) => bytes))(readFileSync(file)).toString("utf8");
}

/** Null: there is no such file. */
function modified(file: string): number | null {
  try {
    return statSync(file).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
