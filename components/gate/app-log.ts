/** A failed app's own log: kept before its container goes, and its last words for the message. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerEnv, inspectOrNull } from "../runtime/docker.js";
import { logTail } from "../runtime/docker-exec.js";
import { stamp, type DataPaths } from "../runtime/paths.js";
import { decoded } from "../runtime/encodings.js";
import { readable } from "../runtime/readable.js";
import { createRedactor } from "../runtime/redact.js";
import { loggedErrors, plainLines } from "./log-errors.js";

/** Lines of each container's log that are kept. */
const KEPT_LINES = 5000;
/** Lines that a message shows. */
const SHOWN_LINES = 6;

export interface SavedLog {
  /** Absolute. */
  file: string;
  /** The end of the log of the container asked about, masked: up to its exception, if there is one. */
  lines: string[];
  /** The exception's last line, or the log's; "" for an empty log. */
  culprit: string;
}

/**
 * Writes the logs of a revision's containers into one file, `logs/app-<revision>-<stamp>.log` (0600), with the secrets of
 * their environments masked and what a terminal would obey escaped.
 * @param about the container whose last words are wanted
 * @param secretEnv names of variables that hold secrets
 */
export async function saveAppLog(paths: DataPaths, revision: string, containers: readonly string[], about: string, secretEnv: readonly string[]): Promise<SavedLog> {
  const logs = await Promise.all(containers.map(async (name) => ({ name, text: await maskedLog(name, secretEnv) })));
  mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
  const file = join(paths.logs, `app-${revision}-${stamp()}.log`);
  writeFileSync(file, logs.map(({ name, text }) => `==> ${name}\n${readable(text.trimEnd())}\n`).join("\n"), { mode: 0o600 });
  return { file, ...lastWords(logs.find(({ name }) => name === about)?.text ?? "") };
}

async function maskedLog(container: string, secretEnv: readonly string[]): Promise<string> {
  const info = await inspectOrNull(container);
  if (info === null) return "(there is no such container)";
  // Without the colours first: an escape code within a secret would hide it from the masking.
  return createRedactor(secretValues(containerEnv(info), secretEnv))(plainLines(await logTail(container, KEPT_LINES)).join("\n"));
}

const SECRET_NAME = /KEY|SECRET|TOKEN|PASS|PWD|CREDENTIAL|AUTH|DSN|PRIVATE|CERT|SALT|COOKIE/i;
const PLAIN_VALUE = /^(true|false|yes|no|on|off|none|null|\d{1,5})$/i;
/** Letters and digits without a break, as keys are: neither a path nor a word. */
const KEY_LIKE = /^(?=[^/]*[A-Za-z])(?=[^/]*\d)[A-Za-z0-9_\-+=.~]{16,}$/;

/** Values of an environment that are secrets by what is known of them, or look so, by their name or by themselves, and passwords within URLs. */
export function secretValues(env: Record<string, string>, known: readonly string[] = []): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s:]*:([^/@\s]+)@/i.exec(value) ?? [];
    const secret = known.includes(name) || (!PLAIN_VALUE.test(value) && (SECRET_NAME.test(name) || KEY_LIKE.test(value)));
    return [...(secret ? [value] : []), ...(password === undefined ? [] : [password, decoded(password)])];
  });
}

/** What a log says last: pure. */
export function lastWords(log: string): { lines: string[]; culprit: string } {
  const lines = plainLines(log).filter((line) => line !== "");
  const exception = loggedErrors(lines).findLast(({ kind }) => kind === "exception");
  const end = exception === undefined ? lines.length : exception.at + 1;
  return { lines: lines.slice(Math.max(0, end - SHOWN_LINES), end), culprit: exception?.text ?? lines.at(-1) ?? "" };
}
