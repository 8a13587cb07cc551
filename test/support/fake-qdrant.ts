import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { QdrantClient } from "../../components/qdrant/client.js";

export interface FakePoint {
  vector: number[] | Record<string, number[]>;
  payload: Record<string, unknown>;
}

interface Ask {
  ids?: number[];
  limit?: number;
  using?: string;
  query?: number[] | { sample: string };
  filter?: { must: [{ has_id: number[] }] };
}

type Answer = { status: number; result?: unknown };

/** One collection behind Qdrant's paths for reading points, for tests that decide what it answers and when. */
export class FakeQdrant {
  readonly points: Map<number, FakePoint>;
  /** Called before each answer, with the path's end: `points`, `query`, `scroll`. */
  onAsk: (what: string) => void = () => undefined;
  /** Of a server that does not know `points/query`. */
  old = false;
  /** What nearest answers are multiplied by: a Qdrant that finds something else. */
  skew = 1;
  private server: Server | null = null;

  constructor(points: Iterable<readonly [number, FakePoint]>) {
    this.points = new Map(points);
  }

  async open(): Promise<QdrantClient> {
    const server = createServer((request, response) => {
      void this.answer(request).then(({ status, result }) => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify({ result })));
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new QdrantClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  }

  close(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const ask = JSON.parse(await text(request)) as Ask;
    const what = request.url?.split("/").at(-1) ?? "";
    this.onAsk(what);
    const all = [...this.points.keys()].sort((a, b) => a - b);
    const { limit = 10, ids = [] } = ask;
    if (what === "points") return { status: 200, result: ids.filter((id) => this.points.has(id)).map((id) => ({ id, ...this.points.get(id) })) };
    if (what === "scroll") return { status: 200, result: { points: all.slice(0, limit).map((id) => ({ id, payload: null })), next_page_offset: null } };
    if (this.old) return { status: 404 };
    if (!Array.isArray(ask.query)) return { status: 200, result: { points: all.slice(0, limit).map((id) => ({ id, score: 0 })) } };
    const { query, using = "" } = ask;
    const among = new Set(ask.filter?.must[0].has_id ?? all);
    const scored = all.filter((id) => among.has(id)).map((id) => ({ id, score: this.skew * dot(query, vectorOf(this.points.get(id), using)) }));
    return { status: 200, result: { points: scored.sort((a, b) => b.score - a.score || a.id - b.id).slice(0, limit) } };
  }
}

function vectorOf(point: FakePoint | undefined, using: string): number[] {
  const vector = point?.vector ?? [];
  return Array.isArray(vector) ? vector : (vector[using] ?? []);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
