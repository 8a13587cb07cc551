import path from "node:path";
import { allowanceFor } from "../runtime/allowance.js";
import { messageOf } from "../runtime/errors.js";
import { type Context, Leftovers, throwIfEnded } from "./context.js";
import { directoryNames, makeParents, makePrivate } from "./files.js";
import { nextNumber } from "./list.js";
import type { Manifest } from "./manifest.js";
import { type BackupOutcome, type BackupRequest, noBackup } from "./model.js";
import { backupName, FILES, partialOf } from "./names.js";
import { WritePause } from "./pause.js";
import { fromQdrant, isDiskFull } from "./problem.js";
import type { Reader } from "./reader.js";
import { fillScratch, findSource, type QdrantSource, saveQdrant } from "./save-qdrant.js";
import { BackupIndex } from "./save-index.js";
import { saveUploads } from "./save-uploads.js";
import { seal } from "./seal.js";
import { assertSpace, mebibytes, neededFor, spaceOf, tooLittle } from "./space.js";
import { removeUnfinished, sweep } from "./sweep.js";
import { type Content, findContent } from "./volumes.js";

/** Milliseconds that measuring two volumes may take, and more where there is more time. */
const MEASURE_MS = 120_000;

/** One backup from beginning to end. Whatever happens, the data is only read, and what is unfinished is removed. */
export async function backUp(request: BackupRequest, context: Context, tool: Manifest["tool"]): Promise<BackupOutcome> {
  const began = performance.now();
  const leftovers = new Leftovers();
  const pause = new WritePause(request, context);
  try {
    const outcome = await outcomeOf(request, context, tool, leftovers, pause);
    return { ...outcome, paused: await pause.handOver(), tookMs: Math.round(performance.now() - began) };
  } catch (error) {
    await pause.drop();
    // A request that was ended says less than why it was ended.
    throwIfEnded(context.signal);
    throw fromQdrant(error);
  } finally {
    await leftovers.clear((what, error) => context.say(`${what} could not be removed (the next run will): ${messageOf(error)}`));
  }
}

async function outcomeOf(request: BackupRequest, context: Context, tool: Manifest["tool"], leftovers: Leftovers, pause: WritePause): Promise<BackupOutcome> {
  await sweep(request.stack, context);
  if (request.skipReason !== "") return noBackup(request.skipReason);
  await pause.begin();
  const content = await findContent(request, context, leftovers);
  const source = content.qdrant && content.reader !== null ? await findSource(request, context, content.reader) : null;
  if (source === null && !content.uploads) return noBackup("there is no data yet: the volumes are empty");
  await makeParents(context.paths.backups);
  const needed = await checkSpace(context, content.reader);
  try {
    return await writeBackup(request, context, tool, content, source, leftovers, pause);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    throw tooLittle(context.paths.backups, needed, (await spaceOf(context.paths.backups)).free);
  }
}

async function writeBackup(
  request: BackupRequest,
  context: Context,
  tool: Manifest["tool"],
  content: Content,
  source: QdrantSource | null,
  leftovers: Leftovers,
  pause: WritePause,
): Promise<BackupOutcome> {
  const { backups } = context.paths;
  const created = new Date();
  const name = backupName(request.kind, created, await directoryNames(backups));
  const partial = path.join(backups, partialOf(name));
  context.assertHolds();
  leftovers.add(partialOf(name), () => removeUnfinished(partial, context.token));
  await makePrivate(partial);
  const index = new BackupIndex(partial, leftovers);
  const filled = await fillScratch(request, context, source, leftovers);
  if (filled === null && !content.uploads) return noBackup("there is no data yet: Qdrant has no collections, and there are no uploads");
  const uploads = await saveUploads(request, context, content.reader, path.join(partial, FILES.uploads), index, leftovers);
  // All that users can change is read: what follows needs the scratch alone.
  await pause.read();
  const qdrant = await saveQdrant(request, context, filled, path.join(partial, FILES.qdrant), index, leftovers);
  const { bytes, proven } = await seal(request, context, tool, { name, seq: await nextNumber(context.paths), created, qdrant, uploads, index: await index.finish() });
  context.say(`backup ${name} is complete: ${mebibytes(bytes)}`, { backup: name, bytes });
  const collections = Object.entries(qdrant.record?.collections ?? {}).map(([collection, { points }]) => [collection, points] as const);
  return {
    backup: name,
    reason: "",
    qdrantVersion: qdrant.record?.version ?? "",
    collections: Object.fromEntries(collections),
    files: uploads.content.files,
    bytes,
    tookMs: 0,
    proven,
    paused: null,
  };
}

/** @returns bytes that the backup may need; 0: unknown */
async function checkSpace(context: Context, reader: Reader | null): Promise<number> {
  const measured = (await reader?.measure(Math.max(MEASURE_MS, context.remaining() / 4))) ?? null;
  throwIfEnded(context.signal);
  if (measured === null) {
    context.say("the data's size could not be measured beforehand: a full disk will be seen only when it is full, and no time is added for much data");
    return 0;
  }
  context.allow(allowanceFor(measured.used.qdrant + measured.used.uploads));
  const { backups } = context.paths;
  context.say(`to save: Qdrant ${mebibytes(measured.used.qdrant)}, uploads ${mebibytes(measured.used.uploads)}`, { ...measured.used });
  assertSpace(backups, await spaceOf(backups), measured);
  return neededFor(measured);
}
