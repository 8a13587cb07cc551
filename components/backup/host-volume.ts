import { execFile } from "node:child_process";
import type { BigIntStats } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import path from "node:path";
import type Docker from "dockerode";
import { z } from "zod";
import { dockerCall, dockerCallOrNull } from "../runtime/docker.js";
import type { Measured, Volume } from "./reader.js";
import { spaceOf } from "./space.js";

/** Where a container has a volume mounted; it need not run. */
export interface Mount {
  container: string;
  path: string;
}

/** Docker's answer on a path of a container, of which the types know nothing. */
const PATH_STAT = "x-docker-container-path-stat";
const pathStat = z.object({ size: z.number(), mtime: z.string() });
type PathStat = z.infer<typeof pathStat>;

/**
 * The directory of a volume on this host, where this process sees in it what a container sees: it is root, and Docker runs here, with
 * one view of users for all. Reading the files there spares the start of a container each time.
 * @param mount of that volume: what Docker tells of it must be what lies here, as the path could be that of another Docker
 * @param mapped whether Docker maps users, see {@link mapsUsers}
 * @returns null: they are to be read in a container
 */
export async function hostDirectory(volume: string, mount: Mount, mapped: Promise<boolean>): Promise<string | null> {
  if (process.getuid?.() !== 0) return null;
  const info = await dockerCallOrNull(`inspect volume ${volume}`, (client, abortSignal) => client.getVolume(volume).inspect({ abortSignal }));
  if (info === null || !isPlain(info)) return null;
  const here = await directoryStat(info.Mountpoint);
  if (here === null || (await mapped)) return null;
  const seen = await seenByDocker(mount);
  return seen !== null && Number(here.size) === seen.size && here.mtimeNs === nanoseconds(seen.mtime) ? info.Mountpoint : null;
}

/** One with options (a network's, another directory's) is mounted only while a container uses it. */
function isPlain({ Driver, Options }: Pick<Docker.VolumeInspectInfo, "Driver" | "Options">): boolean {
  return Driver === "local" && Object.keys(Options ?? {}).length === 0;
}

async function directoryStat(directory: string): Promise<BigIntStats | null> {
  const stat = await lstat(directory, { bigint: true }).catch(() => null);
  return stat?.isDirectory() === true ? stat : null;
}

/** Whether owners of files are other numbers here than in containers. */
export async function mapsUsers(): Promise<boolean> {
  const { SecurityOptions } = z.object({ SecurityOptions: z.array(z.string()).nullish() }).parse(await dockerCall("ask Docker how it runs", (client) => client.info()));
  return (SecurityOptions ?? []).some((option) => /^name=(userns|rootless)\b/.test(option));
}

async function seenByDocker({ container, path }: Mount): Promise<PathStat | null> {
  const answer = await dockerCall(`look at ${path} of container ${container}`, async (client, abortSignal) => (await client.getContainer(container).infoArchive({ path, abortSignal })) as IncomingMessage);
  answer.resume();
  return parsePathStat(answer.headers[PATH_STAT]);
}

/** Null for what is none: not every Docker tells it. */
export function parsePathStat(header: unknown): PathStat | null {
  try {
    return pathStat.parse(JSON.parse(Buffer.from(String(header), "base64").toString("utf8")));
  } catch {
    return null;
  }
}

/** Since 1970, of a time as Go writes it (RFC 3339 with up to nine digits of a second's fraction). */
export function nanoseconds(time: string): bigint | null {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time);
  if (parts === null) return null;
  const [, seconds = "", fraction = "", zone = ""] = parts;
  return BigInt(Date.parse(`${seconds}${zone}`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

/** As {@link Reader.hasEntries}, of a directory in that of a volume: no link is followed. */
export async function hasEntriesHere(root: string, directory: string): Promise<boolean | null> {
  const there = path.join(root, directory);
  if ((await directoryStat(there)) === null) return null;
  const entries = await opendir(there);
  try {
    return (await entries.read()) !== null;
  } finally {
    await entries.close();
  }
}

/** As {@link Reader.measure}; null where one of them is not here, or `du` does not tell. */
export async function measureHere(volumes: readonly (readonly [Volume, string | null])[], withinMs: number): Promise<Measured | null> {
  const used: Measured["used"] = { qdrant: 0, uploads: 0 };
  let docker: Measured["docker"] | null = null;
  for (const [volume, directory] of volumes) {
    const bytes = directory === null ? null : await diskUsage(directory, withinMs);
    if (directory === null || bytes === null) return null;
    used[volume] = bytes;
    // Of the directory of all volumes: one of them may be a disk of its own.
    docker ??= await spaceOf(path.dirname(path.dirname(directory)));
  }
  return docker === null ? null : { used, docker };
}

/** Also where files went away meanwhile, of which `du` complains. */
function diskUsage(directory: string, timeout: number): Promise<number | null> {
  return new Promise((resolve) => {
    execFile("du", ["-sB1", "--", directory], { timeout: Math.ceil(timeout) }, (_error, output) => {
      const bytes = /^(\d+)\s/.exec(output)?.[1];
      resolve(bytes === undefined ? null : Number(bytes));
    });
  });
}
