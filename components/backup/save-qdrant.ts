import { pipeline } from "node:stream/promises";
import { isDeepStrictEqual } from "node:util";
import type { QdrantClient } from "../qdrant/client.js";
import { withoutLimits } from "../qdrant/lift.js";
import type { Alias } from "../qdrant/schema.js";
import { grouped } from "../settings/units.js";
import { writeEmptyArchive } from "./archive.js";
import { archiveVolume } from "./archive-volume.js";
import { carrySettings } from "./carry.js";
import type { Context, Leftovers } from "./context.js";
import type { Detail } from "./index/format.js";
import type { CollectionRecord, FileRecord, QdrantRecord } from "./manifest.js";
import type { BackupRequest } from "./model.js";
import { settlePending } from "./pending.js";
import { BackupProblem } from "./problem.js";
import { Mismatch } from "./proof/agree.js";
import type { BackupIndex } from "./save-index.js";
import type { Reader } from "./reader.js";
import { ElsewhereProblem, Scratch } from "./scratch.js";
import { LONG_NAME, transferCollection } from "./snapshot.js";
import { findLive, type LiveQdrant } from "./source.js";
import { TarRebase } from "./tar-rebase.js";
import { ensureImage } from "./volumes.js";

export interface SavedQdrant {
  file: FileRecord;
  /** Null: there are no collections, and the archive is empty. */
  record: QdrantRecord | null;
  /** What the index covers of each collection. */
  details: Record<string, Detail>;
}

interface Listing {
  collections: string[];
  aliases: Alias[];
}

/** A running scratch that holds everything, and what is known of it. */
export interface Filled {
  scratch: Scratch;
  client: QdrantClient;
  imageId: string;
  source: QdrantRecord["source"];
  collections: Record<string, CollectionRecord>;
  aliases: Alias[];
}

const TRIES = 2;

/** Where Qdrant's data comes from: the running one, or its volume when there is none any more. */
export interface QdrantSource {
  live: LiveQdrant | null;
  reader: Reader;
}

export async function findSource(request: BackupRequest, context: Context, reader: Reader): Promise<QdrantSource> {
  const live = await findLive(request, context);
  if (live !== null) await settlePending(context, live);
  return { live, reader };
}

/** Takes all collections into a scratch Qdrant: of the live one nothing is read afterwards. Null: there are none. */
export function fillScratch(request: BackupRequest, context: Context, source: QdrantSource | null, leftovers: Leftovers): Promise<Filled | null> {
  return source === null ? Promise.resolve(null) : fillFrom(source, request, context, leftovers);
}

/** Writes the archive of a scratch Qdrant's storage that holds all collections, and lists their points in the index. */
export async function saveQdrant(
  request: BackupRequest,
  context: Context,
  filled: Filled | null,
  archive: string,
  index: BackupIndex,
  leftovers: Leftovers,
): Promise<SavedQdrant> {
  if (filled === null) return { file: (await writeEmptyArchive(archive, context.signal)).file, record: null, details: {} };
  const details = await index.addCollections(context, filled.client, filled.collections, filled.aliases);
  const { version, commit } = await filled.client.version();
  await filled.scratch.stop();
  context.say("compressing Qdrant's storage");
  const what = { stack: request.stack, volume: filled.scratch.name, directory: await filled.scratch.directory(), image: filled.imageId, n: "storage" };
  const { file, content } = await archiveVolume(context, what, archive, leftovers, () => Promise.resolve(undefined), () => filled.scratch.archive());
  await filled.scratch.remove();
  const { collections, aliases, imageId } = filled;
  return {
    file,
    details,
    record: {
      version,
      commit: commit ?? "",
      imageId,
      source: filled.source,
      volume: request.qdrantVolume,
      collections,
      aliases,
      storage: content,
      writesDuringBackup: Object.values(collections).some(({ live: counts }) => counts.before !== counts.after),
    },
  };
}

function fillFrom({ live, reader }: QdrantSource, request: BackupRequest, context: Context, leftovers: Leftovers): Promise<Filled | null> {
  return live === null ? fromVolume(request, context, reader, leftovers) : fromLive(request, context, live, leftovers);
}

/** Once more, from the beginning, if something was created, dropped or written meanwhile that does not fit together. */
async function fromLive(request: BackupRequest, context: Context, live: LiveQdrant, leftovers: Leftovers): Promise<Filled | null> {
  for (let attempt = 1; ; attempt++) {
    const scratch = await newScratch(request, context, live.imageId, attempt, leftovers);
    try {
      return await fill(context, live, scratch);
    } catch (error) {
      if (error instanceof ElsewhereProblem && attempt < TRIES) {
        // It stays until the end: its address would be the next one's.
        context.say(`${error.why}: making another one beside it`);
        continue;
      }
      if (!(error instanceof Mismatch)) throw error;
      if (attempt === TRIES) throw new BackupProblem(error.code, `${error.why}, in ${TRIES} attempts`, "run again when nothing creates, drops or rewrites collections");
      context.say(`${error.why}: beginning again`);
      await scratch.remove();
    }
  }
}

async function fill(context: Context, live: LiveQdrant, scratch: Scratch): Promise<Filled | null> {
  const before = await listing(live.client);
  if (before.collections.length === 0) return null;
  const client = await scratch.start();
  const collections: [string, CollectionRecord][] = [];
  // Of these Qdrant may make no snapshots: better told now than after all others.
  const long = before.collections.filter((name) => Buffer.byteLength(name) > LONG_NAME);
  for (const name of [...long, ...before.collections.filter((one) => !long.includes(one))]) {
    try {
      collections.push([name, await transferCollection(context, live, client, name)]);
    } catch (error) {
      await scratch.assertRuns();
      throw await changedOr(error, live, before);
    }
  }
  const after = await listing(live.client);
  if (!isDeepStrictEqual(before, after)) throw changed(before, after);
  await client.createAliases(after.aliases);
  await carrySettings(context, live.client, client, after.collections);
  await assertListing(client, after);
  return { scratch, client, imageId: live.imageId, source: "snapshots", collections: Object.fromEntries(collections), aliases: after.aliases };
}

/** No Qdrant is left: nothing runs on the volume, so a copy of it is whole. The volume itself is only read. */
async function fromVolume(request: BackupRequest, context: Context, reader: Reader, leftovers: Leftovers): Promise<Filled | null> {
  context.say(`no Qdrant is left that uses volume ${request.qdrantVolume}: taking a copy of the volume`);
  const imageId = await ensureImage(request.qdrantImage, context);
  const scratch = await newScratch(request, context, imageId, 1, leftovers);
  const { stream, base } = await reader.archive("qdrant");
  const rebase = new TarRebase(base);
  const [read, filled] = await Promise.allSettled([pipeline(stream, rebase, { signal: context.signal }), scratch.fill(rebase)]);
  if (read.status === "rejected") throw read.reason;
  if (filled.status === "rejected") throw filled.reason;
  const client = await scratch.start();
  const { collections: names, aliases } = await listing(client);
  if (names.length === 0) return null;
  const collections: [string, CollectionRecord][] = [];
  for (const name of names) {
    const { status, config, payload_schema: payloadSchema } = await client.collection(name);
    if (status === "red") throw new BackupProblem("damaged", `collection ${name} has status red on volume ${request.qdrantVolume}: it is damaged already`);
    const points = await withoutLimits(client, name, config, () => client.count(name, context.remaining()));
    context.say(`collection ${name}: ${grouped(points)} points copied and counted`, { collection: name, points });
    collections.push([name, { points, live: { before: points, after: points }, status, config, payloadSchema, snapshot: null, sampled: null }]);
  }
  return { scratch, client, imageId, source: "copy", collections: Object.fromEntries(collections), aliases };
}

async function newScratch(request: BackupRequest, context: Context, imageId: string, attempt: number, leftovers: Leftovers): Promise<Scratch> {
  context.assertHolds();
  const scratch = await Scratch.create(request, context, imageId, attempt);
  leftovers.add(scratch.name, () => scratch.remove());
  return scratch;
}

async function listing(client: QdrantClient): Promise<Listing> {
  return { collections: await client.collections(), aliases: await client.aliases() };
}

/** A collection that was dropped while it was read fails in any way; the list tells whether that was it. */
async function changedOr(error: unknown, live: LiveQdrant, before: Listing): Promise<unknown> {
  const after = await listing(live.client).catch(() => before);
  return error instanceof Mismatch || isDeepStrictEqual(before.collections, after.collections) ? error : changed(before, after);
}

function changed(before: Listing, after: Listing): Mismatch {
  const words = [
    ...difference("collection", "appeared", after.collections, before.collections),
    ...difference("collection", "went away", before.collections, after.collections),
  ];
  return new Mismatch("collections-changed", words.length > 0 ? words.join(", ") : "the aliases changed during the backup");
}

function difference(what: string, how: string, those: readonly string[], without: readonly string[]): string[] {
  return those.filter((name) => !without.includes(name)).map((name) => `${what} ${name} ${how} during the backup`);
}

async function assertListing(client: QdrantClient, expected: Listing): Promise<void> {
  const there = await listing(client);
  if (isDeepStrictEqual(there, expected)) return;
  throw new BackupProblem("aliases", "the scratch Qdrant does not have the same collections and aliases as the live one");
}
