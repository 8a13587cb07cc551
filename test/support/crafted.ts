import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { extract, type Header, pack } from "tar-stream";
import { FIRST_LINE, renderEntry } from "../../components/backup/index/format.js";
import { type Manifest, manifestSum, renderManifest } from "../../components/backup/manifest.js";
import { FILES } from "../../components/backup/names.js";
import type { ExpectedArchive } from "../../components/backup/verify-file.js";

export interface TarFile {
  header: Partial<Header> & { name: string };
  content: Buffer;
}

export const directory = (name: string): TarFile => ({ header: { name, type: "directory", mode: 0o755, uid: 1000, gid: 1000 }, content: Buffer.alloc(0) });
export const file = (name: string, content: Buffer | string = "x"): TarFile =>
  ({ header: { name, mode: 0o640, uid: 12, gid: 34, mtime: new Date(1_700_000_000_000) }, content: Buffer.from(content) });
export const symlink = (name: string, linkname: string): TarFile => ({ header: { name, type: "symlink", linkname }, content: Buffer.alloc(0) });
export const hardlink = (name: string, linkname: string): TarFile => ({ header: { name, type: "link", linkname }, content: Buffer.alloc(0) });

export async function packed(entries: readonly TarFile[]): Promise<Buffer> {
  const tar = pack();
  for (const { header, content } of entries) tar.entry(header, content);
  tar.finalize();
  return buffer(tar);
}

export async function unpacked(archive: Buffer): Promise<TarFile[]> {
  const entries: TarFile[] = [];
  const tar = Readable.from([archive]).pipe(extract());
  for await (const entry of tar) entries.push({ header: entry.header, content: await buffer(entry) });
  return entries;
}

/** Puts the right checksum into the header at `at`. */
export function reseal(archive: Buffer, at = 0): Buffer {
  const header = archive.subarray(at, at + 512);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return archive;
}

export function sampleManifest(name: string, change: Partial<Manifest> = {}): Manifest {
  return {
    schema: 2,
    tool: { name: "pbjrag-release", version: "0.1.0" },
    name,
    kind: "pre-deploy",
    stack: "t",
    of: { tag: "v1", commit: "c", revision: "v1-0" },
    before: { tag: "v2", commit: "d", revision: "v2-0" },
    created: "2026-01-02T00:00:00.000Z",
    run: "r",
    qdrant: {
      version: "1.19.0",
      commit: "abc",
      imageId: "sha256:1",
      source: "snapshots",
      volume: "q",
      collections: { a: { points: 3, live: { before: 3, after: 3 }, status: "green", config: {}, payloadSchema: {}, snapshot: { size: 1, sha256: "0".repeat(64) }, sampled: { points: 2, changed: 1, queries: 1 } } },
      aliases: [],
      storage: { files: 1, bytes: 2, leftOut: 0, digest: "2".repeat(64) },
      writesDuringBackup: false,
    },
    uploads: { files: 4, bytes: 5, leftOut: 0, digest: "3".repeat(64), volume: "u", listing: null, from: "" },
    index: { details: { a: "vectors" } },
    files: { x: { size: 10, sha256: "0".repeat(64) }, y: { size: 20, sha256: "1".repeat(64) } },
    proof: { restored: true, counted: true, sampled: true, read: true },
    ...change,
  };
}

export interface Crafted {
  /** Uncompressed archives; what they are said to hold may be a lie. */
  qdrant: { tar: Buffer; says: ExpectedArchive };
  uploads: { tar: Buffer; says: ExpectedArchive };
  /** Its text; the default lists the points that the manifest says, and no uploads. */
  index?: string;
  /** Changes the manifest after its sums were made. */
  change?: (manifest: Manifest) => object;
}

/** A backup directory with a manifest that fits whatever is in it, hostile things too. @returns its path */
export function craftBackup(root: string, name: string, crafted: Crafted): string {
  const at = path.join(root, name);
  mkdirSync(at, { recursive: true });
  const content: Record<string, Buffer> = {
    [FILES.qdrant]: gzipSync(crafted.qdrant.tar, { level: 1 }),
    [FILES.uploads]: gzipSync(crafted.uploads.tar, { level: 1 }),
    [FILES.commit]: Buffer.from("c\n"),
    [FILES.tag]: Buffer.from("v1\n"),
    [FILES.config]: Buffer.from("{}\n"),
    [FILES.index]: gzipSync(crafted.index ?? indexOf(sampleManifest(name))),
  };
  for (const [file, bytes] of Object.entries(content)) writeFileSync(path.join(at, file), bytes);
  const files = Object.entries(content).map(([file, bytes]) => [file, { size: bytes.length, sha256: sha256(bytes) }] as const);
  const sample = sampleManifest(name, { files: Object.fromEntries(files), uploads: { ...sampleManifest(name).uploads, digest: "", ...crafted.uploads.says } });
  if (sample.qdrant !== null) sample.qdrant.storage = { ...sample.qdrant.storage, digest: "", ...crafted.qdrant.says };
  writeManifest(at, crafted.change === undefined ? renderManifest(sample) : JSON.stringify(crafted.change(sample)));
  return at;
}

/** An index with as many points as the manifest says, and no uploads. */
export function indexOf({ qdrant }: Manifest): string {
  const lines = Object.entries(qdrant?.collections ?? {}).flatMap(([name, { points, config, payloadSchema }]) => [
    renderEntry({ type: "collection", name, detail: "ids", config, payloadSchema, aliases: [] }),
    ...Array.from({ length: points }, (_, at) => renderEntry({ type: "point", id: String(at), hash: "" })),
  ]);
  return [FIRST_LINE, ...lines, renderEntry({ type: "uploads" }), ""].join("\n");
}

/** With its sum, so that only what it says can be wrong. */
export function writeManifest(at: string, text: string): void {
  writeFileSync(path.join(at, FILES.manifest), text);
  writeFileSync(path.join(at, FILES.sum), manifestSum(sha256(text)));
}

export function sha256(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}
