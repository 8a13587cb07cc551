import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { type QdrantClient, QdrantError } from "../qdrant/client.js";
import type { SnapshotInfo } from "../qdrant/schema.js";
import { codeOf } from "../runtime/errors.js";
import type { Context } from "./context.js";
import type { LiveQdrant } from "./source.js";

/**
 * A snapshot request that was given up, or whose process died, is still carried out: the snapshot appears later and would
 * take the data's size again for ever. So before each request a mark is written, and it goes only with the snapshot.
 */
const markSchema = z.object({
  run: z.string(),
  collection: z.string(),
  /** Snapshots that were there before: never touched. */
  before: z.array(z.string()),
  /** Milliseconds since 1970. */
  requestedAt: z.number(),
  /** Known once the request was answered. */
  name: z.string().nullable(),
});

export type Mark = z.infer<typeof markSchema>;

/** The server's names have one second's resolution, and its clock is this host's. Milliseconds. */
const SLACK_MS = 2_000;
const NAME_TIME = /-(\d{4})-(\d{2})-(\d{2})-(\d{2})-(\d{2})-(\d{2})\.snapshot$/;

function directoryOf(context: Context): string {
  return path.join(context.paths.run, "snapshots");
}

/** Writes the mark for a request that is about to be sent. @returns its file */
export async function mark(context: Context, value: Mark): Promise<string> {
  const directory = directoryOf(context);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, `${context.token}-${value.requestedAt}.json`);
  await rewrite(file, value);
  return file;
}

/** The mark gets the name that the server answered with. */
export async function nameMark(file: string, value: Mark, name: string): Promise<void> {
  await rewrite(file, { ...value, name });
}

export async function unmark(file: string): Promise<void> {
  await rm(file, { force: true });
}

/**
 * Deletes the snapshots that given-up requests left, and their marks. A mark whose snapshot has not appeared yet stays,
 * unless Qdrant was started anew since: then it never will.
 */
export async function settlePending(context: Context, live: LiveQdrant): Promise<void> {
  for (const { file, value } of await marks(context)) await settle(context, live, file, value, live.startedAt > value.requestedAt);
}

/**
 * The same for one collection of which Qdrant has just answered with a newer snapshot: an older request was done before that
 * or never came. No mark stays, else it would one day be taken for the mark of a snapshot that somebody made by hand.
 */
export async function settleOlder(context: Context, live: LiveQdrant, collection: string): Promise<void> {
  for (const { file, value } of await marks(context)) if (value.collection === collection) await settle(context, live, file, value, true);
}

async function settle(context: Context, live: LiveQdrant, file: string, value: Mark, last: boolean): Promise<void> {
  const there = await snapshotsOf(live.client, value.collection);
  const named = there?.find((snapshot) => snapshot.name === value.name)?.name ?? null;
  const late = value.name === null ? lateSnapshot(value, there ?? []) : named;
  if (late !== null) {
    context.assertHolds();
    await live.client.deleteSnapshot(value.collection, late);
    context.say(`removed the snapshot ${late} that an earlier run left in Qdrant`, { collection: value.collection });
  }
  if (late !== null || value.name !== null || there === null || last) await unmark(file);
}

/** The snapshot that one request left: the earliest new one since. There is at most one, so later ones are not ours. */
export function lateSnapshot(value: Mark, there: readonly SnapshotInfo[]): string | null {
  const known = new Set(value.before);
  const late = there
    .map((snapshot) => ({ name: snapshot.name, at: timeOf(snapshot) }))
    .filter((snapshot) => !known.has(snapshot.name) && snapshot.at >= value.requestedAt - SLACK_MS)
    .sort((a, b) => a.at - b.at);
  return late[0]?.name ?? null;
}

/** From the name, which the server stamps in UTC. A name of another form is not from our request. */
function timeOf(snapshot: SnapshotInfo): number {
  const match = NAME_TIME.exec(snapshot.name);
  if (match === null) return -Infinity;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

async function marks(context: Context): Promise<{ file: string; value: Mark }[]> {
  const directory = directoryOf(context);
  const found: { file: string; value: Mark }[] = [];
  for (const name of await namesIn(directory)) {
    const file = path.join(directory, name);
    const value = parseMark(await readFile(file, "utf8"));
    // A torn one was never followed by a request: it is renamed into place before.
    if (value === null) await unmark(file);
    else found.push({ file, value });
  }
  return found;
}

function parseMark(text: string): Mark | null {
  try {
    return markSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Null: the collection is gone, and its snapshots with it. */
async function snapshotsOf(client: QdrantClient, collection: string): Promise<SnapshotInfo[] | null> {
  try {
    return await client.snapshots(collection);
  } catch (error) {
    if (error instanceof QdrantError && error.status === 404) return null;
    throw error;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function rewrite(file: string, value: Mark): Promise<void> {
  const next = `${file}.next`;
  await writeFile(next, JSON.stringify(value), { mode: 0o600 });
  await rename(next, file);
}
