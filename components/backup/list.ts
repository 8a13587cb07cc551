import { readFile } from "node:fs/promises";
import path from "node:path";
import type { DataPaths } from "../runtime/paths.js";
import { directoryNames } from "./files.js";
import { isProven, type Manifest, parseManifest } from "./manifest.js";
import { FILES, isBackup } from "./names.js";
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

interface Numbered {
  /** 0 where the manifest cannot be read or is from before backups were numbered. */
  seq: number;
  summary: BackupSummary;
}

/** Finished backups of a stack, oldest first; unfinished ones and other directories are left out. */
export async function listBackups(paths: Pick<DataPaths, "backups">): Promise<BackupSummary[]> {
  const found = await numbered(paths);
  found.sort((a, b) => a.seq - b.seq || order(a.summary) - order(b.summary) || stampOf(a.summary.name).localeCompare(stampOf(b.summary.name), "en", { numeric: true }));
  return found.map(({ summary }) => summary);
}

/** The number of the next backup: only for who holds the lock, or two could get the same. */
export async function nextNumber(paths: Pick<DataPaths, "backups">): Promise<number> {
  return 1 + Math.max(0, ...(await numbered(paths)).map(({ seq }) => seq));
}

async function numbered({ backups }: Pick<DataPaths, "backups">): Promise<Numbered[]> {
  const there = await directoryNames(backups);
  const pinned = new Set(pinnedOf(there));
  return Promise.all(there.filter(isBackup).map(async (name) => {
    const { seq, summary } = await read(backups, name);
    return { seq, summary: { ...summary, pinned: pinned.has(name) } };
  }));
}

async function read(backups: string, name: string): Promise<{ seq: number; summary: Omit<BackupSummary, "pinned"> }> {
  try {
    const manifest = parseManifest(await readFile(path.join(backups, name, FILES.manifest), "utf8"));
    return { seq: manifest.seq ?? 0, summary: summarize(name, manifest) };
  } catch {
    const nothing = { kind: "", created: "", of: "", revision: "", before: "", qdrantVersion: "", collections: {}, files: 0, bytes: 0, proven: false } as const;
    return { seq: 0, summary: { name, ...nothing, problem: "it has no readable manifest.json" } };
  }
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
