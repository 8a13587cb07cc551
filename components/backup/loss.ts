import { isDeepStrictEqual } from "node:util";
import { compareIds } from "../qdrant/json.js";
import { grouped } from "../settings/units.js";
import type { CollectionHead, Entry, FileEntry, PointEntry } from "./index/format.js";
import { comparePaths } from "./index/paths.js";
import { Peekable } from "./index/peekable.js";

/** What going back to a backup would take away or bring back. Pure: two indexes in, counts out, one entry in memory each. */

export interface Counts {
  /** There now, and not in the backup: would be gone. */
  added: number;
  /** Other content now than in the backup. */
  changed: number;
  /** In the backup, and not there now: would be back. */
  deleted: number;
  /** More may have changed than was counted: not everything of each point was hashed. */
  atLeast: boolean;
}

export interface CollectionLoss extends Counts {
  /** `added`: the whole collection is not in the backup; `deleted`: it is only there. */
  whole: "added" | "deleted" | null;
  /** What is different in its head, in words: "payload index city". */
  heads: string[];
}

export interface Loss {
  /** Collections with a difference, by name. */
  collections: Record<string, CollectionLoss>;
  files: Counts;
}

/**
 * Compares a backup's index with a listing of the live data in the same form, order and detail (of another detail, a
 * collection's hashes say nothing: then only its ids are compared).
 * @throws RangeError where a stream is not in order: the counts would be wrong
 */
export async function lossOf(index: AsyncIterable<Entry>, live: AsyncIterable<Entry>): Promise<Loss> {
  const [then, now] = [new Peekable(index), new Peekable(live)];
  try {
    return { collections: await collectionsLoss(then, now), files: await filesLoss(then, now) };
  } finally {
    await Promise.all([then.close(), now.close()]);
  }
}

/** Whether nothing is known to be lost by going back. */
export function isNothing({ collections, files }: Loss): boolean {
  const none = ({ added, changed, deleted }: Counts): boolean => added + changed + deleted === 0;
  return none(files) && Object.values(collections).every((one) => none(one) && one.whole === null && one.heads.length === 0);
}

/** A line for each collection with a difference, and one for the files; [] if there is nothing. */
export function lossInWords({ collections, files }: Loss): string[] {
  const lines = Object.entries(collections).map(([name, one]) => {
    const whole = one.whole === null ? "" : one.whole === "added" ? ", the collection is not in the backup" : ", the collection is only in the backup";
    const heads = one.heads.length === 0 ? "" : `; different: ${one.heads.join(", ")}`;
    return `collection ${name}: ${counted("point", one)}${whole}${heads}`;
  });
  return files.added + files.changed + files.deleted === 0 ? lines : [...lines, `uploads: ${counted("file", files)}`];
}

function counted(what: string, { added, changed, deleted, atLeast }: Counts): string {
  const changes = !atLeast ? `${grouped(changed)} changed` : changed === 0 ? "no change seen" : `at least ${grouped(changed)} changed`;
  return `${grouped(added)} ${what}${added === 1 ? "" : "s"} added, ${changes}, ${grouped(deleted)} deleted since the backup`;
}

async function collectionsLoss(then: Peekable<Entry>, now: Peekable<Entry>): Promise<Loss["collections"]> {
  const result: Loss["collections"] = {};
  let last: string | null = null;
  for (;;) {
    const [a, b] = [headOf(await then.peek()), headOf(await now.peek())];
    const name = [a?.name, b?.name].filter((one) => one !== undefined).sort()[0];
    if (name === undefined) return result;
    if (last !== null && name <= last) throw new RangeError(`collection ${name} is listed after ${last}`);
    last = name;
    const [before, after] = [a?.name === name ? a : null, b?.name === name ? b : null];
    if (before !== null) await then.next();
    if (after !== null) await now.next();
    const one = await collectionLoss(before, after, then, now);
    if (one.added + one.changed + one.deleted > 0 || one.whole !== null || one.heads.length > 0) result[name] = one;
  }
}

async function collectionLoss(before: CollectionHead | null, after: CollectionHead | null, then: Peekable<Entry>, now: Peekable<Entry>): Promise<CollectionLoss> {
  const none = (): Promise<null> => Promise.resolve(null);
  const comparable = before?.detail === after?.detail;
  const point = (entries: Peekable<Entry>, listed: boolean) => (listed ? async () => pointOf(await entries.peek()) : none);
  const counts = await compared<PointEntry>(
    { peek: point(then, before !== null), skip: () => then.next() },
    { peek: point(now, after !== null), skip: () => now.next() },
    { key: ({ id }) => id, compare: compareIds, differ: (a, b) => comparable && a.hash !== b.hash },
  );
  if (before === null || after === null) return { ...counts, atLeast: false, whole: before === null ? "added" : "deleted", heads: [] };
  return { ...counts, atLeast: before.detail !== "vectors" || after.detail !== "vectors", whole: null, heads: headsDiffer(before, after) };
}

async function filesLoss(then: Peekable<Entry>, now: Peekable<Entry>): Promise<Counts> {
  for (const entries of [then, now]) if ((await entries.peek())?.type === "uploads") await entries.next();
  const side = (entries: Peekable<Entry>) => ({ peek: async () => fileOf(await entries.peek()), skip: () => entries.next() });
  const counts = await compared<FileEntry>(side(then), side(now), {
    key: ({ path }) => path,
    compare: comparePaths,
    differ: (a, b) => a.content !== b.content || a.size !== b.size,
  });
  for (const entries of [then, now]) {
    const rest = await entries.peek();
    if (rest !== null) throw new RangeError(`an index goes on with ${rest.type} after its files`);
  }
  return { ...counts, atLeast: false };
}

interface Side<T> {
  /** The next entry of this kind; null: no more. */
  peek(): Promise<T | null>;
  skip(): Promise<unknown>;
}

interface Rule<T> {
  key(entry: T): string;
  compare(a: string, b: string): number;
  differ(then: T, now: T): boolean;
}

/** Two sorted lists, walked side by side. */
async function compared<T>(then: Side<T>, now: Side<T>, rule: Rule<T>): Promise<Omit<Counts, "atLeast">> {
  const counts = { added: 0, changed: 0, deleted: 0 };
  const order = { then: inOrder(rule), now: inOrder(rule) };
  for (;;) {
    const [a, b] = [await then.peek(), await now.peek()];
    if (a === null && b === null) return counts;
    const which = a === null ? 1 : b === null ? -1 : rule.compare(rule.key(a), rule.key(b));
    if (a !== null && which <= 0) {
      order.then(rule.key(a));
      await then.skip();
    }
    if (b !== null && which >= 0) {
      order.now(rule.key(b));
      await now.skip();
    }
    if (which < 0) counts.deleted += 1;
    else if (which > 0) counts.added += 1;
    else if (a !== null && b !== null && rule.differ(a, b)) counts.changed += 1;
  }
}

/** Checks that keys only grow. */
function inOrder<T>(rule: Rule<T>): (key: string) => void {
  let last: string | null = null;
  return (key) => {
    if (last !== null && rule.compare(last, key) >= 0) throw new RangeError(`${JSON.stringify(key)} is listed after ${JSON.stringify(last)}`);
    last = key;
  };
}

function headsDiffer(then: CollectionHead, now: CollectionHead): string[] {
  const fields = [...new Set([...Object.keys(then.payloadSchema), ...Object.keys(now.payloadSchema)])].sort();
  const aliases = [...new Set([...then.aliases, ...now.aliases])].sort();
  return [
    ...fields.filter((field) => !isDeepStrictEqual(withoutCount(then.payloadSchema[field]), withoutCount(now.payloadSchema[field]))).map((field) => `payload index ${field}`),
    ...aliases.filter((alias) => then.aliases.includes(alias) !== now.aliases.includes(alias)).map((alias) => `alias ${alias}`),
    ...(isDeepStrictEqual(then.config, now.config) ? [] : ["configuration"]),
  ];
}

/** A payload index tells how many points it has: that is no difference of its own. */
function withoutCount(index: unknown): unknown {
  if (typeof index !== "object" || index === null) return index;
  return Object.fromEntries(Object.entries(index).filter(([key]) => key !== "points"));
}

function headOf(entry: Entry | null): CollectionHead | null {
  return entry?.type === "collection" ? entry : null;
}

function pointOf(entry: Entry | null): PointEntry | null {
  return entry?.type === "point" ? entry : null;
}

function fileOf(entry: Entry | null): FileEntry | null {
  return entry?.type === "file" ? entry : null;
}
