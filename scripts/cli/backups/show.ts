import path from "node:path";
import type { Manifest } from "../../../components/backup/manifest.js";
import { manifestIn } from "../../../components/backup/manifest-file.js";
import { errors, EXIT, messageOf } from "../../../components/runtime/errors.js";
import { grouped, roundSize } from "../../../components/settings/units.js";
import type { Outcome } from "../outcome.js";
import { print, printJson } from "../output.js";
import type { Workspace } from "../workspace.js";
import { findBackup } from "./find.js";
import { whenWords } from "../when.js";

/** What a backup's manifest says. Reads that alone: `verify` reads the content. */
export async function show(ws: Workspace, name: string, json: boolean): Promise<Outcome> {
  const { pinned, problem } = await findBackup(ws, name);
  const manifest = readManifest(path.join(ws.paths.backups, name), name);
  if (json) printJson(manifest);
  else print([...describe(manifest, pinned, Date.now()), ...(problem === "" ? [] : [`PROBLEM    ${problem}`])]);
  return { exitCode: EXIT.done, summary: "", next: "" };
}

function readManifest(directory: string, name: string): Manifest {
  try {
    return manifestIn(directory).manifest;
  } catch (error) {
    throw errors.backupUnusable({ backup: name, problems: [messageOf(error)] }, error);
  }
}

/** In words. Pure. @param now milliseconds since 1970 */
export function describe(manifest: Manifest, pinned: boolean, now: number): string[] {
  const { name, stack, of, before, created, tool, files } = manifest;
  const bytes = Object.values(files).reduce((sum, { size }) => sum + size, 0);
  return [
    `${name} of stack ${stack}${pinned ? ", pinned" : ""}`,
    `taken      ${whenWords(created, now)} before ${before.tag} (${before.commit.slice(0, 12)}), by ${tool.name} ${tool.version}`,
    `data of    ${of === null ? "a stack on which nothing was released" : `${of.tag} (${of.commit.slice(0, 12)}), revision ${of.revision}`}`,
    ...qdrantLines(manifest),
    `uploads    ${manifest.uploads.files} files, ${roundSize(manifest.uploads.bytes)}, from volume ${manifest.uploads.volume}${leftOut(manifest.uploads.leftOut)}`,
    `proof      ${proofWords(manifest)}`,
    `files      ${roundSize(bytes)} together`,
    ...Object.entries(files).map(([file, { size, sha256 }]) => `  ${file}  ${roundSize(size)}  ${sha256}`),
  ];
}

function qdrantLines({ qdrant }: Manifest): string[] {
  if (qdrant === null) return ["qdrant     no data"];
  const source = qdrant.source === "snapshots" ? "through its snapshots" : "as a copy of the volume: no Qdrant was left to ask";
  return [
    `qdrant     ${qdrant.version}${qdrant.commit === "" ? "" : ` (${qdrant.commit.slice(0, 12)})`}, from volume ${qdrant.volume}, ${source}`,
    ...Object.entries(qdrant.collections).map(([collection, { points, status, payloadSchema }]) => {
      const indexes = Object.keys(payloadSchema).sort();
      const indexed = indexes.length === 0 ? "no payload indexes" : `payload indexes ${indexes.join(", ")}`;
      return `  ${collection}  ${grouped(points)} points, ${status}, ${indexed}`;
    }),
    ...qdrant.aliases.map(({ alias, collection }) => `  ${alias} is an alias of ${collection}`),
    `  storage  ${qdrant.storage.files} files, ${roundSize(qdrant.storage.bytes)}`,
    ...(qdrant.writesDuringBackup ? ["  something wrote meanwhile: each collection is one moment, not all of them the same"] : []),
  ];
}

function leftOut(count: number): string {
  return count === 0 ? "" : `; ${count} devices, pipes or links to outside were left out`;
}

function proofWords({ qdrant, proof }: Manifest): string {
  const read = proof.read ? "" : "; its archives were not read to their end when it was made: `verify` does";
  if (qdrant === null) return `none needed: there was no Qdrant data${read}`;
  if (!proof.restored || !proof.counted) return "NONE: it is not to be relied on";
  return `restored into a scratch Qdrant and counted there${proof.sampled ? `; ${sampledWords(qdrant)}` : ""}${read}`;
}

function sampledWords({ collections }: NonNullable<Manifest["qdrant"]>): string {
  const all = Object.values(collections).map(({ sampled }) => sampled ?? { points: 0, queries: 0 });
  const sum = (of: "points" | "queries"): number => all.reduce((total, sampled) => total + sampled[of], 0);
  return `${sum("points")} points and ${sum("queries")} queries compared with the live one`;
}
