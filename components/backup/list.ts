import path from "node:path";
import { messageOf } from "../runtime/errors.js";
import type { DataPaths } from "../runtime/paths.js";
import { directoryNames } from "./files.js";
import { isProven, type Manifest } from "./manifest.js";
import { manifestIn } from "./manifest-file.js";
import { isBackup } from "./names.js";
import { isKnown, NOT_KNOWN, readKey } from "./origin.js";
import { pinnedOf } from "./pins.js";

/** One backup as its manifest tells it. */
export interface BackupSummary {
  /** Directory below `backups/<stack>/`. */
  name: string;
  kind: Manifest["kind"] | "";
  /** ISO 8601; "" where the manifest cannot be read. */
  created: string;
  /** Tag of the release whose data it holds; "" before the first. */
  of: string;
  /** Revision of that release; "" before the first. */
  revision: string;
  before: string;
  qdrantVersion: string;
  /** Points per collection. */
  collections: Record<string, number>;
  /** Uploaded files. */
  files: number;
  /** Size of the archives on disk. */
  bytes: number;
  /** Its data was restored into a scratch Qdrant and counted there, and its archives were read to their end. */
  proven: boolean;
  /** Retention leaves it alone until it is unpinned. */
  pinned: boolean;
  /** Why it is not to be relied on; "" when its manifest is whole. Content is not read here. */
  problem: string;
}

/** Where the backups are, and what tells whose they are: without the key's place, that is not looked at. */
export type ListPaths = Pick<DataPaths, "backups"> & Partial<Pick<DataPaths, "stack" | "backupKey">>;

/** Backups that one stack may take from one that is still there to the next: a number that is further from all others is none of ours. */
const MOST_APART = 1_000_000;

interface Numbered {
  /** 0 where the manifest cannot be read, is from before backups were numbered, or is not the stack's own. */
  seq: number;
  summary: BackupSummary;
}

/** Finished backups of a stack, oldest first; unfinished ones and other directories are left out. */
export async function listBackups(paths: ListPaths): Promise<BackupSummary[]> {
  const found = await numbered(paths);
  found.sort((a, b) => a.seq - b.seq || order(a.summary) - order(b.summary) || stampOf(a.summary.name).localeCompare(stampOf(b.summary.name), "en", { numeric: true }));
  return found.map(({ summary }) => summary);
}

/** The number of the next backup: only for who holds the lock, or two could get the same. */
export async function nextNumber(paths: ListPaths): Promise<number> {
  return 1 + Math.max(0, ...(await numbered(paths)).map(({ seq }) => seq));
}

async function numbered({ backups, stack, backupKey }: ListPaths): Promise<Numbered[]> {
  const there = await directoryNames(backups);
  const pinned = new Set(pinnedOf(there));
  const key = backupKey === undefined ? null : readKey({ backupKey });
  const known = (directory: string, bytes: Buffer): boolean => isKnown(directory, stack ?? "", key, bytes);
  return plausible(there.filter(isBackup).map((name) => {
    const { seq, summary } = read(backups, name, known);
    return { seq, summary: { ...summary, pinned: pinned.has(name) } };
  }));
}

function read(backups: string, name: string, known: (directory: string, bytes: Buffer) => boolean): { seq: number; summary: Omit<BackupSummary, "pinned"> } {
  const directory = path.join(backups, name);
  try {
    const { manifest, bytes } = manifestIn(directory);
    const summary = summarize(name, manifest);
    if (summary.problem === "" && !known(directory, bytes)) return { seq: 0, summary: { ...summary, problem: NOT_KNOWN } };
    return { seq: manifest.seq ?? 0, summary };
  } catch (error) {
    const nothing = { kind: "", created: "", of: "", revision: "", before: "", qdrantVersion: "", collections: {}, files: 0, bytes: 0, proven: false } as const;
    return { seq: 0, summary: { name, ...nothing, problem: messageOf(error) } };
  }
}

/** Without numbers that nobody gave: the next backup would have none left. Pure. */
function plausible(all: readonly Numbered[]): Numbered[] {
  let last = 0;
  return [...all].sort((a, b) => a.seq - b.seq).map((one) => {
    if (one.seq - last > MOST_APART) return { seq: 0, summary: { ...one.summary, problem: `its manifest says that it is backup number ${one.seq}, which this stack cannot have come to` } };
    last = one.seq;
    return one;
  });
}

function summarize(name: string, manifest: Manifest): Omit<BackupSummary, "pinned"> {
  const collections = Object.entries(manifest.qdrant?.collections ?? {}).map(([collection, { points }]) => [collection, points] as const);
  return {
    name,
    kind: manifest.kind,
    created: manifest.created,
    of: manifest.of?.tag ?? "",
    revision: manifest.of?.revision ?? "",
    before: manifest.before.tag,
    qdrantVersion: manifest.qdrant?.version ?? "",
    collections: Object.fromEntries(collections),
    files: manifest.uploads.files,
    bytes: Object.values(manifest.files).reduce((sum, file) => sum + file.size, 0),
    proven: isProven(manifest),
    problem: manifest.name === name ? "" : `its manifest says it is ${manifest.name}`,
  };
}

/** For those without a number. Unreadable ones first: the last of the list is taken for the newest backup. */
function order(summary: BackupSummary): number {
  return summary.created === "" ? 0 : Date.parse(summary.created);
}

function stampOf(name: string): string {
  return name.replace(/^pre-[a-z]+-/, "");
}
