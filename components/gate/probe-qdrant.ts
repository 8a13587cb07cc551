/** The gate's eyes for Qdrant: each collection's status and exact count. */
import type { AxiosInstance, AxiosResponse } from "axios";
import { containerEnv, publishedPort } from "../runtime/docker.js";
import type { CollectionSample, ContainerState, QdrantSample } from "./model.js";
import type { Inspection } from "./probe.js";

/** Characters of an answer that are kept. */
export const EXCERPT = 200;

/** Collections that are asked at the same time. */
const WIDTH = 8;
const QDRANT_PORT = 6333;

/** Proves that what answers at an address is the container's own Qdrant. @throws ReleaseError */
export type Prove = (info: Inspection, baseUrl: string, apiKey: string) => Promise<void>;

/** Asks one server. */
export class QdrantProber {
  /**
   * @param http asks; it throws for no status
   * @param timeoutMs of one request
   * @param reason of a request without an answer, in words
   */
  constructor(
    private readonly http: AxiosInstance, private readonly timeoutMs: number, private readonly reason: (error: unknown) => string, private readonly prove: Prove,
  ) {}

  /** @param state what `info` says */
  async sample(container: string, info: Inspection | null, state: ContainerState | null): Promise<QdrantSample> {
    if (info === null || state?.status !== "running") {
      return { container, state, error: "it does not run", version: "", collections: [] };
    }
    const url = qdrantUrl(info);
    if (url === null) {
      return { container, state, error: "it has no address on this host", version: "", collections: [] };
    }
    const apiKey = containerEnv(info).QDRANT__SERVICE__API_KEY ?? "";
    const headers: Record<string, string> = apiKey === "" ? {} : { "api-key": apiKey };
    try {
      await this.prove(info, url, apiKey);
      const version = field(JSON.parse(await this.text("GET", `${url}/`, headers)), "version");
      const names = collectionNames(await this.ask("GET", `${url}/collections`, headers));
      const collections = await mapWide(names, (name) => this.collection(url, name, headers));
      return { container, state, error: "", version: typeof version === "string" ? version : "", collections };
    } catch (error) {
      return { container, state, error: this.reason(error), version: "", collections: [] };
    }
  }

  private async collection(url: string, name: string, headers: Record<string, string>): Promise<CollectionSample> {
    const at = `${url}/collections/${encodeURIComponent(name)}`;
    let status = "";
    try {
      const info = await this.ask("GET", at, headers);
      status = String(field(info, "status"));
      const answer = await this.request("POST", `${at}/points/count`, headers, { exact: true });
      // A collection's strict mode may refuse exact counts, or its rate limit be used up by users: then what it says of itself must do.
      const refused = answer.status === 400 || answer.status === 429;
      const count = refused ? field(info, "points_count") : field(resultOf(answer), "count");
      return typeof count === "number" ? { name, status, count, error: "" } : { name, status, count: null, error: "the answer has no count" };
    } catch (error) {
      return { name, status, count: null, error: this.reason(error) };
    }
  }

  private async ask(method: "GET" | "POST", url: string, headers: Record<string, string>): Promise<unknown> {
    return resultOf(await this.request(method, url, headers));
  }

  private async text(method: "GET" | "POST", url: string, headers: Record<string, string>): Promise<string> {
    return textOf(await this.request(method, url, headers));
  }

  private request(method: "GET" | "POST", url: string, headers: Record<string, string>, data?: object): Promise<AxiosResponse<string>> {
    return this.http.request<string>({ method, url, headers, data, signal: AbortSignal.timeout(this.timeoutMs) });
  }
}

/** @throws Error for any answer but 200 */
function textOf({ status, data, config: { method = "get", url = "" } }: AxiosResponse<string>): string {
  if (status === 200) return data;
  throw new Error(`${method.toUpperCase()} ${new URL(url).pathname} answered ${status} ${data.slice(0, EXCERPT)}`.trimEnd());
}

/** @returns the `result` of Qdrant's answer */
function resultOf(answer: AxiosResponse<string>): unknown {
  return field(JSON.parse(textOf(answer)), "result");
}

/** Its published port on the loopback interface, else its address on a Docker network, which Linux reaches as well. */
function qdrantUrl(info: Inspection): string | null {
  const port = publishedPort(info, QDRANT_PORT);
  if (port !== null) {
    return `http://127.0.0.1:${port}`;
  }
  const address = Object.values(info.NetworkSettings.Networks).map((network) => network.IPAddress).find((ip) => ip !== "");
  return address === undefined ? null : `http://${address}:${QDRANT_PORT}`;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;
}

function collectionNames(result: unknown): string[] {
  const list = field(result, "collections");
  if (!Array.isArray(list)) {
    throw new Error("the answer lists no collections");
  }
  return list.map((entry) => String(field(entry, "name"))).sort();
}

/** `Promise.all` of a mapping, a few at a time. */
async function mapWide<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += WIDTH) {
    results.push(...(await Promise.all(items.slice(at, at + WIDTH).map(work))));
  }
  return results;
}
