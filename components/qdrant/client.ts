import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import axios, { type AxiosRequestConfig } from "axios";
import { z } from "zod";
import { explained, parsed, QdrantError } from "./failure.js";
import {
  type Alias,
  aliasList,
  type CollectionInfo,
  collectionInfo,
  collectionList,
  countAnswer,
  type QdrantVersion,
  quotaStatus,
  type SnapshotInfo,
  snapshotInfo,
  snapshotList,
  versionAnswer,
} from "./schema.js";

export { QdrantError, type QdrantFailure } from "./failure.js";

export interface QdrantOptions {
  /** As in `http://127.0.0.1:6333`. */
  baseUrl: string;
  apiKey?: string;
  /** Whom errors speak of. Default "Qdrant". */
  name?: string;
  /** Ends every request of this client, and how long it waits where a collection's rate limit is used up. */
  signal?: AbortSignal;
  /** Milliseconds for an ordinary request. Default 30,000. */
  timeoutMs?: number;
}

interface Call {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  /** Milliseconds. */
  timeoutMs?: number;
  data?: unknown;
  config?: AxiosRequestConfig;
}

/**
 * axios asks for compressed answers by itself, and Qdrant compresses whatever it is asked to, the file of a snapshot as well, which then has neither
 * its length nor the SHA-256 that Qdrant tells of it (1.19.0: actix' `Compress`). On one machine packing only costs its processors.
 */
const AS_IT_IS = "identity";

const ok = z.object({ result: z.unknown() });

/** Milliseconds that one call waits in all for a collection's rate limit, where no signal ends it. */
const PATIENCE_MS = 60_000;

/** The requests to one Qdrant that a release needs. Every one has a deadline, and bodies of snapshots are streamed. */
export class QdrantClient {
  private readonly timeoutMs: number;
  private readonly who: string;

  constructor(private readonly options: QdrantOptions) {
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.who = options.name ?? "Qdrant";
  }

  /** Needs no key. */
  async version(): Promise<QdrantVersion> {
    return this.parse(versionAnswer, "GET /", await this.send<unknown>({ method: "GET", path: "/" }));
  }

  /** Sorted names. */
  async collections(): Promise<string[]> {
    const answer = await this.result(collectionList, { method: "GET", path: "/collections" });
    return answer.collections.map((collection) => collection.name).sort();
  }

  collection(name: string): Promise<CollectionInfo> {
    return this.result(collectionInfo, { method: "GET", path: pathOf(name) });
  }

  /** The exact number of points. Reads the whole collection, hence a deadline of its own (milliseconds). */
  async count(name: string, timeoutMs = this.timeoutMs): Promise<number> {
    const call: Call = { method: "POST", path: `${pathOf(name)}/points/count`, data: { exact: true }, timeoutMs };
    return (await this.result(countAnswer, call)).count;
  }

  /** Switches what its strict mode limits off or on; the limits themselves stay. */
  async setStrictMode(name: string, enabled: boolean): Promise<void> {
    await this.result(z.literal(true), { method: "PATCH", path: pathOf(name), data: { strict_mode_config: { enabled } } });
  }

  /** Changes some of its `params`; the others stay. */
  async setParams(name: string, params: Readonly<Record<string, number>>): Promise<void> {
    await this.result(z.literal(true), { method: "PATCH", path: pathOf(name), data: { params } });
  }

  /** What is configured for the whole node; null before 1.19, which has none. */
  async quotas(): Promise<Record<string, unknown> | null> {
    try {
      return (await this.result(quotaStatus, { method: "GET", path: "/quotas" })).config;
    } catch (error) {
      if (error instanceof QdrantError && error.status === 404) return null;
      throw error;
    }
  }

  async setQuotas(config: Readonly<Record<string, unknown>>): Promise<void> {
    await this.result(z.literal(true), { method: "PUT", path: "/quotas?wait=true", data: config });
  }

  /** Sorted by alias. */
  async aliases(): Promise<Alias[]> {
    const answer = await this.result(aliasList, { method: "GET", path: "/aliases" });
    return answer.aliases
      .map((entry) => ({ alias: entry.alias_name, collection: entry.collection_name }))
      .sort((a, b) => (a.alias < b.alias ? -1 : 1));
  }

  /** All at once: either every alias is there afterwards or none. */
  async createAliases(aliases: readonly Alias[]): Promise<void> {
    if (aliases.length === 0) return;
    const actions = aliases.map(({ alias, collection }) => ({ create_alias: { alias_name: alias, collection_name: collection } }));
    await this.result(z.literal(true), { method: "POST", path: "/collections/aliases", data: { actions } });
  }

  snapshots(collection: string): Promise<SnapshotInfo[]> {
    return this.result(snapshotList, { method: "GET", path: `${pathOf(collection)}/snapshots` });
  }

  /** Takes as long as copying the collection. After a time-out the snapshot may still appear: see backup/pending.ts. */
  createSnapshot(collection: string, timeoutMs: number): Promise<SnapshotInfo> {
    return this.result(snapshotInfo, { method: "POST", path: `${pathOf(collection)}/snapshots?wait=true`, timeoutMs });
  }

  async deleteSnapshot(collection: string, name: string): Promise<void> {
    const path = `${pathOf(collection)}/snapshots/${encodeURIComponent(name)}?wait=true`;
    await this.result(z.literal(true), { method: "DELETE", path });
  }

  /** The snapshot's bytes as they come; `size` in bytes as the server announces it, null if it does not. */
  async downloadSnapshot(collection: string, name: string, timeoutMs: number): Promise<{ body: Readable; size: number | null }> {
    const path = `${pathOf(collection)}/snapshots/${encodeURIComponent(name)}`;
    const config: AxiosRequestConfig = { responseType: "stream", decompress: false };
    const response = await this.request<Readable>({ method: "GET", path, timeoutMs, config });
    const length = z.coerce.number().int().nonnegative().safeParse(response.headers["content-length"]);
    return { body: response.data, size: length.success ? length.data : null };
  }

  /**
   * Creates the collection from a snapshot that is streamed in; `size` (bytes) must be the stream's exact length.
   * The server checks the SHA-256 before it uses the file: without one it serves damaged vectors as green.
   */
  async uploadSnapshot(
    collection: string,
    upload: { body: Readable; size: number; sha256: string; timeoutMs: number },
  ): Promise<void> {
    const boundary = `release-${randomBytes(16).toString("hex")}`;
    const head = Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="snapshot"; filename="upload.snapshot"\r\n` +
        "Content-Type: application/octet-stream\r\n\r\n",
    );
    const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
    const query = new URLSearchParams({ priority: "snapshot", checksum: upload.sha256, wait: "true" });
    await this.result(z.literal(true), {
      method: "POST",
      path: `${pathOf(collection)}/snapshots/upload?${query.toString()}`,
      timeoutMs: upload.timeoutMs,
      data: Readable.from(framed(head, upload.body, tail), { objectMode: false }),
      config: {
        headers: {
          "Content-Type": `multipart/form-data; boundary=${boundary}`,
          "Content-Length": String(head.length + upload.size + tail.length),
        },
      },
    });
  }

  /**
   * A read with a body, its answer parsed without rounding: see points.ts.
   * @param body JSON
   * @returns the result, and the length of the answer in characters
   */
  async read<T>(schema: z.ZodType<T>, path: string, body: string, timeoutMs?: number): Promise<{ result: T; size: number }> {
    const config: AxiosRequestConfig = {
      headers: { "Content-Type": "application/json" },
      responseType: "text",
      transformResponse: (answer: unknown) => answer,
    };
    const call: Call = { method: "POST", path, data: body, config, timeoutMs };
    const text = await this.send<string>(call);
    const answer = this.parse(ok, label(call), parsed(text));
    return { result: this.parse(schema, label(call), answer.result), size: text.length };
  }

  private async result<T>(schema: z.ZodType<T>, call: Call): Promise<T> {
    const request = label(call);
    const answer = this.parse(ok, request, await this.send<unknown>(call));
    return this.parse(schema, request, answer.result);
  }

  private parse<T>(schema: z.ZodType<T>, request: string, value: unknown): T {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new QdrantError(this.who, "answer", request, null, `not an answer of Qdrant's: ${z.prettifyError(parsed.error)}`);
  }

  private async send<T>(call: Call): Promise<T> {
    return (await this.request<T>(call)).data;
  }

  /** Waits where the collection's rate limit is used up (429), as long as Qdrant says. */
  private async request<T>(call: Call) {
    const { signal } = this.options;
    for (let waited = 0; ; ) {
      try {
        return await this.once<T>(call);
      } catch (error) {
        const wait = error instanceof QdrantError ? error.retryAfterMs : null;
        // A stream cannot be sent twice.
        if (wait === null || call.data instanceof Readable || (signal === undefined && waited + wait > PATIENCE_MS)) throw error;
        await delay(wait, undefined, { signal }).catch(() => undefined);
        waited += wait;
      }
    }
  }

  private async once<T>(call: Call) {
    const { baseUrl, apiKey, signal } = this.options;
    const deadline = AbortSignal.timeout(call.timeoutMs ?? this.timeoutMs);
    try {
      return await axios.request<T>({
        ...call.config,
        baseURL: baseUrl,
        url: call.path,
        method: call.method,
        data: call.data,
        headers: { "Accept-Encoding": AS_IT_IS, ...call.config?.headers, ...(apiKey === undefined ? {} : { "api-key": apiKey }) },
        signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
        // A redirect would make the client keep the whole body in memory, and Qdrant sends none.
        maxRedirects: 0,
        maxBodyLength: Infinity,
        maxContentLength: Infinity,
        // Qdrant is on this machine or its network: a proxy from the environment must not see the data.
        proxy: false,
      });
    } catch (error) {
      if (signal?.aborted) throw new QdrantError(this.who, "aborted", label(call), null, "stopped");
      if (deadline.aborted) throw new QdrantError(this.who, "timeout", label(call), null, `no answer in ${seconds(call.timeoutMs ?? this.timeoutMs)}`);
      throw await explained(error, this.who, label(call));
    }
  }
}

async function* framed(head: Buffer, body: Readable, tail: Buffer): AsyncGenerator<Buffer> {
  yield head;
  for await (const chunk of body) yield chunk as Buffer;
  yield tail;
}

function label(call: Call): string {
  return `${call.method} ${call.path.split("?")[0] ?? ""}`;
}

/** Of a collection. */
export function pathOf(collection: string): string {
  return `/collections/${encodeURIComponent(collection)}`;
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
