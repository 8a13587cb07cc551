import { createDecipheriv, pbkdf2 } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { errors, type ReleaseError } from "../../components/runtime/errors.js";
import { readPassphraseFile } from "../../components/runtime/passphrase-file.js";
import { readLocalState } from "./local-state.js";
import { encryptionSalt } from "./stack-file.js";
import type { Workspace } from "./workspace.js";

/** Pulumi's own numbers: its salt holds a word that only the right passphrase opens. */
const ROUNDS = 1_000_000;
const KEY_BYTES = 32;
const TAG_BYTES = 16;

/**
 * Whether it was the passphrase that made Pulumi fail: wrong, or none. Costs some tenths of a second of one core, so it is asked after
 * a failure only; Pulumi's own words for it are not looked at.
 *
 * @returns null when the passphrase is not to blame, or nothing here was ever encrypted
 */
export async function passphraseFailure(ws: Workspace, env: NodeJS.ProcessEnv = process.env): Promise<ReleaseError | null> {
  const local = readLocalState(ws);
  const salts = [encryptionSalt(readFileSync(ws.stackFile, "utf8")), local?.salt ?? null].filter((salt) => salt !== null);
  if (salts.length === 0) return null;
  const passphrase = passphraseOf({ ...ws.env, ...env });
  if (passphrase === null) return errors.passphraseMissing({ stack: ws.stack, why: "its secrets are encrypted with a passphrase, and none is set" });
  for (const salt of new Set(salts)) {
    if (!(await fits(passphrase, salt))) return errors.passphraseWrong({ stack: ws.stack });
  }
  return null;
}

/** As Pulumi looks for it: the variable as it is, a file without the white space around its content. @throws Error for a file that cannot be read */
export function passphraseOf(env: NodeJS.ProcessEnv): string | null {
  if (env["PULUMI_CONFIG_PASSPHRASE"] !== undefined) return env["PULUMI_CONFIG_PASSPHRASE"];
  const file = env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  return file ? readPassphraseFile(file) : null;
}

/**
 * @param salt `v1:<salt>:v1:<nonce>:<encrypted word>`, as Pulumi writes it
 * @returns true also for a salt of another form: that is not for us to judge
 */
export async function fits(passphrase: string, salt: string): Promise<boolean> {
  const [version, bytes, inner, nonce, body] = salt.split(":");
  if (version !== "v1" || inner !== "v1" || bytes === undefined || nonce === undefined || body === undefined) return true;
  const key = await promisify(pbkdf2)(passphrase, Buffer.from(bytes, "base64"), ROUNDS, KEY_BYTES, "sha256");
  const sealed = Buffer.from(body, "base64");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    decipher.update(sealed.subarray(0, -TAG_BYTES));
    decipher.final();
    return true;
  } catch {
    // The tag does not fit: another key made it.
    return false;
  }
}
