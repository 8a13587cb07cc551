import type { BackupRequest } from "./model.js";

/** Names of what a backup makes. Pure. */

export const FILES = {
  qdrant: "qdrant-data.tar.gz",
  uploads: "uploads.tar.gz",
  commit: "git-commit.txt",
  tag: "git-tag.txt",
  config: "stack-config.json",
  index: "index.ndjson.gz",
  manifest: "manifest.json",
  /** Of the manifest, in the form of `sha256sum`: the manifest has the sums of all others. */
  sum: "manifest.sha256",
  /** Who wrote the manifest: see origin.ts. Absent in old ones. */
  mac: "manifest.hmac",
} as const;

const PARTIAL = ".partial";
const SWEPT = ".swept-";
const BACKUP = /^pre-(deploy|rollback)-\d{8}-\d{6}(-\d+)?$/;

/** `pre-deploy-20260131-235959` in local time, as `date` prints it; `-2` and so on where that is taken. */
export function backupName(kind: BackupRequest["kind"], at: Date, taken: readonly string[]): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  const base = `${kind}-${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
  const used = new Set(taken.map((name) => (name.endsWith(PARTIAL) ? name.slice(0, -PARTIAL.length) : name)));
  let name = base;
  for (let n = 2; used.has(name); n++) name = `${base}-${n}`;
  return name;
}

/** A finished backup's directory: anything else there is not taken for one. */
export function isBackup(name: string): boolean {
  return BACKUP.test(name);
}

export function partialOf(name: string): string {
  return `${name}${PARTIAL}`;
}

/** A directory that an unfinished backup left, under its own name or the one given to it before removal. */
export function isLeftover(name: string): boolean {
  const swept = name.indexOf(SWEPT);
  return isBackup(swept === -1 ? withoutPartial(name) : name.slice(0, swept)) && !isBackup(name);
}

/** The name that a leftover gets before it is removed: its writer, should it still live, can then not finish it. */
export function sweptName(leftover: string, token: string): string {
  return `${withoutPartial(leftover).split(SWEPT)[0] ?? ""}${SWEPT}${token}`;
}

/** Docker's name for what this backup makes, unique by `token`. */
export function scratchName(stack: string, what: "scratch" | "reader" | "space", token: string): string {
  return `pbjrag-${stack}-${what}-${token}`;
}

function withoutPartial(name: string): string {
  return name.endsWith(PARTIAL) ? name.slice(0, -PARTIAL.length) : name;
}
