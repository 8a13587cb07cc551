/** The gate's eyes: one round of looking at a revision's containers through the front door, at Docker, and at Qdrant. */
import { Agent } from "node:http";
import axios, { type AxiosInstance, type AxiosResponse } from "axios";
import type Docker from "dockerode";
import { containerEnv, hadOom, inspectOrNull, publishedPort } from "../runtime/docker.js";
import { proveQdrant } from "../qdrant/identity.js";
import { createRedactor, type Redactor } from "../runtime/redact.js";
import { messageOf } from "../runtime/errors.js";
import { previewHeaders } from "../traffic/model.js";
import { secretValues } from "./app-log.js";
import { RECENT_MS } from "./verdict.js";
import type { CollectionSample, ContainerSample, ContainerState, HttpSample, QdrantSample, Sample } from "./model.js";

export interface ProbeTarget {
  /** Of the front door: `http://127.0.0.1:8501`. */
  baseUrl: string;
  previewKey: string;
  containers: readonly string[];
  /** TCP port that the app listens on in its containers. */
  port: number;
  healthPath: string;
  /** "": none. */
  scriptPath: string;
  /** Milliseconds, of one request. */
  requestTimeoutMs: number;
  /** Names of the app's variables that hold secrets: an answer that shows one is masked. */
  secretEnv: readonly string[];
  /** "": not looked at. */
  qdrantContainer: string;
}

/** What is used of Docker's inspection. */
export interface Inspection extends Pick<Docker.ContainerInspectInfo, "Id" | "Created" | "RestartCount"> {
  State: Pick<Docker.ContainerInspectInfo["State"], "Status" | "Running" | "OOMKilled" | "ExitCode" | "Error" | "StartedAt" | "Pid">;
  Config: { Env: string[] | null };
  NetworkSettings: { Ports: Record<string, { HostPort: string }[] | null> | null; Networks: Record<string, { IPAddress: string }> };
}

export type Inspect = (container: string) => Promise<Inspection | null>;

/** Docker's inspection, which also tells of a child that ran out of memory while the container goes on. */
async function inspectWithOom(container: string): Promise<Inspection | null> {
  const info = await inspectOrNull(container);
  if (info === null || !info.State.Running || info.State.OOMKilled) {
    return info;
  }
  return { ...info, State: { ...info.State, OOMKilled: await hadOom(info.Id, (now) => oomSince(info, now)) } };
}

/** How Docker says that a container is; null: it knows none of that name. */
export async function containerState(container: string): Promise<ContainerState | null> {
  return stateOf(await inspectWithOom(container));
}

/**
 * From when on a want of memory counts, ISO 8601: since the container's start. Of one that was restarted just now, also what ended it:
 * else a loop of such ends would look like a crash without a cause whenever it is met running. Pure.
 */
export function oomSince(info: Pick<Inspection, "Created" | "RestartCount"> & { State: Pick<Inspection["State"], "StartedAt"> }, now: number): string {
  const recent = now - RECENT_MS;
  const { StartedAt: started } = info.State;
  return info.RestartCount > 0 && Date.parse(started) > recent ? new Date(Math.max(Date.parse(info.Created), recent)).toISOString() : started;
}

/** Characters of an answer that are kept. */
const EXCERPT = 200;
/** Collections that are asked at the same time. */
const WIDTH = 8;
const QDRANT_PORT = 6333;

export class Prober {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private readonly http: AxiosInstance;
  private readonly masks = new Map<string, Promise<Redactor>>();

  constructor(
    private readonly target: ProbeTarget,
    private readonly inspect: Inspect = inspectWithOom,
    private readonly prove: (info: Inspection, baseUrl: string, apiKey: string) => Promise<void> = proveQdrant,
  ) {
    this.http = axios.create({
      httpAgent: this.agent,
      // Loopback and the host's own containers: never through a proxy of the environment.
      proxy: false,
      maxRedirects: 0,
      validateStatus: () => true,
      responseType: "text",
      transformResponse: (body: unknown) => body,
      maxContentLength: 16 * 1024 * 1024,
    });
  }

  close(): void {
    this.agent.destroy();
  }

  /**
   * @param elapsed milliseconds since the gate began; called when the round is complete
   * @throws ReleaseError when Docker itself does not answer
   */
  async sample(elapsed: () => number): Promise<Sample> {
    const [containers, qdrant] = await Promise.all([
      Promise.all(this.target.containers.map((name) => this.container(name))),
      this.target.qdrantContainer === "" ? null : this.qdrant(this.target.qdrantContainer),
    ]);
    return { at: elapsed(), containers, qdrant };
  }

  private async container(name: string): Promise<ContainerSample> {
    const { healthPath, scriptPath } = this.target;
    const probes = [["health", healthPath], ...(scriptPath === "" ? [] : [["script", scriptPath]]), ["page", "/"]] as [string, string][];
    const http = await Promise.all(probes.map(([probe, path]) => this.visit(name, probe, path)));
    // Looked at after the answers: a container that died of the requests is seen in the same round.
    return { name, state: stateOf(await this.inspect(name)), http };
  }

  private async visit(container: string, probe: string, path: string): Promise<HttpSample> {
    const began = performance.now();
    try {
      const answer = await this.get(`${this.target.baseUrl}${path}`, previewHeaders(this.target.previewKey, container, this.target.port));
      const ms = performance.now() - began;
      // Masked before it is cut: half a secret would not be known again.
      const body = (await this.maskOf(container))(answer.data).slice(0, EXCERPT);
      return { probe, path, status: answer.status, body, ms, error: "" };
    } catch (error) {
      return { probe, path, status: null, body: "", ms: performance.now() - began, error: this.reason(error) };
    }
  }

  /** Hides the secrets of a container's environment. */
  private maskOf(container: string): Promise<Redactor> {
    const known = this.masks.get(container) ?? this.inspect(container).then((info) => createRedactor(info === null ? [] : secretValues(containerEnv(info), this.target.secretEnv)));
    this.masks.set(container, known);
    return known;
  }

  private async get(url: string, headers: Record<string, string>): Promise<AxiosResponse<string>> {
    return this.http.get<string>(url, { headers, signal: AbortSignal.timeout(this.target.requestTimeoutMs) });
  }

  private async qdrant(container: string): Promise<QdrantSample> {
    const info = await this.inspect(container);
    const state = stateOf(info);
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
    return this.http.request<string>({ method, url, headers, data, signal: AbortSignal.timeout(this.target.requestTimeoutMs) });
  }

  private reason(error: unknown): string {
    return axios.isCancel(error) ? `nothing within ${this.target.requestTimeoutMs} ms` : messageOf(error);
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

function stateOf(info: Inspection | null): ContainerState | null {
  if (info === null) {
    return null;
  }
  const { State: state } = info;
  return {
    id: info.Id,
    status: state.Status,
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    restartCount: info.RestartCount,
    startedAt: state.StartedAt,
    upMs: state.Running ? Date.now() - Date.parse(state.StartedAt) : 0,
    error: state.Error,
  };
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
