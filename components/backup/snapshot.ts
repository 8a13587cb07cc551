import { createHash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type QdrantClient, QdrantError } from "../qdrant/client.js";
import { countPoints } from "../qdrant/count.js";
import { withoutLimits } from "../qdrant/lift.js";
import type { CollectionInfo, SnapshotInfo } from "../qdrant/schema.js";
import { messageOf } from "../runtime/errors.js";
import { grouped } from "../settings/units.js";
import { type Context, throwIfEnded } from "./context.js";
import type { CollectionRecord, FileRecord } from "./manifest.js";
import { mark, nameMark, settleOlder, unmark } from "./pending.js";
import { BackupProblem } from "./problem.js";
import { assertSame, otherDifferences } from "./proof/agree.js";
import { Sample, type SampleRecord } from "./proof/sample.js";
import type { LiveQdrant } from "./source.js";
import { whileAnswering } from "./watchdog.js";

/** Bytes of a name from which on a snapshot may have too long a name (1.19.0: 58 more, with a peer's number of 16 digits, and 255 at most). */
export const LONG_NAME = 190;

/** Takes one collection from the live Qdrant into the scratch, and proves that it is all there. */
export async function transferCollection(context: Context, live: LiveQdrant, scratch: QdrantClient, name: string): Promise<CollectionRecord> {
  const info = await live.client.collection(name);
  if (info.status === "red") {
    throw new BackupProblem("damaged", `collection ${name} has status red in the live Qdrant: it is damaged already`, "see Qdrant's log; restore the collection or delete it, then run again");
  }
  const before = await countPoints(live.client, name, context.remaining());
  const sample = await Sample.draw(context, live.client, name, info.config);
  const snapshot = await throughSnapshot(context, live, scratch, name);
  const after = await countPoints(live.client, name, context.remaining());
  const restored = await scratch.collection(name);
  const deferred = await deferredPoints(live.client, name, [info, restored]);
  const [points, sampled] = await withoutLimits(scratch, name, restored.config, async () => {
    const counted = await scratch.count(name, context.remaining());
    assertSame(name, { before, after, points: counted, deferred }, info, restored);
    return [counted, await sample.compare(live.client, scratch, { deferred: deferred > 0 })] as const;
  });
  const others = otherDifferences(info, restored);
  if (others.length > 0) context.say(`collection ${name}: ${others.join(", ")} of its configuration are not in its snapshot; the manifest has them`, { collection: name, others });
  context.say(`collection ${name}: ${grouped(points)} points saved and counted again${sampledWords(sampled)}`, { collection: name, points, sampled });
  return { points, live: { before, after }, status: restored.status, config: info.config, payloadSchema: info.payload_schema, snapshot, sampled };
}

/**
 * Points of a collection with `prevent_unoptimized` that may be counted and read in one of two Qdrants and not yet in the other: how many wait in
 * either, before or after. 0 of any other collection.
 */
async function deferredPoints(live: QdrantClient, name: string, infos: readonly CollectionInfo[]): Promise<number> {
  const told = (info: CollectionInfo): number | null | undefined => info.update_queue?.deferred_points;
  if (infos.every((info) => (told(info) ?? null) === null)) return 0;
  return [...infos, await live.collection(name)].reduce((sum, info) => sum + (told(info) ?? 0), 0);
}

function sampledWords({ points, changed, queries }: SampleRecord): string {
  if (points === 0) return changed === 0 ? "" : `; all ${changed} that were looked at were written meanwhile`;
  return `, ${points} of them compared${changed === 0 ? "" : ` (${changed} more were written meanwhile)`}, ${queries} queries as well`;
}

async function throughSnapshot(context: Context, live: LiveQdrant, scratch: QdrantClient, collection: string): Promise<FileRecord> {
  context.assertHolds();
  const before = (await live.client.snapshots(collection)).map((snapshot) => snapshot.name);
  const value = { run: context.run, collection, before, requestedAt: Date.now(), name: null };
  const file = await mark(context, value);
  const snapshot = await make(context, live, collection, file);
  await nameMark(file, value, snapshot.name);
  let saved: FileRecord;
  try {
    saved = await stream(context, live, scratch, collection, snapshot);
  } catch (error) {
    // Should this fail as well, the mark stays, and the first cause is the one to tell.
    await dropSnapshot(live, collection, snapshot.name, file).catch(() => undefined);
    throw error;
  }
  await dropSnapshot(live, collection, snapshot.name, file);
  await settleOlder(context, live, collection);
  return saved;
}

async function dropSnapshot(live: LiveQdrant, collection: string, name: string, file: string): Promise<void> {
  await live.cleaner.deleteSnapshot(collection, name);
  await unmark(file);
}

async function make(context: Context, live: LiveQdrant, collection: string, file: string): Promise<SnapshotInfo> {
  context.say(`collection ${collection}: making a snapshot`, { collection });
  try {
    return await whileAnswering(live.client, context, () => live.client.createSnapshot(collection, context.remaining()));
  } catch (error) {
    // Refused: there is nothing to come. Any other end leaves the mark.
    if (error instanceof QdrantError && error.failure === "refused") await unmark(file);
    throwIfEnded(context.signal);
    const bytes = Buffer.byteLength(collection);
    if (!(error instanceof QdrantError) || error.failure !== "refused" || bytes <= LONG_NAME) throw error;
    throw new BackupProblem(
      "qdrant-answer",
      `Qdrant makes no snapshot of collection ${collection}: its name has ${bytes} bytes, and with it Qdrant's own files get names above 255 (${error.message.slice(0, 200)})`,
      "make the collection anew under a shorter name, give it the long one as an alias, and run again",
    );
  }
}

/** Never on our disk: what the live one sends goes to the scratch as it comes, hashed on the way. */
async function stream(context: Context, live: LiveQdrant, scratch: QdrantClient, collection: string, snapshot: SnapshotInfo): Promise<FileRecord> {
  const expected = snapshot.checksum?.toLowerCase();
  if (expected === undefined) {
    throw new BackupProblem("qdrant-answer", "this Qdrant gives no checksums of its snapshots", "use Qdrant 1.9 or later");
  }
  const download = await live.client.downloadSnapshot(collection, snapshot.name, context.remaining());
  const hashing = new Hashing();
  const size = download.size ?? snapshot.size;
  // The first to fail makes the other fail as well, with words that say less.
  const failures: unknown[] = [];
  const note = (error: unknown): void => void failures.push(error);
  const received = pipeline(download.body, hashing).catch((error: unknown) => {
    note(new BackupProblem("qdrant-answer", `the snapshot of collection ${collection} broke off after ${hashing.size} of ${size} bytes: ${messageOf(error)}`));
  });
  const upload = { body: hashing, size, sha256: expected, timeoutMs: context.remaining() };
  const uploaded = scratch.uploadSnapshot(collection, upload).catch(note).finally(() => download.body.destroy());
  await whileAnswering(live.client, context, () => Promise.all([received, uploaded]));
  throwIfEnded(context.signal);
  if (hashing.sha256 !== null && hashing.sha256 !== expected) {
    throw new BackupProblem("damaged", `the snapshot of collection ${collection} does not have the SHA-256 that Qdrant gave for it`);
  }
  if (failures.length > 0) throw failures[0];
  return { size, sha256: expected };
}

/** Passes bytes on, counts and hashes them. */
class Hashing extends Transform {
  size = 0;
  /** Null until the stream has come to its end. */
  sha256: string | null = null;
  private readonly hash = createHash("sha256");

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.size += chunk.length;
    this.hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.sha256 = this.hash.digest("hex");
    done();
  }
}
