import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { codeOf, errors, messageOf } from "../runtime/errors.js";
import { current, type Manifest, manifestSchema, manifestSum, wasRestored } from "./manifest.js";
import { FILES } from "./names.js";
import type { Expected } from "./tar-rules.js";
import { verifyFile, type VerifyOptions } from "./verify-file.js";

export interface Verified {
  /** Null where it cannot be read. */
  manifest: Manifest | null;
  /** What is wrong with it, each a clause; none for a backup that can be restored. */
  problems: string[];
}

/** A manifest names collections and their configuration: more than this is none. Bytes. */
const MAX_MANIFEST = 64 * 1024 * 1024;
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const REQUIRED = [FILES.qdrant, FILES.uploads, FILES.commit, FILES.tag, FILES.config];

/**
 * Verifies a backup whole, by its content: its manifest, every file's size and SHA-256, nothing missing and nothing more, and
 * the archives, read through to their end with each entry checked. Only reads. Memory does not grow with the data.
 * @throws what the signal was aborted with; damage is no error but in what it returns
 */
export async function verifyBackup(directory: string, options: VerifyOptions = {}): Promise<Verified> {
  const { manifest, problems } = await readManifest(directory);
  if (manifest === null) return { manifest, problems };
  problems.push(...manifestProblems(manifest, path.basename(directory)), ...(await listingProblems(directory, manifest)));
  const archives = archivesOf(manifest);
  for (const [file, expected] of Object.entries(manifest.files)) {
    if (PLAIN_NAME.test(file)) problems.push(...(await verifyFile(directory, file, expected, archives[file] ?? null, options)));
  }
  return { manifest, problems };
}

/**
 * The manifest of a backup that is good in every respect.
 * @throws ReleaseError backupUnusable, with everything that is wrong with it
 */
export async function assertUsable(directory: string, options: VerifyOptions = {}): Promise<Manifest> {
  const { manifest, problems } = await verifyBackup(directory, options);
  if (manifest === null || problems.length > 0) throw errors.backupUnusable({ backup: path.basename(directory), problems });
  return manifest;
}

/** A backup's manifest, and what is wrong with that alone. */
export async function readManifest(directory: string): Promise<Verified> {
  const file = path.join(directory, FILES.manifest);
  let text: Buffer;
  try {
    const { size } = await stat(file);
    if (size > MAX_MANIFEST) return { manifest: null, problems: [`${FILES.manifest} is too large to be one`] };
    text = await readFile(file);
  } catch (error) {
    return { manifest: null, problems: [codeOf(error) === "ENOENT" ? "it has no manifest.json, so it was never finished" : `${FILES.manifest} cannot be read: ${messageOf(error)}`] };
  }
  const problems = await sumProblems(directory, text);
  const parsed = parse(text.toString("utf8"));
  return "why" in parsed ? { manifest: null, problems: [...problems, `${FILES.manifest} ${parsed.why}`] } : { manifest: parsed.manifest, problems };
}

/** Nothing else would tell a changed tag, count or date from the true one. */
async function sumProblems(directory: string, manifest: Buffer): Promise<string[]> {
  const expected = manifestSum(createHash("sha256").update(manifest).digest("hex"));
  const found = await readFile(path.join(directory, FILES.sum), "utf8").catch(() => null);
  if (found === null) return [`${FILES.sum} is missing`];
  return found === expected ? [] : [`${FILES.manifest} is damaged: its SHA-256 is not the one in ${FILES.sum}`];
}

function parse(text: string): { manifest: Manifest } | { why: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { why: "is damaged: it is not JSON" };
  }
  const parsed = manifestSchema.safeParse(current(value));
  if (parsed.success) return { manifest: parsed.data };
  const version = z.object({ schema: z.number() }).safeParse(value);
  if (version.success && ![1, 2].includes(version.data.schema)) return { why: `is of version ${version.data.schema}, and this program knows versions 1 and 2` };
  const issue = parsed.error.issues[0];
  return { why: `is damaged: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trimEnd() };
}

function manifestProblems(manifest: Manifest, name: string): string[] {
  const files = Object.keys(manifest.files);
  return [
    ...(manifest.name === name ? [] : [`its manifest says it is ${manifest.name}`]),
    // Whether its archives were ever read to their end is no question here: they are, now.
    ...(wasRestored(manifest) ? [] : ["its manifest says it was never proven"]),
    ...(manifest.index === null ? REQUIRED : [...REQUIRED, FILES.index]).filter((file) => !files.includes(file)).map((file) => `its manifest does not have ${file}`),
    ...files.filter((file) => !PLAIN_NAME.test(file)).map((file) => `its manifest has a file ${JSON.stringify(file)}, which is no plain name`),
  ];
}

async function listingProblems(directory: string, manifest: Manifest): Promise<string[]> {
  const known = new Set<string>([...Object.keys(manifest.files), FILES.manifest, FILES.sum]);
  const there = await readdir(directory);
  return there.filter((file) => !known.has(file)).map((file) => `${JSON.stringify(file)} is no part of it`);
}

function archivesOf(manifest: Manifest): Record<string, Expected> {
  return { [FILES.qdrant]: manifest.qdrant?.storage ?? { files: 0, bytes: 0 }, [FILES.uploads]: manifest.uploads };
}
