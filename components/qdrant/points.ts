import { z } from "zod";
import { pathOf, type QdrantClient } from "./client.js";
import { idJson, type PointId } from "./json.js";
import type { Limits } from "./limits.js";
import { named } from "./named.js";

/** Points as they are stored. Payload and vectors are left as Qdrant's JSON has them. */
export interface StoredPoint {
  id: PointId;
  /** Null without any, and where none was asked for. */
  payload: Record<string, unknown> | null;
  /** An array, or an object by vector name; undefined where none was asked for. */
  vector?: unknown;
}

export interface Scrolled {
  points: StoredPoint[];
  /** Where to go on; null at the end. */
  next: PointId | null;
  /** Characters of the answer: what a page costs. */
  size: number;
}

export interface Found {
  id: PointId;
  score: number;
}

const id = z.union([z.number(), z.string()]).transform(String);
const point = z.object({
  id,
  payload: named(z.unknown()).nullish().transform((payload) => payload ?? null),
  // Left out of the answer where none was asked for.
  vector: z.unknown().optional(),
});
const scrolled = z.object({ points: z.array(point), next_page_offset: id.nullish().transform((next) => next ?? null) });
const found = z.object({ points: z.array(z.object({ id, score: z.number() })) });

/**
 * One page of a collection, from `offset` (its beginning, if null) on, in the order of ids.
 * @param ask.among only these points; undefined: all
 */
export async function scroll(
  client: QdrantClient,
  collection: string,
  ask: { offset: PointId | null; limit: number; payload: boolean; vectors: boolean; among?: readonly PointId[] },
): Promise<Scrolled> {
  const offset = ask.offset === null ? "" : `,"offset":${idJson(ask.offset)}`;
  const body = `{"limit":${ask.limit},"with_payload":${ask.payload},"with_vector":${ask.vectors}${offset}${filterJson(ask.among)}}`;
  const { result, size } = await client.read(scrolled, `${pathOf(collection)}/points/scroll`, body);
  return { points: result.points, next: result.next_page_offset, size };
}

/** Points by id, with payload and vectors; those that are not there are left out. `size`: characters of the answer. */
export async function retrieve(client: QdrantClient, collection: string, ids: readonly PointId[]): Promise<{ points: StoredPoint[]; size: number }> {
  const body = `{"ids":[${ids.map(idJson).join(",")}],"with_payload":true,"with_vector":true}`;
  const { result: points, size } = await client.read(z.array(point), `${pathOf(collection)}/points`, body);
  return { points, size };
}

/** How many points {@link pointsById} may be asked for at once. */
export function idsAtOnce({ ids, page, perMinute }: Limits): number {
  return perMinute < Infinity && ids > 0 ? Math.min(ids, page) : perMinute;
}

/**
 * Points by id, as {@link retrieve} gives them, of a collection with limits. By id each point costs one of its minute's budget, which is its
 * users' as well; a page by a filter of ids costs two (1.19.0: `retrieve` and `scroll_by` of a local shard).
 */
export async function pointsById(client: QdrantClient, collection: string, ids: readonly PointId[], limits: Limits): Promise<{ points: StoredPoint[]; size: number }> {
  if (limits.perMinute === Infinity || limits.ids === 0) return retrieve(client, collection, ids);
  return scroll(client, collection, { offset: null, limit: ids.length, payload: true, vectors: true, among: ids });
}

/** So many points drawn at random, or all of them; servers before 1.11 refuse it. */
export async function randomIds(client: QdrantClient, collection: string, limit: number, timeoutMs: number): Promise<PointId[]> {
  const body = `{"query":{"sample":"random"},"limit":${limit},"with_payload":false}`;
  return (await client.read(found, `${pathOf(collection)}/points/query`, body, timeoutMs)).result.points.map(({ id: one }) => one);
}

/**
 * The nearest points to a vector.
 * @param ask.exact by reading every one, without an index: the same data gives the same answer
 * @param ask.using name of the vector, "" for the unnamed one
 * @param ask.among only these points; undefined: all
 */
export async function nearest(
  client: QdrantClient,
  collection: string,
  ask: { vector: unknown; using: string; limit: number; exact: boolean; among?: readonly PointId[]; timeoutMs: number },
): Promise<Found[]> {
  const using = ask.using === "" ? "" : `,"using":${JSON.stringify(ask.using)}`;
  const body = `{"query":${JSON.stringify(ask.vector)},"limit":${ask.limit},"params":{"exact":${ask.exact}},"with_payload":false${using}${filterJson(ask.among)}}`;
  return (await client.read(found, `${pathOf(collection)}/points/query`, body, ask.timeoutMs)).result.points;
}

function filterJson(among: readonly PointId[] | undefined): string {
  return among === undefined ? "" : `,"filter":{"must":[{"has_id":[${among.map(idJson).join(",")}]}]}`;
}
