import { Agent } from "node:http";
import axios from "axios";
import { setTimeout as delay } from "node:timers/promises";
import { type ContractCall, PREPARED } from "./calls.js";
import { idOf, type Kind, payloadOf } from "./kinds.js";

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

/** A server that refuses a request before it has read its body closes the connection (seen with Qdrant 1.18.2): none is used twice. */
const FRESH = new Agent({ keepAlive: false });

/** The contract's own requests, so that it depends on no client of ours; texts stay as they came, as JavaScript rounds large ids. */
export class ContractServer {
  constructor(readonly baseUrl: string, private readonly apiKey: string) {}

  async send(method: ContractCall["method"], path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}, open = false): Promise<Answer> {
    const answer = await axios.request<string>({
      baseURL: this.baseUrl, url: path, method, data: typeof body === "string" || body === undefined ? body : JSON.stringify(body), proxy: false, timeout: 120_000, httpAgent: FRESH,
      headers: { "Accept-Encoding": "identity", "Content-Type": "application/json", ...(open ? {} : { "api-key": this.apiKey }), ...headers },
      responseType: "text", transformResponse: (text: unknown) => text, validateStatus: () => true,
    });
    return { status: answer.status, headers: answer.headers, text: answer.data };
  }

  async must(method: ContractCall["method"], path: string, body?: unknown): Promise<string> {
    const answer = await this.send(method, path, body);
    if (answer.status === 200) return answer.text;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 400)}`);
  }

  async prepare(): Promise<void> {
    for (const { name, create, points } of PREPARED) {
      await this.must("PUT", `/collections/${name}`, create);
      await this.must("PUT", `/collections/${name}/points?wait=true`, { points: Array.from({ length: points }, (_, id) => ({ id, vector: [id, 1], payload: { id } })) });
    }
  }

  /** One collection with its points, indexes and an alias. */
  async make({ name, create, vector, indexes = {}, points = 60 }: Kind): Promise<void> {
    const at = pathOf(name);
    await this.must("PUT", at, create);
    for (const [field, schema] of Object.entries(indexes)) await this.must("PUT", `${at}/index?wait=true`, { field_name: field, field_schema: schema });
    const rows = Array.from({ length: points }, (_, id) => `{"id":${idOf(id)},"vector":${JSON.stringify(vector(id))},"payload":${JSON.stringify(payloadOf(id))}}`);
    if (rows.length > 0) await this.must("PUT", `${at}/points?wait=true`, `{"points":[${rows.join(",")}]}`);
    await this.must("POST", "/collections/aliases", { actions: [{ create_alias: { alias_name: `alias of ${name.replaceAll("/", "")}`, collection_name: name } }] });
  }

  /** Rewrites one of some points of a collection, `perSecond` times, until told to stop. @returns how many were written */
  write(kind: Kind, perSecond: number): { stop: () => Promise<number> } {
    let writing = true;
    const writer = (async (): Promise<number> => {
      let written = 0;
      for (const began = performance.now(); writing; written += 1) {
        const id = 1000 + (written % 50);
        await this.must("PUT", `${pathOf(kind.name)}/points?wait=false`, { points: [{ id, vector: kind.vector(id + written), payload: { written } }] });
        await delay(Math.max(0, (written * 1000) / perSecond - (performance.now() - began)));
      }
      return written;
    })();
    return { stop: () => ((writing = false), writer) };
  }

  async names(): Promise<string[]> {
    const { result } = JSON.parse(await this.must("GET", "/collections")) as { result: { collections: { name: string }[] } };
    return result.collections.map(({ name }) => name).sort();
  }

  /** Everything that users see of all collections, to the letter, but for how well it is optimised at the moment. */
  async dump(leaveOut: readonly string[] = []): Promise<Map<string, string>> {
    const all = new Map<string, string>([["aliases", JSON.stringify(sorted(JSON.parse(await this.must("GET", "/aliases")) as { result: { aliases: { alias_name: string }[] } }))]]);
    for (const name of await this.names()) {
      const { result } = JSON.parse(await this.must("GET", pathOf(name))) as { result: { config: { strict_mode_config?: { enabled?: boolean } }; payload_schema: object } };
      const points = leaveOut.includes(name) ? "" : await this.scrolled(name, result.config.strict_mode_config?.enabled === true);
      all.set(name, JSON.stringify([result.config, ordered(result.payload_schema), unordered(points)]));
    }
    return all;
  }

  /** Each collection's points alone, by its name: a newer version may tell more of its configuration. */
  async points(): Promise<Map<string, string>> {
    const all = new Map<string, string>();
    for (const name of await this.names()) {
      const { result } = JSON.parse(await this.must("GET", pathOf(name))) as { result: { config: { strict_mode_config?: { enabled?: boolean } } } };
      all.set(name, JSON.stringify(unordered(await this.scrolled(name, result.config.strict_mode_config?.enabled === true))));
    }
    return all;
  }

  private async scrolled(name: string, strict: boolean): Promise<string> {
    if (strict) await this.must("PATCH", pathOf(name), { strict_mode_config: { enabled: false } });
    const points = await this.must("POST", `${pathOf(name)}/points/scroll`, { limit: 1000, with_payload: true, with_vector: true });
    if (strict) await this.must("PATCH", pathOf(name), { strict_mode_config: { enabled: true } });
    return points;
  }
}

function pathOf(name: string): string {
  return `/collections/${encodeURIComponent(name)}`;
}

function sorted({ result: { aliases } }: { result: { aliases: { alias_name: string }[] } }): unknown {
  return aliases.sort((a, b) => (a.alias_name < b.alias_name ? -1 : 1));
}

function ordered(value: object): unknown {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Qdrant gives keys of objects and shards' points in no order of its own: large numbers are compared as text, then keys sorted. */
function unordered(text: string): unknown {
  if (text === "") return "";
  const exact = text.replace(/"id":(\d{16,})/g, '"id":"$1"');
  const { result } = JSON.parse(exact) as { result: unknown };
  return canonical(result);
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, canonical(inner)]);
}
