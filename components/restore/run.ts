import { stat } from "node:fs/promises";
import path from "node:path";
import { Leftovers, throwIfEnded } from "../backup/context.js";
import { type Manifest, storedBytes } from "../backup/manifest.js";
import { manifestBytes } from "../backup/manifest-file.js";
import { FILES } from "../backup/names.js";
import { acceptWith, isKnown, NOT_KNOWN, readKey } from "../backup/origin.js";
import { BackupProblem } from "../backup/problem.js";
import { parseMeasured } from "../backup/reader.js";
import { mebibytes } from "../backup/space.js";
import { assertUsable } from "../backup/verify.js";
import { ensureImage } from "../backup/volumes.js";
import { versionOfImage, versionProblem } from "../qdrant/version.js";
import { allowanceFor } from "../runtime/allowance.js";
import { messageOf } from "../runtime/errors.js";
import type { Context } from "../runtime/task.js";
import { readLive } from "../traffic/live.js";
import { generationOf } from "../traffic/model.js";
import { decide } from "./decide.js";
import { Helper } from "./helper.js";
import type { RestoreOutcome, RestoreRequest } from "./model.js";
import { dropRecord, readRecord, writeRecord } from "./record.js";
import { type Unpack, unpackArchive } from "./unpack.js";
import { unpackInto } from "./unpack-into.js";
import { lookAt, makeVolumes, namesOf, removeVolumes, stampsOf } from "./volumes.js";

/** For the file system's own needs. Bytes. */
const MARGIN = 16 * 1024 * 1024;

/**
 * Makes the volumes of a generation from a backup. Nothing is made before the backup was verified whole; volumes that hold
 * data are refused; whatever happens, a half restored generation is not taken for a whole one, and running again begins anew.
 */
export async function restore(request: RestoreRequest, context: Context): Promise<RestoreOutcome> {
  const began = performance.now();
  const leftovers = new Leftovers();
  const clear = (): Promise<void> => leftovers.clear((what, error) => context.say(`${what} could not be removed (the next run will): ${messageOf(error)}`));
  try {
    context.assertHolds();
    await Helper.sweep(request);
    const serving = (await readLive(request.stack))?.table.serving ?? null;
    const serves = serving !== null && generationOf(serving) === request.generation;
    const decision = decide(request, await readRecord(context.paths, request.generation), await lookAt(request), serves);
    if (decision.what === "refuse") throw new BackupProblem("request", decision.why, decision.next);
    if (decision.what === "keep") {
      context.say(`generation ${request.generation} was restored by an earlier run`);
      return { ...decision.outcome, kept: true, tookMs: Math.round(performance.now() - began) };
    }
    const backup = await readBackup(request, context);
    await ensureImage(request.qdrantImage, context);
    const content = contentOf(request, backup);
    context.allow(allowanceFor(content.bytes));
    await assertRoom(request, context, content, leftovers);
    const outcome = await make(request, context, backup, decision.remove, leftovers);
    return { ...outcome, tookMs: Math.round(performance.now() - began) };
  } catch (error) {
    throwIfEnded(context.signal);
    throw error;
  } finally {
    await clear();
  }
}

/** A backup that was verified; null: there was nothing to back up. */
type Backup = { directory: string; manifest: Manifest } | null;

async function readBackup({ stack, from, volumes, qdrantImage }: RestoreRequest, context: Context): Promise<Backup> {
  if (from === "") return null;
  const directory = path.join(context.paths.backups, from);
  context.allow(allowanceFor(await sizeOf(directory)));
  context.say(`verifying backup ${from}`);
  const manifest = await assertUsable(directory, { signal: context.signal });
  if (!isKnown(directory, stack, readKey(context.paths), manifestBytes(directory))) throw new BackupProblem("request", `backup ${from} cannot be restored: ${NOT_KNOWN}`, acceptWith(from));
  const [wrote, runs] = [manifest.qdrant?.version, versionOfImage(qdrantImage)];
  const problem = volumes.qdrant === undefined || wrote === undefined || runs === null ? null : versionProblem(wrote, runs);
  if (problem !== null) throw new BackupProblem("request", problem, `restore it with the release that it was made of (${manifest.of?.tag ?? manifest.before.tag}), which has its Qdrant`);
  return { directory, manifest };
}

/** Bytes of the archives as they lie there; what is not there is told by who verifies it. */
async function sizeOf(directory: string): Promise<number> {
  const sizes = await Promise.all([FILES.qdrant, FILES.uploads].map((file) => stat(path.join(directory, file)).then(({ size }) => size, () => 0)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

interface Content {
  collections: Record<string, number>;
  files: number;
  /** That they take there. */
  bytes: number;
}

/** What the volumes are to hold. */
function contentOf({ volumes }: RestoreRequest, backup: Backup): Content {
  const qdrant = volumes.qdrant === undefined ? null : (backup?.manifest.qdrant ?? null);
  const uploads = volumes.uploads === undefined ? null : (backup?.manifest.uploads ?? null);
  const collections = Object.entries(qdrant?.collections ?? {}).map(([name, { points }]) => [name, points] as const);
  return { collections: Object.fromEntries(collections), files: uploads?.files ?? 0, bytes: (qdrant === null ? 0 : storedBytes(qdrant.storage)) + (uploads === null ? 0 : storedBytes(uploads)) };
}

/** @throws BackupProblem `disk-full` before anything is made */
async function assertRoom(request: RestoreRequest, context: Context, { bytes }: Content, leftovers: Leftovers): Promise<void> {
  const helper = await Helper.create(request, context, "space", {}, leftovers);
  const free = parseMeasured((await helper.run()).output)?.docker.free;
  if (free === undefined) {
    context.say("the room for the data could not be measured beforehand: a full disk will be seen only when it is full");
  } else if (free < bytes + MARGIN) {
    throw new BackupProblem("disk-full", `the data needs ${mebibytes(bytes)} where Docker keeps volumes, and ${mebibytes(free)} are free there`, "free some space (docker image prune, data generations that are not needed), then run again");
  }
}

async function make(request: RestoreRequest, context: Context, backup: Backup, unfinished: readonly string[], leftovers: Leftovers): Promise<RestoreOutcome> {
  const { generation, from } = request;
  context.assertHolds();
  await writeRecord(context.paths, generation, { from, done: null });
  let whole = false;
  leftovers.add(`unfinished generation ${generation}`, () => (whole ? Promise.resolve() : unmake(request, context)));
  if (unfinished.length > 0) context.say(`beginning again: an earlier run left ${unfinished.join(", ")} unfinished`);
  await removeVolumes(unfinished);
  await makeVolumes(request);
  if (backup !== null) await fill(request, context, backup, leftovers);
  const outcome = { generation, from, ...contentOf(request, backup), kept: false, tookMs: 0 };
  throwIfEnded(context.signal);
  context.assertHolds();
  await writeRecord(context.paths, generation, { from, done: { created: await stampsOf(request), outcome } });
  whole = true;
  return outcome;
}

/** The record goes last: as long as it is there, the next run may remove what is left. */
async function unmake(request: RestoreRequest, context: Context): Promise<void> {
  context.assertHolds();
  await removeVolumes(namesOf(request));
  await dropRecord(context.paths, request.generation);
}

async function fill(request: RestoreRequest, context: Context, { directory, manifest }: NonNullable<Backup>, leftovers: Leftovers): Promise<void> {
  const helper = await Helper.create(request, context, "sync", request.volumes, leftovers);
  const parts = [
    { part: "qdrant", name: FILES.qdrant, content: manifest.qdrant?.storage ?? { files: 0, bytes: 0 } },
    { part: "uploads", name: FILES.uploads, content: manifest.uploads },
  ] as const;
  for (const { part, name, content } of parts) {
    const file = manifest.files[name];
    if (request.volumes[part] === undefined || file === undefined) continue;
    context.say(`restoring ${part}: ${mebibytes(storedBytes(content))}`);
    const unpack: Unpack = (tar, signal) => unpackInto(request, context, helper, part, tar, signal, leftovers);
    await unpackArchive(unpack, context, { directory, name, file, content });
  }
  const { exitCode, output } = await helper.run();
  if (exitCode !== 0) context.say(`the volumes could not be synced, the system will do it in time: ${output.trim()}`);
}
