import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { errors, messageOf } from "../runtime/errors.js";
import { readRegular } from "../runtime/regular-file.js";
import { type Manifest, manifestSum, wasRestored } from "./manifest.js";
import { manifestBytes, manifestOf } from "./manifest-file.js";
import { FILES } from "./names.js";
import { type ExpectedArchive, verifyFile, type VerifyOptions } from "./verify-file.js";
import { indexProblems } from "./verify-index.js";

export interface Verified {
  /** Null where it cannot be read. */
  manifest: Manifest | null;
  /** What is wrong with it, each a clause; none for a backup that can be restored. */
  problems: string[];
}

/** Of a file with one sum. Bytes. */
const MAX_SUM = 4096;
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const REQUIRED = [FILES.qdrant, FILES.uploads, FILES.commit, FILES.tag, FILES.config];

/**
 * Verifies a backup whole, by its content: its manifest, every file's size and SHA-256, nothing missing and nothing more, and
 * the archives, read through to their end with each entry checked. Only reads. Memory does not grow with the data.
 * Whose it is is another question, see origin.ts.
 * @throws what the signal was aborted with; damage is no error but in what it returns
 */
export async function verifyBackup(directory: string, options: VerifyOptions = {}): Promise<Verified> {
  const { manifest, problems } = readManifest(directory);
  if (manifest === null) return { manifest, problems };
  problems.push(...manifestProblems(manifest, path.basename(directory)), ...(await listingProblems(directory, manifest)));
  const archives = archivesOf(manifest);
  for (const [file, expected] of Object.entries(manifest.files)) {
    if (!PLAIN_NAME.test(file)) continue;
    const found = await verifyFile(directory, file, expected, archives[file] ?? null, options);
    problems.push(...found);
    if (file === FILES.index && found.length === 0) problems.push(...(await indexProblems(directory, manifest)));
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
export function readManifest(directory: string): Verified {
  const problems: string[] = [];
  try {
    const bytes = manifestBytes(directory);
    problems.push(...sumProblems(directory, bytes));
    return { manifest: manifestOf(bytes), problems };
  } catch (error) {
    return { manifest: null, problems: [...problems, messageOf(error)] };
  }
}

/** Nothing else would tell a changed tag, count or date from the true one. */
function sumProblems(directory: string, manifest: Buffer): string[] {
  const expected = manifestSum(createHash("sha256").update(manifest).digest("hex"));
  const found = sumIn(directory);
  if (found === null) return [`${FILES.sum} is missing`];
  return found === expected ? [] : [`${FILES.manifest} is damaged: its SHA-256 is not the one in ${FILES.sum}`];
}

function sumIn(directory: string): string | null {
  try {
    return readRegular(path.join(directory, FILES.sum), MAX_SUM).toString("utf8");
  } catch {
    return null;
  }
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
  const known = new Set<string>([...Object.keys(manifest.files), FILES.manifest, FILES.sum, FILES.mac]);
  const there = await readdir(directory);
  return there.filter((file) => !known.has(file)).map((file) => `${JSON.stringify(file)} is no part of it`);
}

function archivesOf(manifest: Manifest): Record<string, ExpectedArchive> {
  return { [FILES.qdrant]: manifest.qdrant?.storage ?? { files: 0, bytes: 0 }, [FILES.uploads]: manifest.uploads };
}
