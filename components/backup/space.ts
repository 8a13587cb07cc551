import { statfs } from "node:fs/promises";
import { grouped } from "../settings/units.js";
import type { Measured } from "./reader.js";
import { BackupProblem } from "./problem.js";

/** For the small files, the directory and the file system's own needs. Bytes. */
const MARGIN = 16 * 1024 * 1024;
/** Of Qdrant's size on Docker's disk: its own snapshot, the upload, and what the scratch makes of it. */
export const COPIES = 3;

export interface Space {
  /** Bytes of the file system that the backup is written to. */
  total: number;
  free: number;
}

export async function spaceOf(directory: string): Promise<Space> {
  const { blocks, bavail, bsize } = await statfs(directory);
  return { total: blocks * bsize, free: bavail * bsize };
}

/** Bytes that the backup may take: vectors hardly compress, so nothing is counted on. */
export function neededFor(measured: Measured): number {
  return measured.used.qdrant + measured.used.uploads + MARGIN;
}

/**
 * Refuses before anything is made. Pure.
 * @throws BackupProblem `disk-full`
 */
export function assertSpace(directory: string, space: Space, measured: Measured): void {
  const backup = neededFor(measured);
  const docker = measured.used.qdrant * COPIES;
  // Two mounts of one file system tell the same size: then it must hold both.
  const shared = space.total === measured.docker.total;
  const needed = shared ? backup + docker : backup;
  if (space.free < needed) throw tooLittle(directory, needed, space.free);
  if (!shared && measured.docker.free < docker) throw tooLittle("Docker's data directory", docker, measured.docker.free);
}

export function tooLittle(where: string, needed: number, free: number): BackupProblem {
  return new BackupProblem(
    "disk-full",
    `the backup may need ${mebibytes(needed)} in ${where} and ${mebibytes(free)} are free there`,
    "free some space (old backups can be deleted, directory by directory), or set pbjrag:dataDir to a larger disk, then run again",
  );
}

export function mebibytes(bytes: number): string {
  return `${grouped(bytes / (1024 * 1024), 1)} MiB`;
}
