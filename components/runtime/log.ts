/** A run's log file: everything with times, secrets masked. The terminal shows less; what it shows is its caller's affair. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { codeOf, messageOf } from "./errors.js";
import { readable } from "./readable.js";
import { onLines } from "./lines.js";
import { knownTexts, stamp, type DataPaths } from "./paths.js";
import { createRedactor, redactStream, type Redactor } from "./redact.js";

export interface ReleaseLog {
  /** Absolute. */
  readonly file: string;
  /** Masks these, too, from now on. */
  protect(secrets: readonly string[]): void;
  /** The log's own masking, for what goes to the terminal. */
  readonly redact: Redactor;
  /** Writes each line of the text, with the time and, if given, where it comes from (`pulumi`). */
  write(text: string, from?: string): void;
  /** Takes a child's output. Secrets in it are masked also across chunks; lines are written when they are complete. */
  stream(from: string): Writable;
  close(): void;
}

export interface LogOptions {
  secrets?: readonly string[];
  now?: () => Date;
}

/**
 * Opens `logs/<kind>-<YYYYMMDD-HHMMSS>.log` (0600, its directory 0700); a second one of the same second gets `-2`.
 * A full disk does not end a release: it is told once on stderr.
 */
export function openReleaseLog(paths: DataPaths, kind: string, options: LogOptions = {}): ReleaseLog {
  const now = options.now ?? (() => new Date());
  mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
  const { fd, file } = create(join(paths.logs, `${kind}-${stamp(now())}`));
  let secrets = [...(options.secrets ?? [])];
  const known = knownTexts(paths);
  let redactor = createRedactor(secrets, known);
  let open = true;
  let complained = false;

  const append = (text: string, from: string): void => {
    const origin = from === "" ? "" : `[${from}] `;
    const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
    const time = now().toISOString();
    try {
      writeSync(fd, lines.map((line) => `${time} ${origin}${readable(line)}\n`).join(""));
    } catch (error) {
      if (!complained) {
        complained = true;
        process.stderr.write(`log ${file} cannot be written: ${readable(messageOf(error))}\n`);
      }
    }
  };

  return {
    file,
    redact: (text) => redactor(text),
    protect: (more) => {
      secrets = [...new Set([...secrets, ...more])];
      redactor = createRedactor(secrets, known);
    },
    write: (text, from = "") => {
      if (open) {
        append(redactor(text), from);
      }
    },
    stream: (from) => lineStream(secrets, (line) => open && append(line.replace(/\r$/, ""), from)),
    close: () => {
      if (open) {
        open = false;
        closeSync(fd);
      }
    },
  };
}

/** Masks, cuts into lines, and hands them on; the last one also when nothing ends it. */
function lineStream(secrets: readonly string[], onLine: (line: string) => void): Writable {
  const masking = redactStream(secrets);
  void onLines(masking, onLine);
  return masking;
}

function create(base: string): { fd: number; file: string } {
  for (let n = 1; ; n++) {
    const file = `${base}${n === 1 ? "" : `-${n}`}.log`;
    try {
      return { fd: openSync(file, "ax", 0o600), file };
    } catch (error) {
      if (codeOf(error) !== "EEXIST") {
        throw error;
      }
    }
  }
}
