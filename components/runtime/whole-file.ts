/** Files that are read by others while they are written. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { ZodType } from "zod";
import { readRegular } from "./regular-file.js";

/** More than this is none of our JSON files. Bytes. */
const MAX_JSON = 256 * 1024 * 1024;

/** Writes a file (0600) whole or not at all, by a rename; of two writers the last one's stays. It is not waited for until the disk has it. */
export function writeWhole(file: string, text: string): void {
  const next = `${file}.${process.pid}.new`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(next, text, { mode: 0o600 });
    renameSync(next, file);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}

/** What a JSON file holds. Null: there is none, it is damaged, or it is of another form. */
export function readJson<T>(file: string, schema: ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(readRegular(file, MAX_JSON).toString("utf8")));
  } catch {
    return null;
  }
}
