import { z } from "zod";

/**
 * Every request that the program makes of a Qdrant, and what of the answer it relies on. Each line is run against whatever Qdrant there is (see
 * e2e/qdrant-contract): the stand-in always, a real server where one is named. Seen on 1.19.0; `since` says from which version on it is there.
 */
export interface ContractCall {
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** Besides the key and `Accept-Encoding: identity`, which every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Without the key. */
  readonly open?: true;
  /** HTTP status. */
  readonly status: number;
  /** What of the answer is used: of `result`, or of the whole body where there is none. */
  readonly used: z.ZodType;
  /** The form of an error: `{"status": {"error": …}}`, text, or nothing. Of 200s: undefined. */
  readonly error?: "json" | "text" | "empty";
  /** Headers that are used. */
  readonly answered?: Readonly<Record<string, RegExp>>;
  /** Minor version that brought it; absent: all that are tried have it. */
  readonly since?: string;
}

/** The requests go to collections that {@link PREPARED} makes. */
export const PREPARED: readonly { readonly name: string; readonly create: object; readonly points: number }[] = [
  { name: "plain", create: { vectors: { size: 2, distance: "Dot" } }, points: 20 },
  { name: "strict", create: { vectors: { size: 2, distance: "Dot" }, strict_mode_config: { enabled: true, max_query_limit: 5, search_allow_exact: false, condition_max_size: 3 } }, points: 20 },
  { name: "rated", create: { vectors: { size: 2, distance: "Dot" }, strict_mode_config: { enabled: true, read_rate_limit: 3 } }, points: 20 },
];

const anything = z.unknown();
const yes = z.literal(true);
const said = (pattern: RegExp): z.ZodType => z.string().regex(pattern);
const ids = (count: number): z.ZodType => z.array(z.looseObject({ id: z.union([z.number(), z.string()]) })).length(count);
const snapshot = z.looseObject({ name: said(/^plain-\d+-\d{4}(-\d\d){5}\.snapshot$/), creation_time: z.string(), size: z.number().int().positive(), checksum: said(/^[0-9a-f]{64}$/) });
const strict = z.looseObject({ enabled: z.boolean(), max_query_limit: z.literal(5), search_allow_exact: z.literal(false), condition_max_size: z.literal(3) });
const info = z.looseObject({ status: z.enum(["green", "yellow", "grey", "red"]), points_count: z.number(), config: z.looseObject({ params: z.looseObject({}) }), payload_schema: z.looseObject({}), update_queue: z.looseObject({}) });
const P = "/collections/plain";
const S = "/collections/strict";
const filter = (...has: number[]): object => ({ must: [{ has_id: has }] });

export const CALLS: readonly ContractCall[] = [
  { name: "version, without a key", method: "GET", path: "/", open: true, status: 200, used: z.looseObject({ title: z.string(), version: said(/^\d+\.\d+\.\d+/), commit: z.string() }) },
  ...["/healthz", "/livez", "/readyz"].map((path): ContractCall => ({ name: `health ${path}, without a key`, method: "GET", path, open: true, status: 200, used: said(/passed|ready/) })),
  { name: "no key", method: "GET", path: "/collections", open: true, status: 401, used: said(/API key/), error: "text" },
  { name: "another key", method: "GET", path: "/collections", headers: { "api-key": "other" }, status: 401, used: said(/Invalid API key/), error: "text" },
  { name: "metrics", method: "GET", path: "/metrics", status: 200, used: said(/^app_info\{/m) },
  { name: "an unknown path", method: "GET", path: "/nothing", status: 404, used: z.literal(""), error: "empty" },
  { name: "collections", method: "GET", path: "/collections", status: 200, used: z.object({ collections: z.array(z.object({ name: z.string() })).min(3) }) },
  { name: "a collection", method: "GET", path: P, status: 200, used: info },
  { name: "a collection with strict mode", method: "GET", path: S, status: 200, used: z.looseObject({ config: z.looseObject({ strict_mode_config: strict }) }), since: "1.13" },
  { name: "no such collection", method: "GET", path: "/collections/none", status: 404, used: said(/doesn't exist/), error: "json" },
  { name: "count", method: "POST", path: `${P}/points/count`, body: { exact: true }, status: 200, used: z.object({ count: z.literal(20) }) },
  { name: "count of nothing", method: "POST", path: "/collections/none/points/count", body: { exact: true }, status: 404, used: said(/doesn't exist/), error: "json" },
  { name: "count in strict mode", method: "POST", path: `${S}/points/count`, body: { exact: true }, status: 400, used: said(/Exact search disabled/), error: "json" },
  { name: "first page", method: "POST", path: `${P}/points/scroll`, body: { limit: 2, with_payload: true, with_vector: true }, status: 200, used: z.object({ points: z.array(z.object({ id: z.number(), payload: z.looseObject({}), vector: z.array(z.number()) })).length(2), next_page_offset: z.literal(2) }) },
  { name: "last page, ids only", method: "POST", path: `${P}/points/scroll`, body: { limit: 5, with_payload: false, with_vector: false, offset: 18 }, status: 200, used: z.object({ points: z.array(z.strictObject({ id: z.number() })).length(2), next_page_offset: z.null() }) },
  { name: "page of points by a filter of ids", method: "POST", path: `${S}/points/scroll`, body: { limit: 3, with_payload: true, with_vector: true, filter: filter(1, 2, 99) }, status: 200, used: z.looseObject({ points: ids(2) }) },
  { name: "a page of nothing", method: "POST", path: `${P}/points/scroll`, body: { limit: 0 }, status: 422, used: said(/must be 1 or larger/), error: "json" },
  { name: "too long a page in strict mode", method: "POST", path: `${S}/points/scroll`, body: { limit: 6 }, status: 400, used: said(/Limit exceeded 6 > 5/), error: "json" },
  { name: "too long a filter in strict mode", method: "POST", path: `${S}/points/scroll`, body: { limit: 3, filter: filter(1, 2, 3, 4) }, status: 400, used: said(/Condition size limit reached/), error: "json" },
  { name: "points by id", method: "POST", path: `${P}/points`, body: { ids: [1, 99], with_payload: true, with_vector: true }, status: 200, used: ids(1) },
  { name: "above the rate for good", method: "POST", path: "/collections/rated/points", body: { ids: [1, 2, 3, 4] }, status: 429, used: said(/larger than rate limiter capacity/), error: "json" },
  { name: "within the rate", method: "POST", path: "/collections/rated/points", body: { ids: [1, 2, 3] }, status: 200, used: ids(3) },
  { name: "above the rate", method: "POST", path: "/collections/rated/points", body: { ids: [1, 2] }, status: 429, used: said(/Retry after/), error: "json", answered: { "retry-after": /^\d+$/ } },
  { name: "some points at random", method: "POST", path: `${P}/points/query`, body: { query: { sample: "random" }, limit: 7, with_payload: false }, status: 200, used: z.object({ points: ids(7) }), since: "1.11" },
  { name: "nearest, exactly, of some", method: "POST", path: `${P}/points/query`, body: { query: [1, 0], limit: 2, params: { exact: true }, with_payload: false, filter: filter(1, 2, 3) }, status: 200, used: z.object({ points: z.tuple([z.looseObject({ id: z.literal(3), score: z.literal(3) }), z.looseObject({ id: z.literal(2), score: z.literal(2) })]) }), since: "1.10" },
  { name: "nearest, exactly, in strict mode", method: "POST", path: `${S}/points/query`, body: { query: [1, 0], limit: 2, params: { exact: true } }, status: 400, used: said(/Exact search disabled/), error: "json" },
  { name: "by a vector that is not there", method: "POST", path: `${P}/points/query`, body: { query: [1, 0], using: "x", limit: 2 }, status: 400, used: said(/Not existing vector name/), error: "json" },
  { name: "strict mode off", method: "PATCH", path: S, body: { strict_mode_config: { enabled: false } }, status: 200, used: yes, since: "1.13" },
  { name: "count, strict mode being off", method: "POST", path: `${S}/points/count`, body: { exact: true }, status: 200, used: z.object({ count: z.literal(20) }) },
  { name: "strict mode on", method: "PATCH", path: S, body: { strict_mode_config: { enabled: true } }, status: 200, used: yes },
  { name: "its limits are as they were", method: "GET", path: S, status: 200, used: z.looseObject({ config: z.looseObject({ strict_mode_config: strict }) }) },
  { name: "make aliases", method: "POST", path: "/collections/aliases", body: { actions: [{ create_alias: { alias_name: "alias", collection_name: "plain" } }] }, status: 200, used: yes },
  { name: "aliases", method: "GET", path: "/aliases", status: 200, used: z.object({ aliases: z.array(z.object({ alias_name: z.literal("alias"), collection_name: z.literal("plain") })).length(1) }) },
  { name: "an alias of nothing", method: "POST", path: "/collections/aliases", body: { actions: [{ create_alias: { alias_name: "b", collection_name: "none" } }] }, status: 404, used: said(/doesn't exist/), error: "json" },
  { name: "an alias that is a collection", method: "POST", path: "/collections/aliases", body: { actions: [{ create_alias: { alias_name: "strict", collection_name: "plain" } }] }, status: 409, used: said(/already exists/), error: "json" },
  { name: "make a snapshot", method: "POST", path: `${P}/snapshots?wait=true`, status: 200, used: snapshot },
  { name: "snapshots", method: "GET", path: `${P}/snapshots`, status: 200, used: z.array(snapshot).length(1) },
  { name: "snapshots of nothing", method: "GET", path: "/collections/none/snapshots", status: 404, used: said(/doesn't exist/), error: "json" },
  { name: "download of no such snapshot", method: "GET", path: `${P}/snapshots/none.snapshot`, status: 404, used: said(/Not found/), error: "text" },
  { name: "remove no such snapshot", method: "DELETE", path: `${P}/snapshots/none.snapshot?wait=true`, status: 404, used: said(/Not found/), error: "json" },
  { name: "upload of no form", method: "POST", path: "/collections/new/snapshots/upload?priority=snapshot&wait=true", body: "x", headers: { "Content-Type": "text/plain" }, status: 415, used: anything, error: "text" },
  { name: "quotas", method: "GET", path: "/quotas", status: 200, used: z.looseObject({ config: z.looseObject({ enabled: z.boolean() }) }), since: "1.19" },
];
