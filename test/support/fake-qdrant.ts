import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { QdrantClient } from "../../components/qdrant/client.js";

export interface FakePoint {
  vector: number[] | Record<string, number[] | SparseVector>;
  payload: Record<string, unknown>;
}

interface SparseVector {
  indices: number[];
  values: number[];
}

interface Ask {
  ids?: number[];
  limit?: number;
  offset?: number;
  with_payload?: boolean;
  exact?: boolean;
  params?: { exact?: boolean };
  strict_mode_config?: { enabled: boolean };
  using?: string;
  query?: number[] | SparseVector | { sample: string };
  filter?: { must: [{ has_id: number[] }] };
}

type Answer = { status: number; result?: unknown; retryAfter?: number };

/** As Qdrant 1.19.0 has it: what a collection's strict mode refuses. */
export interface FakeStrictMode {
  enabled: boolean;
  max_query_limit?: number;
  search_allow_exact?: boolean;
  condition_max_size?: number;
}

/** One collection behind Qdrant's paths for reading points, for tests that decide what it answers and when. */
export class FakeQdrant {
  readonly points: Map<number, FakePoint>;
  /** Called before each answer, with the path's end: `points`, `query`, `scroll`. */
  onAsk: (what: string) => void = () => undefined;
  /** Of a server that does not know `points/query`. */
  old = false;
  /** What nearest answers are multiplied by: a Qdrant that finds something else. */
  skew = 1;
  /** What words count in sparse vectors: changes with each point that has them. */
  idf = 1;
  /** Finds one point less by sparse vectors. */
  blind = false;
  strict: FakeStrictMode | null = null;
  /** Requests for points that are refused from now on, as those above a rate limit are. */
  limited = 0;
  /** Seconds that they are told to wait. */
  retryAfter = 0;
  private server: Server | null = null;

  constructor(points: Iterable<readonly [number, FakePoint]>) {
    this.points = new Map(points);
  }

  async open(): Promise<QdrantClient> {
    const server = createServer((request, response) => {
      void this.answer(request).then(({ status, result, retryAfter }) => {
        const headers = { "Content-Type": "application/json", ...(retryAfter === undefined ? {} : { "Retry-After": retryAfter }) };
        response.writeHead(status, headers).end(JSON.stringify(status === 200 ? { result } : { status: { error: "refused" } }));
      });
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new QdrantClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  }

  close(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  private refuses({ limit = 0, exact, params, filter }: Ask): boolean {
    const { enabled = false, max_query_limit: most = Infinity, search_allow_exact: allowed = true, condition_max_size: size = Infinity } = this.strict ?? {};
    return enabled && (limit > most || (!allowed && (exact === true || params?.exact === true)) || (filter?.must[0].has_id.length ?? 0) > size);
  }

  private page({ limit = 10, offset = 0, filter, with_payload: read }: Ask, all: readonly number[]): object {
    const among = new Set(filter?.must[0].has_id ?? all);
    const left = all.filter((id) => id >= offset && among.has(id));
    return { points: left.slice(0, limit).map((id) => (read ? { id, ...this.points.get(id) } : { id, payload: null })), next_page_offset: left[limit] ?? null };
  }

  private sparse({ indices }: SparseVector, { limit = 10, using = "", filter }: Ask, all: readonly number[]): { id: number; score: number }[] {
    const among = filter?.must[0].has_id ?? all;
    const found = among.filter((id) => {
      const { vector = [] } = this.points.get(id) ?? {};
      const own = Array.isArray(vector) ? undefined : vector[using];
      return own !== undefined && "indices" in own && own.indices.some((index) => indices.includes(index));
    });
    return found.slice(this.blind ? 1 : 0, limit).map((id) => ({ id, score: this.idf / (id + 1) }));
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const ask = JSON.parse((await text(request)) || "{}") as Ask;
    const what = request.url?.split("/").at(-1) ?? "";
    this.onAsk(what);
    if (request.method === "PATCH" && this.strict !== null) this.strict = { ...this.strict, ...ask.strict_mode_config };
    if (request.method === "PATCH") return { status: 200, result: true };
    if (request.method === "GET") return { status: 200, result: { status: "green", config: { strict_mode_config: this.strict } } };
    if (this.limited > 0) {
      this.limited -= 1;
      return { status: 429, retryAfter: this.retryAfter };
    }
    if (this.refuses(ask)) return { status: 400 };
    const all = [...this.points.keys()].sort((a, b) => a - b);
    const { limit = 10, ids = [] } = ask;
    if (what === "points") return { status: 200, result: ids.filter((id) => this.points.has(id)).map((id) => ({ id, ...this.points.get(id) })) };
    if (what === "count") return { status: 200, result: { count: all.length } };
    if (what === "scroll") return { status: 200, result: this.page(ask, all) };
    if (this.old) return { status: 404 };
    if (ask.query !== undefined && "indices" in ask.query) return { status: 200, result: { points: this.sparse(ask.query, ask, all) } };
    if (!Array.isArray(ask.query)) return { status: 200, result: { points: all.slice(0, limit).map((id) => ({ id, score: 0 })) } };
    const { query, using = "" } = ask;
    const among = new Set(ask.filter?.must[0].has_id ?? all);
    const scored = all.filter((id) => among.has(id)).map((id) => ({ id, score: this.skew * dot(query, vectorOf(this.points.get(id), using)) }));
    return { status: 200, result: { points: scored.sort((a, b) => b.score - a.score || a.id - b.id).slice(0, limit) } };
  }
}

function vectorOf(point: FakePoint | undefined, using: string): number[] {
  const vector = point?.vector ?? [];
  const own = Array.isArray(vector) ? vector : (vector[using] ?? []);
  return Array.isArray(own) ? own : [];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
