import type { Readable } from "node:stream";
import type { MountSettings } from "dockerode";
import type { Leftovers } from "../backup/context.js";
import { dockerCall, listByLabels, removeContainer } from "../runtime/docker.js";
import { logTail } from "../runtime/docker-exec.js";
import type { Pipe } from "../backup/pipe.js";
import type { Runner } from "../backup/volume-runner.js";
import { DIG, UNTAR } from "../backup/volume-untar.js";
import { labels } from "../runtime/labels.js";
import { toolContainer, volumeMount } from "../runtime/tool-container.js";
import type { Context } from "../runtime/task.js";
import type { RestoreRequest } from "./model.js";

const ROOT = "/pbjrag";
const PIPES = "/pbjrag-pipes";
/** Milliseconds for its command. */
const RUN_MS = 120_000;

/** What its one command may be. */
export const COMMANDS = {
  /** Free bytes where Docker keeps volumes. */
  space: "df -B1 /",
  /** All that was written to the volumes is on the disk. */
  sync: `sync -f ${ROOT}/* || sync`,
  /** The tar that comes through a pipe, into the one volume. */
  unpack: UNTAR,
  /** Zeros of the one volume's files become holes. */
  dig: DIG,
} as const;

/** A container without a network through which Docker writes into volumes; nothing runs in it but, once, its command. */
export class Helper {
  private constructor(
    readonly name: string,
    private readonly context: Context,
  ) {}

  /**
   * @param volumes Docker's names, by the part that each holds: mounted for {@link unpack}, and the first given to the command
   * @param pipe given to the command
   */
  static async create(
    request: RestoreRequest, context: Context, what: keyof typeof COMMANDS, volumes: RestoreRequest["volumes"], leftovers: Leftovers, pipe?: Pipe,
  ): Promise<Helper> {
    const name = `pbjrag-${request.stack}-${what}-${context.token}`;
    leftovers.add(name, () => removeContainer(name));
    const mounts: MountSettings[] = Object.entries(volumes).map(([part, volume]) => volumeMount(volume, `${ROOT}/${part}`, false));
    if (pipe !== undefined) mounts.push({ Type: "bind", Source: pipe.directory, Target: PIPES });
    const args = ["sh", `${ROOT}/${Object.keys(volumes)[0] ?? ""}`, pipe === undefined ? "" : `${PIPES}/${pipe.name}`];
    await dockerCall(`create container ${name}`, (client, abortSignal) =>
      client.createContainer({
        ...toolContainer(request.qdrantImage, { script: COMMANDS[what], args }, mounts),
        name,
        Labels: labels({ stack: request.stack, role: "helper", generation: request.generation, run: context.run }),
        abortSignal,
      }),
    );
    return new Helper(name, context);
  }

  /** Removes those that a killed restore of this generation left. */
  static async sweep({ stack, generation }: RestoreRequest): Promise<void> {
    for (const container of await listByLabels({ stack, role: "helper", generation }, { all: true })) await removeContainer(container.Id);
  }

  /** Unpacks an archive, whose entries are relative, into the volume of a part; owners and modes as in the archive. */
  async unpack(part: "qdrant" | "uploads", archive: Readable, signal: AbortSignal): Promise<void> {
    await dockerCall(
      `unpack into the volume of ${part}`,
      (client, late) => client.getContainer(this.name).putArchive(archive, { path: `${ROOT}/${part}`, abortSignal: AbortSignal.any([late, signal]) }),
      this.context.remaining(),
    );
  }

  /** Its command, for who needs no answer but that. */
  get runner(): Runner {
    const run = (): Promise<number> => this.run(this.context.remaining()).then(({ exitCode }) => exitCode);
    return { run, said: () => logTail(this.name, 5), remove: () => removeContainer(this.name) };
  }

  /** Runs its command. @returns what it prints, and its exit code */
  async run(withinMs = RUN_MS): Promise<{ output: string; exitCode: number }> {
    return dockerCall(
      `run ${this.name}`,
      async (client, abortSignal) => {
        const container = client.getContainer(this.name);
        await container.start({ abortSignal });
        const { StatusCode: exitCode } = (await container.wait({ abortSignal })) as { StatusCode: number };
        return { output: await logTail(this.name, 10), exitCode };
      },
      withinMs,
    );
  }
}
