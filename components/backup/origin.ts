/**
 * Whose a backup is. Sums tell accidents alone: whoever can write `backups/`, or the repository, can write a backup whose sums are right.
 * So each manifest has a MAC by a key of the stack, which lies elsewhere and is sent nowhere. Where there is no key (a new machine),
 * nothing is said of any backup.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import path from "node:path";
import type { DataPaths } from "../runtime/paths.js";
import { codeOf } from "../runtime/errors.js";
import { readRegular } from "../runtime/regular-file.js";
import { directoryNames, replaceText } from "./files.js";
import { manifestIn } from "./manifest-file.js";
import { FILES, isBackup } from "./names.js";

/** Where the key and the backups are. */
export type OriginPaths = Pick<DataPaths, "stack" | "backups" | "backupKey">;

export const NOT_KNOWN = "it is not known to this stack: who wrote its manifest did not have the stack's key";
/** What to do about one, as a clause. */
export const acceptWith = (name: string): string => `if you know where it came from, scripts/backups.sh accept ${name} takes it for this stack's own`;

const KEY = /^[0-9a-f]{64}\n?$/;
const MAX_BYTES = 1024;

/** `manifest.hmac`: HMAC-SHA-256 over the stack's name and the manifest's bytes, in hex. Pure. */
export function macOf(key: Buffer, stack: string, manifest: Buffer): string {
  return createHmac("sha256", key).update(`pbjrag-backup-1\n${stack}\n`).update(manifest).digest("hex");
}

/** Null: the stack has none. @throws Error for a file that is no key */
export function readKey({ backupKey }: Pick<OriginPaths, "backupKey">): Buffer | null {
  let text: string;
  try {
    text = readRegular(backupKey, MAX_BYTES).toString("latin1");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
  if (!KEY.test(text)) throw new Error(`${backupKey} is no key: it must have 64 hexadecimal digits`);
  return Buffer.from(text.trim(), "hex");
}

/** Whether the key's owner wrote this backup's manifest. True where there is no key to tell it by. */
export function isKnown(directory: string, stack: string, key: Buffer | null, manifest: Buffer): boolean {
  if (key === null) return true;
  const expected = Buffer.from(macOf(key, stack, manifest));
  const found = macIn(directory);
  return found.length === expected.length && timingSafeEqual(found, expected);
}

function macIn(directory: string): Buffer {
  try {
    return Buffer.from(readRegular(path.join(directory, FILES.mac), MAX_BYTES).toString("latin1").trim());
  } catch {
    return Buffer.alloc(0);
  }
}

/** Writes the MAC of a backup whose manifest lies there already. */
export async function sign(directory: string, stack: string, key: Buffer): Promise<void> {
  await replaceText(path.join(directory, FILES.mac), `${macOf(key, stack, manifestIn(directory).bytes)}\n`);
}

/**
 * The stack's key, made where there is none. Then the backups that are there, from before there were keys, become the stack's own: that
 * moment is as good as any, and releases must still be able to go back to them. Only for who holds the lock.
 * @returns with the names of those
 */
export async function ensureKey(paths: OriginPaths): Promise<{ key: Buffer; adopted: string[] }> {
  const there = readKey(paths);
  if (there !== null) return { key: there, adopted: [] };
  const key = randomBytes(32);
  const adopted: string[] = [];
  for (const name of (await directoryNames(paths.backups)).filter(isBackup)) {
    try {
      await sign(path.join(paths.backups, name), paths.stack, key);
      adopted.push(name);
    } catch {
      // What has no manifest is none of the stack's backups, and is listed as such.
    }
  }
  // Last: a run that is killed before begins again with another key.
  await replaceText(paths.backupKey, `${key.toString("hex")}\n`);
  return { key, adopted };
}
