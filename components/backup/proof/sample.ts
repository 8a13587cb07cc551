import { setTimeout as delay } from "node:timers/promises";
import { type QdrantClient, QdrantError } from "../../qdrant/client.js";
import type { PointId } from "../../qdrant/json.js";
import { type Limits, limitsOf, UNLIMITED } from "../../qdrant/limits.js";
import { type Found, idsAtOnce, nearest, pointsById, randomIds, scroll, type StoredPoint } from "../../qdrant/points.js";
import type { Context } from "../context.js";
import { vectorNames } from "../index/format.js";
import { pointHash } from "../index/hash.js";
import { Mismatch, sameAnswers, sameMembers } from "./agree.js";
import { scoresAreRelative } from "./relative.js";

/** What was compared of one collection. */
export interface SampleRecord {
  /** Points whose payload and vectors were found to be the live Qdrant's, to the last bit. */
  points: number;
  /** Drawn as well, and not compared: written or deleted while the backup was made, or waiting for their optimisation. */
  changed: number;
  /** Queries whose answers were compared. */
  queries: number;
}

/** Points that are drawn of a collection. */
const POINTS = 200;
/** Of those, whose vectors are asked for, by each of so many vectors. */
const ASKED = 3;
const VECTORS = 4;
/** Places of an answer. */
const LIMIT = 10;
/** Characters of answers: of one page, and of all of them, after which no more points are looked at. */
const PAGE = 4_000_000;
const MOST = 40_000_000;
/** How often, and after how many milliseconds, a difference is looked at again: a write that was sent may come late. */
const LOOKS = 5;
const LOOK_MS = 1_000;

/** Points by id, with a hash of payload and vectors. */
type Hashes = ReadonlyMap<PointId, string>;

export type SampleContext = Pick<Context, "say" | "remaining">;

/**
 * Some points of a collection as the live Qdrant had them before its snapshot. Users write meanwhile, so only what is the same
 * before and after the snapshot is compared: what was not written in between must be in the snapshot as it is.
 */
export class Sample {
  private constructor(
    private readonly context: SampleContext,
    private readonly collection: string,
    private readonly config: Record<string, unknown>,
    /** The live one's; those of the scratch are lifted while it is compared. */
    private readonly limits: Limits,
    private readonly before: Hashes,
    /** False where none can be asked. */
    private readonly queries: boolean,
  ) {}

  /** @param config the collection's, which names its vectors and its limits */
  static async draw(context: SampleContext, live: QdrantClient, collection: string, config: Record<string, unknown>): Promise<Sample> {
    const limits = limitsOf(config);
    const { ids, queries } = await draw(context, live, collection, limits);
    const asks = limits.exact && limits.ids > 0;
    if (queries && !asks) context.say(`collection ${collection}: its strict mode refuses exact search among points, so points are compared and answers to queries are not`);
    return new Sample(context, collection, config, limits, await hashes(live, collection, ids, limits), queries && asks);
  }

  /**
   * Compares it with what was restored.
   * @param options.lookMs milliseconds until a difference is looked at again
   * @param options.deferred points wait to be optimised before they are seen (`prevent_unoptimized`): the live Qdrant may show the former ones for long
   * @throws Mismatch
   */
  async compare(live: QdrantClient, scratch: QdrantClient, { lookMs = LOOK_MS, deferred = false }: { lookMs?: number; deferred?: boolean } = {}): Promise<SampleRecord> {
    const held = await this.still(live, [...this.before.keys()]);
    const restored = await hashes(scratch, this.collection, held, UNLIMITED);
    const different = held.filter((id) => restored.get(id) !== this.before.get(id));
    const settled = new Set(deferred ? different : await this.settled(live, different, lookMs));
    const same = held.filter((id) => !settled.has(id));
    const queries = this.queries && same.length > 0 ? await this.ask(live, scratch, same) : 0;
    return { points: same.length, changed: this.before.size - same.length, queries };
  }

  /** Which of them are in the live Qdrant as they were. */
  private async still(live: QdrantClient, ids: readonly PointId[]): Promise<PointId[]> {
    const after = await hashes(live, this.collection, ids, this.limits);
    return ids.filter((id) => after.get(id) === this.before.get(id));
  }

  /**
   * Waits for differences to turn out to be writes: one that Qdrant has accepted and not yet carried out is in the snapshot's
   * log, so that the scratch can have it first. @returns those, which are all; @throws Mismatch for any other
   */
  private async settled(live: QdrantClient, different: readonly PointId[], lookMs: number): Promise<readonly PointId[]> {
    let left = different;
    for (let look = 0; left.length > 0 && look < LOOKS; look += 1) {
      await delay(lookMs);
      left = await this.still(live, left);
    }
    if (left.length === 0) return different;
    const some = left.slice(0, 3).join(", ");
    throw new Mismatch("sample", `${left.length} of ${this.before.size} points of collection ${this.collection} that were looked at differ in the scratch Qdrant from the live one (${some}${left.length > 3 ? ", …" : ""})`);
  }

  /**
   * Asks both for the nearest of the compared points by the vectors of some of them. By reading each (`exact`), for there the
   * same data gives the same answer, whatever else was written; where scores depend on other points too, of which points it finds. What an index finds is an approximation that each Qdrant builds
   * anew, in an order of its own: of the scratch's it is asked that it answers, not what.
   * @returns queries asked
   */
  private async ask(live: QdrantClient, scratch: QdrantClient, ids: readonly PointId[]): Promise<number> {
    const vectors = vectorNames(this.config).slice(0, VECTORS);
    const asked = pick(ids, ASKED);
    const { points: found } = await pointsById(scratch, this.collection, asked, UNLIMITED);
    const points = new Map(found.map((point) => [point.id, point]));
    const among = ids.slice(0, Math.min(this.limits.ids, this.limits.page));
    let queries = 0;
    for (const { using, id } of vectors.flatMap((name) => asked.map((one) => ({ using: name, id: one })))) {
      const vector = vectorOf(points.get(id), using);
      if (vector === null) continue;
      await this.askOne(live, scratch, among, { using, vector });
      queries += 1;
    }
    return queries;
  }

  private async askOne(live: QdrantClient, scratch: QdrantClient, ids: readonly PointId[], { using, vector }: { using: string; vector: unknown }): Promise<void> {
    const relative = scoresAreRelative(this.config, using);
    const ask = (client: QdrantClient, among?: readonly PointId[]): Promise<Found[]> => {
      const limit = relative && among !== undefined ? among.length : Math.min(LIMIT, this.limits.page);
      return nearest(client, this.collection, { vector, using, limit, ...(among === undefined ? { exact: false } : { exact: true, among }), timeoutMs: this.context.remaining() });
    };
    const same = relative ? sameMembers : sameAnswers;
    const words = `collection ${this.collection}${using === "" ? "" : `, vector ${using}`}`;
    if ((await ask(scratch)).length === 0) throw new Mismatch("sample", `${words}: the scratch Qdrant finds nothing for a vector that it holds`);
    for (let among = ids; ; ) {
      if (same(await ask(live, among), await ask(scratch, among))) return;
      const still = await this.still(live, among);
      if (still.length === among.length) throw new Mismatch("sample", `${words}: a query has another answer in the scratch Qdrant than in the live one`);
      // Written since they were compared: the others must do.
      among = still;
    }
  }
}

/** At random where the server can, else the first ones. */
async function draw(context: SampleContext, live: QdrantClient, collection: string, limits: Limits): Promise<{ ids: PointId[]; queries: boolean }> {
  const limit = Math.min(POINTS, limits.page, limits.ids === 0 ? limits.perMinute : Infinity);
  try {
    return { ids: await randomIds(live, collection, limit, context.remaining()), queries: true };
  } catch (error) {
    if (!(error instanceof QdrantError) || error.failure !== "refused" || !OLD.includes(error.status ?? 0)) throw error;
    context.say(`collection ${collection}: this Qdrant draws no points at random, so its first ones are compared`);
    const { points } = await scroll(live, collection, { offset: null, limit, payload: false, vectors: false });
    return { ids: points.map(({ id }) => id), queries: false };
  }
}

/** A server that does not know the path, or the query. */
const OLD = [400, 404, 405];

/** Of those that are there, as far as {@link MOST} goes. A page is in memory at a time. */
async function hashes(client: QdrantClient, collection: string, ids: readonly PointId[], limits: Limits): Promise<Hashes> {
  const found = new Map<PointId, string>();
  const most = idsAtOnce(limits);
  let limit = Math.min(4, most);
  for (let from = 0, read = 0; from < ids.length && read < MOST; ) {
    const page = ids.slice(from, from + limit);
    const { points, size } = await pointsById(client, collection, page, limits);
    for (const point of points) found.set(point.id, pointHash(point, "vectors"));
    from += page.length;
    read += size;
    limit = Math.max(1, Math.min(ids.length, most, Math.floor(PAGE / (size / page.length))));
  }
  return found;
}

/** Some, spread over all. */
function pick<T>(all: readonly T[], count: number): T[] {
  const step = Math.max(1, all.length / count);
  return Array.from({ length: Math.min(count, all.length) }, (_, at) => all[Math.floor(at * step)]).filter((one) => one !== undefined);
}

/** A point's vector by name; null: it has none that can be asked for. */
function vectorOf(point: StoredPoint | undefined, name: string): unknown {
  const { vector } = point ?? {};
  if (typeof vector !== "object" || vector === null) return null;
  const named: unknown = Array.isArray(vector) ? (name === "" ? vector : null) : (vector as Record<string, unknown>)[name];
  const numbers: unknown = typeof named === "object" && named !== null && "indices" in named ? named.indices : named;
  return Array.isArray(numbers) && numbers.length > 0 ? named : null;
}
