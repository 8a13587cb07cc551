/** Collections of the kinds that people have, as the requests that make them. */
export interface Kind {
  /** Also the collection's name. */
  readonly name: string;
  readonly create: object;
  /** A point's vectors; the id decides them. */
  readonly vector: (id: number) => unknown;
  /** Payload indexes by field. */
  readonly indexes?: Readonly<Record<string, unknown>>;
  /** Points; 0: an empty collection. */
  readonly points?: number;
  /** The stand-in refuses it by name: its engine has no such thing. */
  readonly realOnly?: true;
  /** Minor version that brought it; absent: all that are tried have it. */
  readonly since?: string;
}

const SIZE = 16;
const dense = { size: SIZE, distance: "Cosine" };
const wave = (id: number, size = SIZE): number[] => Array.from({ length: size }, (_, at) => Math.round(Math.sin(id * 7 + at * 3) * 1e6) / 1e6);
const words = (id: number): object => ({ indices: [id % 11, 11 + (id % 7), 20 + (id % 5)], values: [1, 0.5, 0.25 + (id % 3)] });

const of = (name: string, create: object, vector: Kind["vector"] = wave): Kind => ({ name, create, vector });
const single = (name: string, change: object, collection: object = {}): Kind => of(name, { vectors: { ...dense, ...change }, ...collection });

export const KINDS: readonly Kind[] = [
  ...["Cosine", "Dot", "Euclid", "Manhattan"].map((distance) => single(`dense-${distance}`, { distance })),
  single("float16", { datatype: "float16" }),
  of("uint8", { vectors: { ...dense, distance: "Dot", datatype: "uint8" } }, (id) => wave(id).map((value) => Math.round(Math.abs(value) * 255))),
  { ...of("turbo4", { vectors: { ...dense, datatype: "turbo4" } }), realOnly: true, since: "1.19" },
  of("named", { vectors: { a: dense, b: { size: 4, distance: "Dot" } } }, (id) => (id % 3 === 0 ? { a: wave(id) } : { a: wave(id), b: wave(id, 4) })),
  of("multi", { vectors: { ...dense, multivector_config: { comparator: "max_sim" } } }, (id) => [wave(id), wave(id + 1)]),
  of("sparse", { sparse_vectors: { words: {} } }, (id) => ({ words: words(id) })),
  of("hybrid", { vectors: { text: dense }, sparse_vectors: { words: { modifier: "idf" } } }, (id) => ({ text: wave(id), words: words(id) })),
  single("scalar", {}, { quantization_config: { scalar: { type: "int8", quantile: 0.99, always_ram: true } } }),
  single("product", {}, { quantization_config: { product: { compression: "x4" } } }),
  single("binary", {}, { quantization_config: { binary: { always_ram: true } } }),
  { ...single("turbo", {}, { quantization_config: { turbo: {} } }), realOnly: true },
  single("on-disk", { on_disk: true }, { on_disk_payload: true, hnsw_config: { on_disk: true } }),
  single("shards", {}, { shard_number: 3 }),
  { ...single("tenants", {}, { hnsw_config: { m: 0, payload_m: 16 } }), indexes: { tenant: { type: "keyword", is_tenant: true } } },
  {
    ...single("indexed", {}),
    indexes: { tenant: "keyword", n: "integer", x: "float", where: "geo", text: { type: "text", tokenizer: "word", lowercase: true }, flag: "bool", when: "datetime", uuid: "uuid" },
  },
  single("strict", {}, { strict_mode_config: { enabled: true, max_query_limit: 50, search_allow_exact: false, read_rate_limit: 240, condition_max_size: 32 }, metadata: { team: "search" } }),
  { ...single("empty", {}), points: 0 },
  { ...of("nothing", { vectors: {} }, () => ({})), points: 40, realOnly: true },
  single("odd ü & %", {}),
  single("__proto__", {}),
  single("constructor", {}),
];

/** Ids of both kinds: numbers, the largest as text (JavaScript rounds it), and UUIDs. */
export function idOf(at: number): string {
  if (at === 0) return "18446744073709551615";
  return at % 5 === 0 ? JSON.stringify(`00000000-0000-4000-8000-${String(at).padStart(12, "0")}`) : String(at);
}

export function payloadOf(at: number): object {
  return {
    tenant: `t${at % 4}`, n: at, x: at / 3, where: { lon: at % 90, lat: -(at % 45) }, text: `Häuser und Straßen ${at}`, flag: at % 2 === 0,
    when: `2026-01-${String(1 + (at % 28)).padStart(2, "0")}T00:00:00Z`, uuid: `00000000-0000-4000-8000-${String(at % 9).padStart(12, "0")}`, deep: { list: [1, null, { a: "b" }] }, ["__proto__x"]: at,
  };
}
