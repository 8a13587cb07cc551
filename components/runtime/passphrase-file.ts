import { readFileSync } from "node:fs";
import { codeOf, messageOf } from "./errors.js";

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a directory",
  EACCES: "this user may not read it",
};

/**
 * The passphrase that a file holds, as Pulumi (3.260.0) reads it: without the white space around it by Go's `strings.TrimSpace`. That leaves a
 * byte order mark, which JavaScript's `trim` takes away: a file with one held another passphrase for Pulumi than for us.
 *
 * @throws Error that says in words why the file cannot be read
 */
export function readPassphraseFile(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");
  } catch (error) {
    throw new Error(WHY[codeOf(error)] ?? messageOf(error), { cause: error });
  }
}
