/** What this host has, read from Docker and the file system. Reads only: previews call it. Judged in rules.ts and capacity.ts. */
import { stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { storedBytes } from "../backup/manifest.js";
import { manifestIn } from "../backup/manifest-file.js";
import { acceptWith, isKnown, NOT_KNOWN, type OriginPaths, readKey } from "../backup/origin.js";
import { dockerCall, dockerCallOrNull, inspectOrNull } from "../runtime/docker.js";
import { codeOf, messageOf, ReleaseError } from "../runtime/errors.js";
import { LABEL, labelFilter } from "../runtime/labels.js";
import type { DataPaths } from "../runtime/paths.js";
import { readRecord } from "../restore/record.js";
import { readLive } from "../traffic/live.js";
import type { DataFacts, Disk, HostFacts } from "./capacity.js";
import type { BackupFact } from "./data-rules.js";
import { stackNames } from "./names.js";
import type { LiveFact, PortFact, VolumeFact } from "./rules.js";

/** Milliseconds: Docker walks through the volumes to answer. */
const SIZES_MS = 120_000;
/** Milliseconds for which a refusal to measure is met by asking again, and between two questions. */
const REFUSED_MS = 60_000;
const AGAIN_MS = 200;
const PROXY_INNER_PORT = 8080;

/** @param dataDir absolute */
export async function readHost(dataDir: string): Promise<HostFacts> {
  const info = await dockerCall("info", async (client) => (await client.info()) as { MemTotal: number; NCPU: number; DockerRootDir: string });
  const [dockerDisk, dataDisk] = await Promise.all([diskOf(info.DockerRootDir), diskOf(dataDir)]);
  return { memory: info.MemTotal, cpus: info.NCPU, dockerDisk, dataDisk };
}

/** Of the nearest directory that is there: dataDir is made by the first backup. Null: it may not be looked at. */
async function diskOf(directory: string): Promise<Disk | null> {
  for (let at = directory; ; at = path.dirname(at)) {
    try {
      const [room, { dev }] = await Promise.all([statfs(at), stat(at)]);
      return { free: room.bavail * room.bsize, device: String(dev) };
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || at === path.dirname(at)) {
        return null;
      }
    }
  }
}

/** Those of the images that are here. */
export async function existingImages(ids: readonly string[]): Promise<Set<string>> {
  const checks = [...new Set(ids)].map(async (id) => ((await dockerCallOrNull(`inspect image ${id}`, (client) => client.getImage(id).inspect())) === null ? [] : [id]));
  return new Set((await Promise.all(checks)).flat());
}

export async function readVolumes(names: readonly string[]): Promise<VolumeFact[]> {
  return Promise.all(
    names.map(async (name) => {
      const volume = await dockerCallOrNull(`inspect volume ${name}`, (client) => client.getVolume(name).inspect());
      // The type leaves out that a volume made without labels has null in their place.
      const labels: Record<string, string> | null | undefined = volume?.Labels;
      return { name, owner: volume === null ? null : (labels?.[LABEL.stack] ?? "") };
    }),
  );
}

/** Who listens where the front door is to be. */
export async function readPort(stack: string, bind: string, port: number): Promise<PortFact> {
  const containers = await dockerCall("list containers", (client) => client.listContainers());
  const publisher = containers.find(({ Ports }) => Ports.some((entry) => entry.PublicPort === port && entry.Type === "tcp" && overlap(entry.IP, bind)));
  if (publisher !== undefined) {
    const name = (publisher.Names[0] ?? publisher.Id).replace(/^\//, "");
    return name === stackNames(stack).proxyContainer ? { state: "ours" } : { state: "taken", by: `container ${name}` };
  }
  const code = await tryListen(bind, port);
  if (code === "EADDRINUSE") {
    return (await isOurs(stack, port)) ? { state: "ours" } : { state: "taken", by: "another program" };
  }
  return code === "EADDRNOTAVAIL" ? { state: "taken", by: "nobody, but this host has no such address" } : { state: "free" };
}

const ANY = ["0.0.0.0", "::"];

function overlap(a: string | undefined, b: string): boolean {
  return a === undefined || a === "" || a === b || ANY.includes(a) || ANY.includes(b);
}

/** A proxy that is about to start holds the port before Docker lists it. */
async function isOurs(stack: string, port: number): Promise<boolean> {
  const info = await inspectOrNull(stackNames(stack).proxyContainer);
  const bindings = (info?.HostConfig.PortBindings ?? {}) as Record<string, { HostPort?: string }[] | undefined>;
  return info?.State.Running === true && (bindings[`${PROXY_INNER_PORT}/tcp`] ?? []).some(({ HostPort }) => HostPort === String(port));
}

/** @returns "" if one may listen there, else the system's code */
function tryListen(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(codeOf(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve("")));
  });
}

export async function readLiveFact(stack: string): Promise<LiveFact> {
  const live = await readLive(stack);
  return { table: live === null ? null : { seq: live.table.seq, serving: live.table.serving } };
}

/** Data generations of this stack that have volumes: those whose making was stopped halfway count for none, as they are begun again. */
export async function readGenerations(paths: DataPaths, stack: string): Promise<Set<string>> {
  const filters = JSON.stringify({ label: labelFilter({ stack, role: "data" }) });
  const { Volumes } = await dockerCall("list volumes", (client) => client.listVolumes({ filters }));
  const generations = [...new Set(Volumes.flatMap(({ Labels }) => Labels?.[LABEL.generation] ?? []))];
  const records = await Promise.all(generations.map((generation) => readRecord(paths, generation)));
  return new Set(generations.filter((_generation, at) => records[at] === null || records[at]?.done !== null));
}

/** Of a backup of the stack, by its manifest alone. */
export function readBackupFact(paths: OriginPaths, name: string): BackupFact {
  const none = { name, of: "", qdrantVersion: "", unpacked: 0 };
  try {
    const directory = path.join(paths.backups, name);
    const { manifest: { of, before, qdrant, uploads }, bytes } = manifestIn(directory);
    if (!isKnown(directory, paths.stack, readKey(paths), bytes)) return { ...none, problem: NOT_KNOWN, next: acceptWith(name) };
    return { name, problem: "", of: (of ?? before).tag, qdrantVersion: qdrant?.version ?? "", unpacked: (qdrant === null ? 0 : storedBytes(qdrant.storage)) + storedBytes(uploads) };
  } catch (error) {
    return { ...none, problem: messageOf(error) };
  }
}

/** Sizes for the disk's share of the capacity. @param images recorded ones, newest last */
export async function readDataSizes(volumes: { qdrant: string; uploads: string }, images: readonly string[]): Promise<Omit<DataFacts, "restored">> {
  const usage = await measure();
  // -1 stands for a size that Docker does not know.
  const sizeOf = (name: string): number => Math.max(0, usage.Volumes?.find((volume) => volume.Name === name)?.UsageData?.Size ?? 0);
  return { qdrant: sizeOf(volumes.qdrant), uploads: sizeOf(volumes.uploads), image: await newestSize(images) };
}

interface DiskUsage {
  Volumes: { Name: string; UsageData: { Size: number } | null }[] | null;
}

/** Docker measures for one at a time and refuses whoever else asks meanwhile, another stack's preview for one. */
async function measure(): Promise<DiskUsage> {
  const until = performance.now() + REFUSED_MS;
  for (;;) {
    try {
      return await dockerCall("measure volumes", async (client) => (await client.df()) as DiskUsage, SIZES_MS);
    } catch (error) {
      if (!(error instanceof ReleaseError) || error.code !== "dockerFailed" || performance.now() > until) {
        throw error;
      }
      await sleep(AGAIN_MS);
    }
  }
}

async function newestSize(images: readonly string[]): Promise<number | null> {
  for (const id of [...new Set(images)].reverse()) {
    const image = await dockerCallOrNull(`inspect image ${id}`, (client) => client.getImage(id).inspect());
    if (image !== null) {
      return image.Size;
    }
  }
  return null;
}
