import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { readPassphraseFile } from "../../components/runtime/passphrase-file.js";
import { fail } from "./errors.js";

const ROUNDS = 1_000_000;
const TAG = 16;
const PROBE = "pulumi";

/** Encrypts and decrypts with the key of one passphrase and salt, in the real engine's format. */
export class Crypter {
  private constructor(
    private readonly key: Buffer,
    /** As it stands in the stack's config and state: `v1:<salt>:<encrypted probe>`. */
    readonly salt: string,
  ) {}

  /** A crypter with a new salt. */
  static async create(passphrase: string): Promise<Crypter> {
    const bytes = randomBytes(8);
    const key = await derive(passphrase, bytes);
    return new Crypter(key, `v1:${bytes.toString("base64")}:${seal(key, PROBE)}`);
  }

  /** The crypter of an existing salt; fails when the passphrase is not the one it was made with. */
  static async open(passphrase: string, salt: string): Promise<Crypter> {
    const [version, bytes, ...probe] = salt.split(":");
    if (version !== "v1" || bytes === undefined || probe.length !== 3) fail("malformed encryption salt");
    const key = await derive(passphrase, Buffer.from(bytes, "base64"));
    if (open(key, probe.join(":")) !== PROBE) fail("incorrect passphrase");
    return new Crypter(key, salt);
  }

  /** Encrypts a text. */
  encrypt(text: string): string {
    return seal(this.key, text);
  }

  /** Decrypts a text made by {@link encrypt} or by the real engine. */
  decrypt(sealed: string): string {
    const text = open(this.key, sealed);
    if (text === undefined) fail("failed to decrypt: incorrect passphrase");
    return text;
  }
}

/** The passphrase from the environment, as the real command looks for it. */
export function passphraseFromEnvironment(env: NodeJS.ProcessEnv = process.env): string {
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return env.PULUMI_CONFIG_PASSPHRASE;
  const file = env.PULUMI_CONFIG_PASSPHRASE_FILE;
  if (file !== undefined && file !== "") return readPassphrase(file);
  return fail("passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables");
}

function readPassphrase(file: string): string {
  try {
    return readPassphraseFile(file);
  } catch (error) {
    return fail(`unable to read PULUMI_CONFIG_PASSPHRASE_FILE: ${String(error)}`);
  }
}

const opened = new Map<string, Promise<Crypter>>();

/** The crypter of a salt under the environment's passphrase; the costly key is made once per salt. */
export function crypterOf(salt: string): Promise<Crypter> {
  const known = opened.get(salt);
  if (known !== undefined) return known;
  const made = Promise.resolve().then(() => Crypter.open(passphraseFromEnvironment(), salt));
  opened.set(salt, made);
  return made;
}

function derive(passphrase: string, salt: Buffer): Promise<Buffer> {
  return promisify(pbkdf2)(passphrase, salt, ROUNDS, 32, "sha256");
}

function seal(key: Buffer, text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${body.toString("base64")}`;
}

function open(key: Buffer, sealed: string): string | undefined {
  const [version, nonce, body] = sealed.split(":");
  if (version !== "v1" || nonce === undefined || body === undefined) return undefined;
  const bytes = Buffer.from(body, "base64");
  if (bytes.length < TAG) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG));
  try {
    return decipher.update(bytes.subarray(0, bytes.length - TAG), undefined, "utf8") + decipher.final("utf8");
  } catch {
    // The tag does not fit: another key, or a damaged text. Either way there is nothing to show.
    return undefined;
  }
}
