import { readFile } from "node:fs/promises";
import path from "node:path";
import type { DataPaths } from "../runtime/paths.js";
import { type Manifest, parseManifest } from "./manifest.js";
import { FILES, isBackup } from "./names.js";
import { directoryNames } from "./sweep.js";

/** One backup as its manifest tells it. */
export interface BackupSummary {
  /** Directory below `backups/<stack>/`. */
  name: string;
  kind: Manifest["kind"] | "";
  /** ISO 8601; "" where the manifest cannot be read. */
  created: string;
  /** Tag of the release whose data it holds; "" before the first. */
  of: string;
  before: string;
  qdrantVersion: string;
  /** Points per collection. */
  collections: Record<string, number>;
  /** Uploaded files. */
  files: number;
  /** Size of the archives on disk. */
  bytes: number;
  /** Why it is not to be relied on; "" when its manifest is whole. Content is not read here. */
  problem: string;
}

/** Finished backups of a stack, oldest first by their names; unfinished ones and other directories are left out. */
export async function listBackups(paths: Pick<DataPaths, "backups">): Promise<BackupSummary[]> {
  const names = (await directoryNames(paths.backups)).filter(isBackup);
  const found = await Promise.all(names.map((name) => summaryOf(paths.backups, name)));
  return found.sort((a, b) => order(a) - order(b) || stampOf(a.name).localeCompare(stampOf(b.name), "en", { numeric: true }));
}

async function summaryOf(backups: string, name: string): Promise<BackupSummary> {
  try {
    const manifest = parseManifest(await readFile(path.join(backups, name, FILES.manifest), "utf8"));
    return summarize(name, manifest);
  } catch {
    return { name, kind: "", created: "", of: "", before: "", qdrantVersion: "", collections: {}, files: 0, bytes: 0, problem: "it has no readable manifest.json" };
  }
}

function summarize(name: string, manifest: Manifest): BackupSummary {
  const collections = Object.entries(manifest.qdrant?.collections ?? {}).map(([collection, { points }]) => [collection, points] as const);
  return {
    name,
    kind: manifest.kind,
    created: manifest.created,
    of: manifest.of?.tag ?? "",
    before: manifest.before.tag,
    qdrantVersion: manifest.qdrant?.version ?? "",
    collections: Object.fromEntries(collections),
    files: manifest.uploads.files,
    bytes: Object.values(manifest.files).reduce((sum, file) => sum + file.size, 0),
    problem: manifest.name === name ? "" : `its manifest says it is ${manifest.name}`,
  };
}

/** Unreadable ones first: the last of the list is taken for the newest backup. */
function order(summary: BackupSummary): number {
  return summary.created === "" ? 0 : Date.parse(summary.created);
}

function stampOf(name: string): string {
  return name.replace(/^pre-[a-z]+-/, "");
}
