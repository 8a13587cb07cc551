import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { extract } from "tar-stream";
import { dockerTar, type TarSource } from "./archive.js";
import { dockerCall, dockerCallOrNull, removeContainer } from "../runtime/docker.js";
import { logTail } from "../runtime/docker-exec.js";
import { labels } from "../runtime/labels.js";
import { toolContainer, volumeMount } from "../runtime/tool-container.js";
import type { Context, Leftovers } from "./context.js";
import { hasEntriesHere, hostDirectory, mapsUsers, measureHere } from "./host-volume.js";
import type { BackupRequest } from "./model.js";
import { scratchName } from "./names.js";

const ROOT = "/pbjrag";

export type Volume = "qdrant" | "uploads";

/** Bytes. */
export interface Measured {
  used: Record<Volume, number>;
  /** The file system where Docker keeps volumes and containers. */
  docker: { total: number; free: number };
}

/**
 * A container that has the data volumes mounted read-only and whose files Docker hands out as an archive. Nothing runs in it
 * but, once, `du` and `df`, and they only where this host does not see the files itself. Its image is any that is here: no image is
 * needed only for looking.
 */
export class Reader {
  private constructor(
    private readonly id: string,
    /** Of which it is made. */
    readonly image: string,
    readonly mounted: readonly Volume[],
    /** Where this host has them; see {@link hostDirectory}. */
    readonly directories: Readonly<Record<Volume, string | null>>,
  ) {}

  static async create(request: BackupRequest, context: Context, image: string, mounted: readonly Volume[], leftovers: Leftovers): Promise<Reader> {
    const sources: Record<Volume, string> = { qdrant: request.qdrantVolume, uploads: request.uploadsVolume };
    const name = scratchName(request.stack, "reader", context.token);
    leftovers.add(name, () => removeContainer(name));
    // Slow to tell, and asked meanwhile; told to whoever waits for it.
    const mapped = mapsUsers();
    mapped.catch(() => undefined);
    const made = await dockerCall(`create container ${name}`, (client, abortSignal) =>
      client.createContainer({
        ...toolContainer(image, { script: `du -sB1 ${ROOT}/*; df -B1 /` }, mounted.map((volume) => volumeMount(sources[volume], `${ROOT}/${volume}`, true))),
        name,
        Labels: labels({ stack: request.stack, role: "scratch", run: context.run }),
        abortSignal,
      }),
    );
    const directory = (volume: Volume): Promise<string | null> =>
      mounted.includes(volume) ? hostDirectory(sources[volume], { container: made.id, path: `${ROOT}/${volume}` }, mapped) : Promise.resolve(null);
    const [qdrant, uploads] = await Promise.all([directory("qdrant"), directory("uploads")]);
    return new Reader(made.id, image, mounted, { qdrant, uploads });
  }

  /** Docker's archive of a volume. */
  async archive(volume: Volume): Promise<TarSource> {
    const path = `${ROOT}/${volume}`;
    const stream = readable(await dockerCall(`read volume ${volume}`, (client) => client.getContainer(this.id).getArchive({ path })));
    return dockerTar(stream, volume);
  }

  /** Whether a directory of a volume has anything in it; null where there is no such directory. */
  async hasEntries(volume: Volume, directory = ""): Promise<boolean | null> {
    const here = this.directories[volume];
    if (here !== null) return hasEntriesHere(here, directory);
    const path = directory === "" ? `${ROOT}/${volume}` : `${ROOT}/${volume}/${directory}`;
    const archive = await dockerCallOrNull(`read ${path}`, (client) => client.getContainer(this.id).getArchive({ path }));
    return archive === null ? null : hasSecondEntry(readable(archive));
  }

  /** Sizes by this host's tools or the image's; null if it has none or they take too long. */
  async measure(withinMs: number): Promise<Measured | null> {
    return (await measureHere(this.mounted.map((volume) => [volume, this.directories[volume]]), withinMs)) ?? this.measureInside(withinMs);
  }

  private async measureInside(withinMs: number): Promise<Measured | null> {
    const output = await dockerCall(
      "measure the volumes",
      async (client, abortSignal) => {
        const container = client.getContainer(this.id);
        await container.start({ abortSignal });
        await container.wait({ abortSignal });
        return logTail(this.id, 10);
      },
      withinMs,
    ).catch(() => "");
    return parseMeasured(output);
  }
}

/** Lines of `du -sB1` and, last, of `df -B1 /`. */
export function parseMeasured(output: string): Measured | null {
  const used: Record<Volume, number> = { qdrant: 0, uploads: 0 };
  for (const match of output.matchAll(/^(\d+)\s+\/pbjrag\/(qdrant|uploads)$/gm)) used[match[2] as Volume] = Number(match[1]);
  const root = /^\S+\s+(\d+)\s+\d+\s+(\d+)\s+\S+\s+\/$/m.exec(output);
  return root === null ? null : { used, docker: { total: Number(root[1]), free: Number(root[2]) } };
}

/** The first entry of a directory's archive is the directory itself. The rest is not read. */
async function hasSecondEntry(archive: Readable): Promise<boolean> {
  const entries = archive.pipe(extract());
  const ended = finished(archive, { writable: false }).catch(() => undefined);
  let seen = 0;
  try {
    for await (const entry of entries) {
      seen += 1;
      if (seen > 1) break;
      entry.resume();
    }
  } finally {
    archive.destroy();
    await ended;
  }
  return seen > 1;
}

/** Docker's client types its stream older than it is. */
function readable(stream: NodeJS.ReadableStream): Readable {
  return stream as Readable;
}
