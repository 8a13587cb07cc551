import { mkdir } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { isBackup } from "../backup/names.js";
import { errors, ReleaseError } from "../runtime/errors.js";
import type { DataPaths } from "../runtime/paths.js";
import { createRedactor, type Redactor } from "../runtime/redact.js";
import { secretsIn, shownAddress } from "./address.js";

/** A restic snapshot that holds one of our backups. */
export interface Copy {
  /** Of restic. */
  id: string;
  /** ISO 8601: when it was sent. */
  time: string;
  /** Name of the backup. */
  backup: string;
}

const snapshots = z.array(z.object({ id: z.string(), time: z.string(), tags: z.array(z.string()).nullish() })).nullable();
const node = z.object({ struct_type: z.literal("node"), type: z.string(), path: z.string(), size: z.number().default(0) });
const summary = z.object({ message_type: z.literal("summary"), snapshot_id: z.string(), data_added: z.number(), data_added_packed: z.number().optional() });

/** What a backup added. */
export interface Added {
  bytes: number;
  /** As it lies in the repository, compressed (restic 0.18 tells). False: before that, which is all that 0.14 tells. */
  stored: boolean;
}

/** Its status lines: 56 a second (restic 0.18) that nobody looks at, and that would fill what is kept of its output after some hours. */
function* withoutStatus(line: unknown): Generator<string> {
  if (typeof line === "string" && !line.startsWith('{"message_type":"status"')) yield line;
}

/** Lines of restic's own words that are shown. */
const SHOWN = 6;
const NAME = "backup=";

/**
 * One restic repository, through the `restic` on PATH: encrypted and deduplicated by it. Address, password and credentials are
 * in its environment alone, never among its arguments.
 */
export class Restic {
  private readonly redact: Redactor;

  /** @param env what restic is told: see address.ts */
  constructor(private readonly env: Readonly<Record<string, string>>, private readonly paths: Pick<DataPaths, "dataDir" | "stack">, private readonly signal?: AbortSignal) {
    this.redact = createRedactor(secretsIn(env));
  }

  get shown(): string {
    return shownAddress(this.env["RESTIC_REPOSITORY"] ?? "");
  }

  /** Id of the repository. @throws ReleaseError repositoryFailed where there is none, or it cannot be read */
  async id(): Promise<string> {
    return z.object({ id: z.string() }).parse(JSON.parse(await this.run(["cat", "config", "--no-lock"]))).id;
  }

  /** Makes a repository where there is none; refuses where there is one. @throws ReleaseError repositoryFailed */
  async init(): Promise<void> {
    await this.run(["init"]);
  }

  /** Copies of this stack's backups, newest first. @param backup of this one alone */
  async copies(backup?: string): Promise<Copy[]> {
    const tags = [`stack=${this.paths.stack}`, ...(backup === undefined ? [] : [`${NAME}${backup}`])].join(",");
    const found = snapshots.parse(JSON.parse(await this.run(["snapshots", "--json", "--no-lock", "--tag", tags]))) ?? [];
    return found
      .map(({ id, time, tags: all }) => ({ id, time, backup: (all ?? []).find((tag) => tag.startsWith(NAME))?.slice(NAME.length) ?? "" }))
      .filter((copy) => isBackup(copy.backup))
      .reverse();
  }

  /** Files of a copy: path below the backup's directory -> bytes. */
  async listing({ id, backup }: Copy): Promise<Map<string, number>> {
    const lines = (await this.run(["ls", "--json", "--no-lock", id])).split("\n").filter((line) => line !== "");
    const files = lines.map((line) => node.safeParse(JSON.parse(line))).flatMap(({ data }) => (data?.type === "file" ? [data] : []));
    return new Map(files.map((file) => [path.posix.relative(`/${backup}`, file.path), file.size]));
  }

  /** Sends one directory. Names and modes as they are, below its own name. */
  async save(backups: string, backup: string): Promise<Added> {
    const args = ["backup", "--json", "--host", `pbjrag-${this.paths.stack}`, "--tag", `pbjrag,stack=${this.paths.stack},${NAME}${backup}`, backup];
    const last = (await this.run(args, backups)).trim().split("\n").at(-1) ?? "";
    const { data_added: content, data_added_packed: packed } = summary.parse(JSON.parse(last));
    return packed === undefined ? { bytes: content, stored: false } : { bytes: packed, stored: true };
  }

  /** Brings a copy to `<target>/<backup>`. restic compares each piece with its sum. */
  async restore({ id }: Copy, target: string): Promise<void> {
    await mkdir(target, { mode: 0o700 });
    await this.run(["restore", id, "--no-lock", "--target", target]);
  }

  /** @returns standard output. @throws ReleaseError repositoryFailed, in restic's own words without secrets */
  private async run(args: readonly string[], cwd?: string): Promise<string> {
    this.signal?.throwIfAborted();
    const result = await execa("restic", [...args], {
      cwd,
      // Status at most once a minute.
      env: { ...this.env, RESTIC_CACHE_DIR: path.join(this.paths.dataDir, ".release", "restic"), RESTIC_PROGRESS_FPS: "0.016" },
      reject: false,
      stdin: "ignore",
      stdout: withoutStatus,
      // Nobody is there to be asked for a key's passphrase.
      detached: true,
      cancelSignal: this.signal,
      forceKillAfterDelay: 10_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    this.signal?.throwIfAborted();
    if (result.exitCode === 0) return result.stdout;
    throw this.failure(args[0] ?? "", result);
  }

  private failure(command: string, { code, stderr, exitCode, signal }: { code?: string; stderr: string; exitCode?: number | undefined; signal?: string | undefined }): ReleaseError {
    if (code === "ENOENT") return errors.repositoryFailed({ why: "there is no restic on this machine", next: "install it (Debian: apt-get install restic), or let scripts/setup.sh do it as root" });
    const lines = this.redact(stderr).split("\n").filter((line) => line.trim() !== "").slice(-SHOWN);
    const ended = signal === undefined ? `with code ${exitCode ?? ""}` : `by ${signal}`;
    return errors.repositoryFailed({ why: `restic ${command} on ${this.shown} ended ${ended}${lines.length === 0 ? "" : `: ${lines[0] ?? ""}`}`, lines: lines.slice(1) });
  }
}
