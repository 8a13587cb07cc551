/** `manifest.json` as it lies in a backup's directory. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { codeOf, messageOf } from "../runtime/errors.js";
import { IrregularFileError, readRegular } from "../runtime/regular-file.js";
import { current, type Manifest, manifestSchema } from "./manifest.js";
import { FILES } from "./names.js";

/** A manifest names collections and their configuration: more than this is none. Bytes. */
const MAX_MANIFEST = 64 * 1024 * 1024;
const FINISHED_NOT = "it has no manifest.json, so it was never finished";

export interface ManifestFile {
  manifest: Manifest;
  /** As they lie there. */
  bytes: Buffer;
  /** Hex, of the bytes. */
  sha256: string;
}

/** A manifest that cannot be used; its message is a clause about the backup. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

/** @throws ManifestError */
export function manifestBytes(directory: string): Buffer {
  try {
    return readRegular(path.join(directory, FILES.manifest), MAX_MANIFEST);
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new ManifestError(existsSync(directory) ? FINISHED_NOT : `there is no ${directory}`);
    throw new ManifestError(`${FILES.manifest} ${error instanceof IrregularFileError ? error.message : `cannot be read: ${messageOf(error)}`}`);
  }
}

/** @throws ManifestError */
export function manifestIn(directory: string): ManifestFile {
  const bytes = manifestBytes(directory);
  return { manifest: manifestOf(bytes), bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** @throws ManifestError for what is no manifest of a version that is known */
export function manifestOf(bytes: Buffer): Manifest {
  const value = parsed(bytes);
  const result = manifestSchema.safeParse(current(value));
  if (result.success) return result.data;
  const version = z.object({ schema: z.number() }).safeParse(value);
  if (version.success && ![1, 2].includes(version.data.schema)) throw new ManifestError(`${FILES.manifest} is of version ${version.data.schema}, and this program knows versions 1 and 2`);
  const issue = result.error.issues[0];
  throw new ManifestError(`${FILES.manifest} is damaged: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trimEnd());
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new ManifestError(`${FILES.manifest} is damaged: it is not JSON`);
  }
}
