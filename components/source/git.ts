/** git as this program runs it: without prompts, hooks, a caller's repository, or transports that run commands. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { GitPluginError, simpleGit, type SimpleGit } from "simple-git";
import { errors, EXIT, messageOf, ReleaseError } from "../runtime/errors.js";
import { endMarked } from "../runtime/processes.js";
import { OBJECT_ID } from "./names.js";

/** What git may know of the caller: who they are, how they reach the network, how they authenticate. Nothing of a repository. */
const PASSED = [
  "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK",
  "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
  "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_COUNT",
  // Whose child it is: what a killed run leaves is known by them.
  "PBJRAG_RUN", "PBJRAG_LOCK", "PBJRAG_FENCE",
];
const PASSED_CONFIG = /^GIT_CONFIG_(?:KEY|VALUE)_\d+$/;

const FIXED: Readonly<Record<string, string>> = {
  LC_ALL: "C",
  GIT_TERMINAL_PROMPT: "0",
  // ssh asks on the terminal whatever git says, unless it is made to ask a program, and that says no.
  SSH_ASKPASS: "false",
  SSH_ASKPASS_REQUIRE: "force",
  GIT_ALLOW_PROTOCOL: "file:https:ssh",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_NO_REPLACE_OBJECTS: "1",
};

/** The user's own config stays in force when talking to a server: it holds credential helpers, proxies, certificates. */
const CONFIG = ["core.hooksPath=/dev/null", "core.askPass=", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false", "fetch.recurseSubmodules=false"];

export interface GitPlace {
  /** Directory it runs in; with `bare`, the bare repository itself. */
  dir: string;
  bare: boolean;
  /** Milliseconds without a word from git until it is ended. */
  silenceMs?: number;
}

export function gitEnv(place: Pick<GitPlace, "dir" | "bare">, source: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && (PASSED.includes(name) || PASSED_CONFIG.test(name))) {
      env[name] = value;
    }
  }
  return { ...env, ...FIXED, ...(place.bare ? { GIT_DIR: place.dir } : {}) };
}

/** The flags admit what this module itself sets; simple-git goes on to refuse the rest. */
export function gitAt(place: GitPlace, more: Readonly<Record<string, string>> = {}): SimpleGit {
  return simpleGit({
    baseDir: place.dir,
    config: CONFIG,
    timeout: { block: place.silenceMs ?? 60_000 },
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeHooksPath: true,
      allowUnsafeSshCommand: true,
      allowUnsafeTemplateDir: true,
    },
  }).env({ ...gitEnv(place), ...more });
}

export function isTimeout(error: unknown): boolean {
  return error instanceof GitPluginError && error.plugin === "timeout";
}

const MARK = "PBJRAG_GIT";

/**
 * Runs a git command that talks to a server. Its transport is a process of its own, which outlives a git that was ended
 * for its silence, and waits for minutes: it is ended as well.
 * @returns what git said on stdout
 */
export async function askServer(place: GitPlace, argv: readonly string[]): Promise<string> {
  const mark = randomBytes(8).toString("hex");
  try {
    return await gitAt(place, { [MARK]: mark }).raw([...argv]);
  } catch (error) {
    if (isTimeout(error)) {
      await endMarked(MARK, mark);
    }
    throw error;
  }
}

/** git's own words for a failure, in one line. */
export function gitWords(error: unknown): string {
  const lines = messageOf(error).split("\n").map((line) => line.trim());
  const telling = lines.filter((line) => /^(?:fatal|error|ssh|remote):/i.test(line) || /permission denied|could not resolve|dubious/i.test(line));
  return (telling.length > 0 ? telling : lines.filter((line) => line !== "")).slice(0, 3).join("; ");
}

/** Code of the error for a repository that gives no answer: what is known of it already may then do. */
export const UNREACHABLE = "sourceUnreachable";

/** The error for a repository that cannot be read. @param silenceMs how long was waited */
export function unreadable(address: string, error: unknown, silenceMs: number): ReleaseError {
  const why = isTimeout(error) ? `it did not answer within ${silenceMs / 1000} s` : gitWords(error);
  const owner = /dubious ownership/.test(why) ? `, or trust it: git config --global --add safe.directory ${address}` : "";
  return new ReleaseError({
    code: UNREACHABLE,
    exitCode: EXIT.refused,
    what: `The app's repository ${address} cannot be read, nothing was touched`,
    why,
    next: `see that \`git ls-remote ${address}\` works here without asking for anything${owner}; pbjrag:source says where the repository is`,
    cause: error,
  });
}

/** The error for a path with nothing at it: as unreachable as a server that is down. */
export function absent(directory: string): ReleaseError {
  return new ReleaseError({
    code: UNREACHABLE,
    exitCode: EXIT.refused,
    what: "The app's repository cannot be read, nothing was touched",
    why: `there is nothing at ${directory}`,
    next: "correct pbjrag:source; a relative path is relative to the project's directory",
  });
}

const BLOB = new RegExp(`^(${OBJECT_ID}) blob (\\d+)$`);

export interface Blob {
  /** As git names it: 40 hex or 64. */
  id: string;
}

/**
 * The content of blobs exactly as committed: no filter, line-end conversion or `export-subst` is applied on this way.
 * Holds one chunk at a time in memory.
 * @param take called for each blob in order, with its size in bytes and its content
 */
export async function readBlobs<B extends Blob>(repository: string, blobs: readonly B[], take: (blob: B, size: number, content: AsyncIterable<Buffer>) => Promise<void>): Promise<void> {
  const child = spawn("git", ["cat-file", "--batch"], { cwd: repository, env: gitEnv({ dir: repository, bare: true }), stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  // A child that ends early is reported by its exit code, not by the pipe that breaks with it.
  child.stdin.on("error", () => undefined);
  child.stdin.end(blobs.map((blob) => `${blob.id}\n`).join(""));
  const reader = new ByteReader(child.stdout);
  try {
    for (const blob of blobs) {
      const header = BLOB.exec(await reader.line());
      if (header?.[1] !== blob.id) {
        throw errors.sourceRefused({ subject: `Object ${blob.id}`, why: `the cached repository does not hold it${said === "" ? "" : `: ${said.trim()}`}`, next: "remove .release/cache/git and run again" });
      }
      const size = Number(header[2]);
      await take(blob, size, reader.take(size));
      await reader.line();
    }
  } catch (error) {
    child.kill();
    // Its end is told when all that it said has been read, or is not wanted.
    child.stdout.destroy();
    await ended.catch(() => undefined);
    throw error;
  }
  const code = await ended;
  if (code !== 0) {
    throw errors.sourceRefused({ subject: `Repository ${repository}`, why: `git cat-file ended with ${code ?? "a signal"}: ${said.trim()}`, next: "remove .release/cache/git and run again" });
  }
}

/** Reads lines and counted bytes from one stream. */
class ByteReader {
  private rest: Buffer = Buffer.alloc(0);
  private readonly chunks: AsyncIterator<Buffer>;

  constructor(stream: AsyncIterable<Buffer>) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** Up to the next newline, without it; what is left at the end of the stream. */
  async line(): Promise<string> {
    for (;;) {
      const at = this.rest.indexOf(0x0a);
      if (at >= 0) {
        const line = this.rest.subarray(0, at).toString("utf8");
        this.rest = this.rest.subarray(at + 1);
        return line;
      }
      if (!(await this.more())) {
        return this.rest.toString("utf8");
      }
    }
  }

  /** The next `size` bytes, which must be read to their end before anything else is. */
  async *take(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.rest.length === 0 && !(await this.more())) {
        throw new Error(`git's output ended ${left} bytes early`);
      }
      const part = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  private async more(): Promise<boolean> {
    const next = await this.chunks.next();
    if (next.done === true) {
      return false;
    }
    this.rest = this.rest.length === 0 ? next.value : Buffer.concat([this.rest, next.value]);
    return true;
  }
}
