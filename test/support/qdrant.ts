import axios from "axios";

/** A point as Qdrant gives it back. */
export interface Point {
  readonly id: number | string;
  readonly vector: unknown;
  readonly payload: Record<string, unknown> | null;
}

/** Everything that a user can see of a Qdrant, for comparing one with another. */
export interface Dump {
  readonly collections: Record<string, { config: unknown; indexes: Record<string, unknown>; points: Point[] }>;
  readonly aliases: { alias_name: string; collection_name: string }[];
}

interface Answer<T> {
  result: T;
}

/** The requests that tests make as a user of Qdrant would. */
export class TestQdrant {
  constructor(readonly baseUrl: string, private readonly apiKey: string) {}

  async send<T>(method: "GET" | "PUT" | "POST" | "DELETE", path: string, data?: unknown): Promise<T> {
    const response = await axios.request<Answer<T>>({
      baseURL: this.baseUrl, url: path, method, data, headers: { "api-key": this.apiKey }, timeout: 60_000, maxBodyLength: Infinity, proxy: false,
    });
    return response.data.result;
  }

  async ready(): Promise<boolean> {
    await this.send("GET", "/collections");
    return true;
  }

  create(collection: string, vectors: unknown): Promise<unknown> {
    return this.send("PUT", `/collections/${collection}`, { vectors });
  }

  upsert(collection: string, points: readonly { id: number; vector: unknown; payload?: unknown }[]): Promise<unknown> {
    return this.send("PUT", `/collections/${collection}/points?wait=true`, { points });
  }

  index(collection: string, field: string, schema: string): Promise<unknown> {
    return this.send("PUT", `/collections/${collection}/index?wait=true`, { field_name: field, field_schema: schema });
  }

  alias(alias: string, collection: string): Promise<unknown> {
    return this.send("POST", "/collections/aliases", { actions: [{ create_alias: { alias_name: alias, collection_name: collection } }] });
  }

  async snapshots(collection: string): Promise<string[]> {
    return (await this.send<{ name: string }[]>("GET", `/collections/${collection}/snapshots`)).map(({ name }) => name);
  }

  async collections(): Promise<string[]> {
    return (await this.send<{ collections: { name: string }[] }>("GET", "/collections")).collections.map(({ name }) => name).sort();
  }

  /** @param points false: all but those */
  async dump({ points = true } = {}): Promise<Dump> {
    const collections: Dump["collections"] = {};
    for (const name of await this.collections()) {
      const info = await this.send<{ config: unknown; payload_schema: Record<string, unknown> }>("GET", `/collections/${name}`);
      collections[name] = { config: info.config, indexes: info.payload_schema, points: points ? await this.points(name) : [] };
    }
    const { aliases } = await this.send<{ aliases: Dump["aliases"] }>("GET", "/aliases");
    return { collections, aliases: aliases.sort((a, b) => a.alias_name.localeCompare(b.alias_name)) };
  }

  /** All points with payload and vectors, by id. */
  async points(collection: string): Promise<Point[]> {
    const all: Point[] = [];
    for await (const page of this.pages(collection)) all.push(...page);
    return all.sort((a, b) => String(a.id).localeCompare(String(b.id), "en", { numeric: true }));
  }

  /** The same of all collections, one after another, for what does not fit into memory. */
  async *everyPoint(): AsyncGenerator<{ collection: string; point: Point }> {
    for (const collection of await this.collections()) {
      for await (const page of this.pages(collection)) for (const point of page) yield { collection, point };
    }
  }

  private async *pages(collection: string): AsyncGenerator<Point[]> {
    for (let offset: unknown = null; ; ) {
      const page = await this.send<{ points: Point[]; next_page_offset: unknown }>("POST", `/collections/${collection}/points/scroll`, {
        limit: 1000, with_payload: true, with_vector: true, ...(offset === null ? {} : { offset }),
      });
      yield page.points;
      offset = page.next_page_offset ?? null;
      if (offset === null) return;
    }
  }
}
