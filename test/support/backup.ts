import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import Docker from "dockerode";
import type { BackupOutcome, BackupRequest } from "../../components/backup/model.js";
import type { RestoreRequest } from "../../components/restore/model.js";
import { readRecord, type RestoreRecord } from "../../components/restore/record.js";
import { dataPaths } from "../../components/runtime/paths.js";
import { QdrantClient } from "../../components/qdrant/client.js";
import type { JournalEvent } from "../../components/runtime/journal.js";
import { keptFor, removeStack } from "./docker.js";
import { stackName } from "./names.js";
import { type Ended, mustRun, type Running, start } from "./processes.js";
import type { Random } from "./random.js";
import { type Dump, TestQdrant } from "./qdrant.js";
import { waitFor } from "./wait.js";

/** The stand-in, or Qdrant itself where a registry can be reached; a test run may name another one, as `scripts/test.sh e2e backup` on a real server: the last of several. */
export const QDRANT_IMAGE = process.env.PBJRAG_QDRANT_IMAGE?.trim().split(" ").at(-1) ?? "qdrant/qdrant:v1.19.0";
/** In Qdrant's environment, and to be found nowhere else. */
export const PLANTED_KEY = "planted-qdrant-key-5e1f3a907c";

const MAIN = path.resolve(__dirname, "../../components/backup/main.js");
const RESTORE = path.resolve(__dirname, "../../components/restore/main.js");
const PROJECT = path.resolve(__dirname, "../../..");

export interface BackupRun extends Ended {
  /** Null when it failed. */
  readonly outcome: BackupOutcome | null;
}

export interface RunningBackup extends Running {
  readonly finished: Promise<BackupRun>;
}

/** A stack's data without the stack: a Qdrant, its volume, an uploads volume, and a data directory. */
export class BackupWorld {
  readonly stack = stackName("backup");
  readonly dataDir = mkdtempSync(path.join(tmpdir(), "backup-world-"));
  readonly qdrantVolume = `${this.stack}_qdrant`;
  readonly uploadsVolume = `${this.stack}_uploads`;
  readonly container = `pbjrag-${this.stack}-qdrant-0`;
  readonly docker = new Docker();

  get backups(): string {
    return path.join(this.dataDir, "backups", this.stack);
  }

  /** Directories there, whatever they are. */
  get directories(): string[] {
    return existsSync(this.backups) ? readdirSync(this.backups).sort() : [];
  }

  get marks(): string[] {
    const directory = path.join(this.dataDir, ".release", "run", this.stack, "snapshots");
    return existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith(".json")) : [];
  }

  journal(): JournalEvent[] {
    const file = path.join(this.dataDir, ".release", "run", this.stack, "journal.ndjson");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    return lines.map((line) => JSON.parse(line) as JournalEvent);
  }

  request(change: Partial<BackupRequest> = {}): BackupRequest {
    return {
      stack: this.stack, kind: "pre-deploy", of: { tag: "v1.0.0", commit: "1".repeat(40), revision: "v1.0.0-11111111" },
      before: { tag: "v2.0.0", commit: "2".repeat(40), revision: "v2.0.0-22222222" }, skipReason: "", dataDir: this.dataDir, qdrantVolume: this.qdrantVolume,
      uploadsVolume: this.uploadsVolume, qdrantImage: QDRANT_IMAGE, qdrantContainer: this.container, network: `pbjrag-${this.stack}`,
      scratch: { cpus: 1, memory: 1024 ** 3 }, deadlineMs: 120_000, settings: { version: "v1.0.0" }, ...change,
    };
  }

  /** Starts the backup's process, as the Pulumi program would; `wrapper` is put before it (strace). */
  start(change: Partial<BackupRequest> = {}, options: { env?: Record<string, string>; wrapper?: string[]; onOutput?: (text: string) => void; timeoutMs?: number } = {}): RunningBackup {
    const [file = process.execPath, ...args] = [...(options.wrapper ?? []), process.execPath, MAIN];
    const request = this.request(change);
    const env = { PBJRAG_BACKUP: JSON.stringify(request), PBJRAG_RUN: undefined, PBJRAG_FENCE: undefined, PBJRAG_DATA_DIR: undefined, ...options.env };
    const running = start(file, args, { cwd: PROJECT, env, onOutput: options.onOutput, timeoutMs: options.timeoutMs });
    const finished = running.ended.then((ended) => ({ ...ended, outcome: ended.exitCode === 0 ? (JSON.parse(ended.stdout) as BackupOutcome) : null }));
    return { ...running, finished };
  }

  run(change: Partial<BackupRequest> = {}, options: Parameters<BackupWorld["start"]>[1] = {}): Promise<BackupRun> {
    return this.start(change, options).finished;
  }

  /** Runs until the output has `text`, then does something to it. */
  async until(text: string, act: (running: RunningBackup) => unknown, change: Partial<BackupRequest> = {}): Promise<BackupRun> {
    let seen = "";
    const acted: { done?: Promise<unknown> } = {};
    const running: RunningBackup = this.start(change, {
      onOutput: (part) => {
        seen += part;
        if (acted.done === undefined && seen.includes(text)) acted.done = Promise.resolve(act(running));
      },
    });
    const ended = await running.finished;
    if (acted.done === undefined) throw new Error(`the backup never said "${text}":\n${ended.all}`);
    await acted.done;
    return ended;
  }

  /** A Qdrant on a volume, as the stack's own would be. */
  async startQdrant(volume = this.qdrantVolume, name = this.container, image = QDRANT_IMAGE): Promise<TestQdrant> {
    const label = { "pbjrag.stack": this.stack };
    await this.docker.createVolume({ Name: volume, Labels: { ...label, "pbjrag.role": "data" } });
    const container = await this.docker.createContainer({
      name, Image: image, Env: [`QDRANT__SERVICE__API_KEY=${PLANTED_KEY}`], Labels: { ...label, "pbjrag.role": "qdrant" }, ExposedPorts: { "6333/tcp": {} },
      HostConfig: { Mounts: [{ Type: "volume", Source: volume, Target: "/qdrant/storage" }], PortBindings: { "6333/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } },
    });
    await container.start();
    return this.connect(name);
  }

  async connect(name = this.container): Promise<TestQdrant> {
    const { NetworkSettings } = await this.docker.getContainer(name).inspect();
    const qdrant = new TestQdrant(`http://127.0.0.1:${NetworkSettings.Ports["6333/tcp"]?.[0]?.HostPort}`, PLANTED_KEY);
    await waitFor(`${name} answers`, () => qdrant.ready(), { withinMs: 120_000 });
    return qdrant;
  }

  /** The program's own client of the live Qdrant. */
  async client(): Promise<QdrantClient> {
    return new QdrantClient({ baseUrl: (await this.connect()).baseUrl, apiKey: PLANTED_KEY });
  }

  /** Docker's archive of the uploads, as a backup reads it. */
  async uploads(): Promise<{ archive: Readable; base: string }> {
    const holder = await this.docker.createContainer({ Image: QDRANT_IMAGE, Labels: { "pbjrag.stack": this.stack }, HostConfig: { Binds: [`${this.uploadsVolume}:/pbjrag/uploads:ro`] } });
    return { archive: (await holder.getArchive({ path: "/pbjrag/uploads" })) as Readable, base: "uploads" };
  }

  /** Runs a shell in a container that has a volume at /data; gives what it prints. */
  async inVolume(volume: string, script: string): Promise<string> {
    await this.docker.createVolume({ Name: volume, Labels: { "pbjrag.stack": this.stack, "pbjrag.role": "data" } });
    const ended = await mustRun("docker", ["run", "--rm", "--network", "none", "-v", `${volume}:/data`, "--entrypoint", "sh", QDRANT_IMAGE, "-ec", script], { cwd: this.dataDir });
    return ended.stdout;
  }

  /** Every entry of a volume with kind, mode, owner, target and content's hash. */
  listing(volume: string): Promise<string> {
    return this.inVolume(volume, "cd /data; find . -printf '%p %y %m %U:%G %l\\n' | sort; find . -type f -print0 | sort -z | xargs -0r sha256sum");
  }

  /** Containers and volumes of backups, dead or alive. */
  async scratches(): Promise<string[]> {
    const kept = await keptFor(this.stack);
    return [...kept.containers, ...kept.volumes].filter((name) => /-(scratch|reader)-/.test(name));
  }

  restoreRequest(generation: string, from: string, change: Partial<RestoreRequest> = {}): RestoreRequest {
    return {
      stack: this.stack, generation, from, volumes: { qdrant: `${this.qdrantVolume}-${generation}`, uploads: `${this.uploadsVolume}-${generation}` },
      qdrantImage: QDRANT_IMAGE, dataDir: this.dataDir, deadlineMs: 120_000, ...change,
    };
  }

  /** Starts the restore's process, as the Pulumi program would. */
  startRestore(request: RestoreRequest, options: { env?: Record<string, string>; onOutput?: (text: string) => void } = {}): Running {
    const env = { PBJRAG_RESTORE: JSON.stringify(request), PBJRAG_RUN: undefined, PBJRAG_FENCE: undefined, PBJRAG_DATA_DIR: undefined, ...options.env };
    return start(process.execPath, [RESTORE], { cwd: PROJECT, env, onOutput: options.onOutput });
  }

  /** What this program knows of a generation that it makes. */
  restoreRecord(generation: string): Promise<RestoreRecord | null> {
    return readRecord(dataPaths(this.dataDir, this.stack), generation);
  }

  /** Volumes of a generation, by whatever made them. */
  async volumesOf(generation: string): Promise<string[]> {
    return (await keptFor(this.stack)).volumes.filter((name) => name.endsWith(`-${generation}`));
  }

  /** All that a restored generation holds: its Qdrant is started on it, and its files are listed. */
  async restored(generation: string): Promise<{ points: Dump; uploads: string }> {
    const { volumes } = this.restoreRequest(generation, "");
    const name = `${this.container}-${generation}`;
    const qdrant = await this.startQdrant(volumes.qdrant, name);
    const points = await qdrant.dump();
    await this.docker.getContainer(name).remove({ force: true });
    return { points, uploads: await this.listing(volumes.uploads ?? "") };
  }

  async dispose(): Promise<void> {
    await removeStack(this.stack);
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Points with random vectors and a payload to index. */
export function randomPoints(random: Random, count: number, size: number, from = 0): { id: number; vector: number[]; payload: Record<string, unknown> }[] {
  return Array.from({ length: count }, (_, at) => ({
    id: from + at, vector: Array.from({ length: size }, () => random.int(-1_000_000, 1_000_000) / 1_000_000),
    payload: { city: random.pick(["Köln", "東京", "Oslo"]), n: at, text: "x".repeat(random.int(0, 50)), nested: { a: [1, null, true] } },
  }));
}
