import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { QdrantClient } from "../qdrant/client.js";
import { dockerCall, dockerCallOrNull, hostPort, inspect, removeContainer } from "../runtime/docker.js";
import { execIn, logTail } from "../runtime/docker-exec.js";
import { labels } from "../runtime/labels.js";
import { CPU_SHARES } from "../runtime/tool-container.js";
import { dockerTar, type TarSource } from "./archive.js";
import type { Context } from "./context.js";
import { hostDirectory, mapsUsers } from "./host-volume.js";
import { type Done, SignsOfLife } from "./life.js";
import type { BackupRequest } from "./model.js";
import { scratchName } from "./names.js";
import { BackupProblem } from "./problem.js";
import { ANSWER_MS, untilReady } from "./source.js";

const STORAGE = "/qdrant/storage";
/** Seconds that it has to end by itself, as long as there is time: it writes what it holds of much data. */
const STOP_S = 300;
const REMOVE_MS = 120_000;
/** Milliseconds between two looks at what it does. */
const LOOK_MS = 2_000;
/** Milliseconds for a command in it. */
const EXEC_MS = 10_000;
/**
 * For a shell: asks the children of process 1 to end. In the official image (1.19.0) that process is a bash which passes SIGTERM on and ends at
 * once itself, whereupon the kernel kills the server: its own end has it end first. Exit code 1: there are none, process 1 is the server.
 */
const END_SERVER =
  'code=1; for process in /proc/[0-9]*; do while read -r key value; do if [ "$key $value" = "PPid: 1" ]; then kill -TERM "${process#/proc/}" && code=0; fi; done <"$process/status"; done 2>/dev/null; exit $code';
const LOST = "end what Docker lost when it was killed (`ps axf` shows a Qdrant that `docker ps` does not), or restart this machine, then run again";

/**
 * Somebody else answers where a scratch should: a program of a container that Docker lost when it was killed while it started it. It runs on,
 * and Docker gives its address to the next.
 */
export class ElsewhereProblem extends BackupProblem {}

/**
 * A Qdrant of the backup's own, on a fresh volume: what is restored into it proves the backup, and its storage, once it has
 * stopped, is the backup. On loopback only, with a random key, limited, never restarted, and removed in the end.
 */
export class Scratch {
  private readonly apiKey = randomBytes(24).toString("hex");

  private constructor(
    readonly name: string,
    private readonly memory: number,
    private readonly context: Context,
  ) {}

  /** Its volume and container, not started. */
  static async create(request: BackupRequest, context: Context, imageId: string, attempt: number): Promise<Scratch> {
    const scratch = new Scratch(scratchName(request.stack, "scratch", `${context.token}-${attempt}`), request.scratch.memory, context);
    try {
      await scratch.make(request, imageId);
    } catch (error) {
      await scratch.remove();
      throw error;
    }
    return scratch;
  }

  /**
   * Starts it and waits until it answers, which a busy host may make last: as long as it shows a sign of life, the backup's deadline decides.
   * @throws ElsewhereProblem, as long as this one runs no other gets its address; BackupProblem
   */
  async start(): Promise<QdrantClient> {
    await dockerCall(`start ${this.name}`, (client, abortSignal) => client.getContainer(this.name).start({ abortSignal }));
    const port = await hostPort(this.name, 6333);
    if (port === null) throw await this.failed("did not start");
    const client = new QdrantClient({ baseUrl: `http://127.0.0.1:${port}`, apiKey: this.apiKey, signal: this.context.signal, name: "the scratch Qdrant" });
    try {
      await untilReady(client, this.context, "the scratch Qdrant", { withinMs: this.context.remaining(), slow: true, assertHope: this.hope() });
    } catch (error) {
      if (!(error instanceof BackupProblem) || error.code !== "qdrant-answer") throw error;
      throw new ElsewhereProblem("scratch", `something else answers at the address that Docker gave the scratch Qdrant (port ${port} here), and knows nothing of its key`, LOST);
    }
    return client;
  }

  /** Looked at every few seconds. */
  private hope(): () => Promise<void> {
    const life = new SignsOfLife(performance.now());
    let looked = -Infinity;
    return async () => {
      await this.assertRuns();
      if (performance.now() < looked + LOOK_MS) return;
      looked = performance.now();
      const silent = life.silence(looked, await whatItDid(this.name));
      if (silent >= ANSWER_MS) throw await this.failed(`does not answer, and has neither worked nor said anything for ${Math.round(silent / 1000)} s`);
    };
  }

  /** @throws BackupProblem `scratch` when it has ended: out of memory, a version that does not take the data */
  async assertRuns(): Promise<void> {
    const { State } = await inspect(this.name);
    if (State.Running) return;
    const how = State.OOMKilled ? `ran out of its ${toMiB(this.memory)} of memory` : `ended with exit code ${State.ExitCode}`;
    throw await this.failed(how, State.OOMKilled ? "raise pbjrag:backup.scratchMemory and run again" : undefined);
  }

  /** Ends it gracefully; its storage is complete afterwards. */
  async stop(): Promise<void> {
    await this.assertRuns();
    const t = Math.ceil(Math.min(STOP_S, this.context.remaining() / 1000));
    await this.endServer(t * 1000);
    // One that has ended is no error for whoever wants it to end, but Docker calls it one.
    const { State: asked } = await inspect(this.name);
    if (asked.Running) await dockerCall(`stop ${this.name}`, (client) => client.getContainer(this.name).stop({ t }), (t + 30) * 1000);
    const { State } = await inspect(this.name);
    if (State.Running || State.OOMKilled) throw await this.failed("did not stop");
    if (State.ExitCode !== 0) this.context.say(`the scratch Qdrant was killed rather than ended (exit code ${State.ExitCode}): its write-ahead log makes up for that`);
  }

  /** Where the server is not the container's first process, which an end of that would kill. Whatever fails here, Docker stops it. */
  private async endServer(withinMs: number): Promise<void> {
    const asked = await execIn(this.name, ["sh", "-c", END_SERVER], { timeoutMs: EXEC_MS, user: "0" }).catch(() => null);
    if (asked?.exitCode !== 0) return;
    await dockerCall(`wait for ${this.name} to end`, (client, abortSignal) => client.getContainer(this.name).wait({ abortSignal }), withinMs).catch(() => undefined);
  }

  /** Where this host has its storage; see {@link hostDirectory}. */
  directory(): Promise<string | null> {
    return hostDirectory(this.name, { container: this.name, path: STORAGE }, mapsUsers());
  }

  /** Docker's archive of the storage directory of one that has stopped. */
  async archive(): Promise<TarSource> {
    const stream = await dockerCall(`read the storage of ${this.name}`, (client) => client.getContainer(this.name).getArchive({ path: STORAGE }));
    return dockerTar(stream as Readable, "storage");
  }

  /** Fills the storage of a scratch that was never started, from an archive whose entries are relative to it. */
  async fill(archive: Readable): Promise<void> {
    await dockerCall(
      `copy the storage into ${this.name}`,
      (client, abortSignal) => client.getContainer(this.name).putArchive(archive, { path: STORAGE, abortSignal }),
      this.context.remaining(),
    );
  }

  async remove(): Promise<void> {
    await removeContainer(this.name);
    await removeVolume(this.name);
  }

  private async make(request: BackupRequest, imageId: string): Promise<void> {
    const own = labels({ stack: request.stack, role: "scratch", run: this.context.run });
    await dockerCall(`create volume ${this.name}`, (client, abortSignal) => client.createVolume({ Name: this.name, Labels: own, abortSignal }));
    await dockerCall(`create container ${this.name}`, (client, abortSignal) =>
      client.createContainer({
        name: this.name,
        Image: imageId,
        Env: [`QDRANT__SERVICE__API_KEY=${this.apiKey}`, "QDRANT__TELEMETRY_DISABLED=true"],
        ExposedPorts: { "6333/tcp": {} },
        Labels: own,
        HostConfig: {
          Mounts: [{ Type: "volume", Source: this.name, Target: STORAGE }],
          PortBindings: { "6333/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
          NanoCpus: Math.round(request.scratch.cpus * 1e9),
          Memory: request.scratch.memory,
          MemorySwap: request.scratch.memory,
          CpuShares: CPU_SHARES,
          SecurityOpt: ["no-new-privileges:true"],
          RestartPolicy: { Name: "no" },
          LogConfig: { Type: "json-file", Config: { "max-size": "5m", "max-file": "1" } },
        },
        abortSignal,
      }),
    );
  }

  private async failed(how: string, next?: string): Promise<BackupProblem> {
    const lines = (await logTail(this.name, 10)).split("\n").filter((line) => line.trim() !== "");
    return new BackupProblem("scratch", `the scratch Qdrant, into which the backup is restored to prove it, ${how}`, next, lines);
  }
}

/** Null where Docker does not tell. */
async function whatItDid(name: string): Promise<Done | null> {
  try {
    const stats = await dockerCall(`look at ${name}`, (client) => client.getContainer(name).stats({ stream: false, "one-shot": true }));
    return { cpuMs: stats.cpu_stats.cpu_usage.total_usage / 1e6, said: await logTail(name, 1) };
  } catch {
    return null;
  }
}

export async function removeVolume(name: string): Promise<void> {
  await dockerCallOrNull(`remove volume ${name}`, (client, abortSignal) => client.getVolume(name).remove({ abortSignal }), REMOVE_MS);
}

function toMiB(bytes: number): string {
  return `${Math.round(bytes / (1024 * 1024))} MiB`;
}
