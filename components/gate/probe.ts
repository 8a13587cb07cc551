/** The gate's eyes: one round of looking at a revision's containers through the front door, at Docker, and at Qdrant. */
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import axios, { type AxiosInstance, type AxiosResponse } from "axios";
import type Docker from "dockerode";
import { containerEnv, hadOom, inspectOrNull } from "../runtime/docker.js";
import { proveQdrant } from "../qdrant/identity.js";
import { createRedactor, type Redactor } from "../runtime/redact.js";
import { messageOf } from "../runtime/errors.js";
import { previewHeaders } from "../traffic/model.js";
import { secretValues } from "./app-log.js";
import type { Insides, lookInside } from "./inside.js";
import { EXCERPT, type Prove, QdrantProber } from "./probe-qdrant.js";
import { RECENT_MS } from "./verdict.js";
import type { ContainerSample, ContainerState, HttpSample, Inside, QdrantSample, Sample } from "./model.js";

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
  Config: { Env: string[] | null } & Insides["Config"];
  Image?: string;
  Mounts?: Insides["Mounts"];
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

/** Milliseconds after which a container whose app does not answer is looked into. */
const LATE_MS = 4000;
/** Milliseconds in which Streamlit itself gives up a run of the script, with room: 60 s. */
const SCRIPT_MS = 75_000;

export class Prober {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private readonly http: AxiosInstance;
  private readonly masks = new Map<string, Promise<Redactor>>();
  /** Looks that found the app answering, by container and start: they are not repeated. */
  private readonly insides = new Map<string, Inside>();
  /** Runs of the script that were asked for and have no answer yet, by container. */
  private readonly running = new Map<string, Promise<HttpSample>>();

  /** @param look looks into a container; null: not looked into */
  constructor(
    private readonly target: ProbeTarget,
    private readonly inspect: Inspect = inspectWithOom,
    private readonly look: typeof lookInside | null = null,
    private readonly prove: Prove = proveQdrant,
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
    const http = await Promise.all(probes.map(([probe, path]) => (probe === "script" ? this.runScript(name, path) : this.visit(name, probe, path))));
    // Looked at after the answers: a container that died of the requests is seen in the same round.
    const info = await this.inspect(name);
    return { name, state: stateOf(info), http, inside: info === null ? null : await this.inside(info, http) };
  }

  private async inside(info: Inspection, http: readonly HttpSample[]): Promise<Inside | null> {
    if (this.look === null) return null;
    const key = `${info.Id} ${info.State.StartedAt}`;
    const known = this.insides.get(key);
    if (known !== undefined) return known;
    const settled = http.some(({ probe, status }) => probe === "health" && status === 200);
    // A command in it takes memory and time of an app that starts, or is about to crash.
    if (!settled && Date.now() - Date.parse(info.State.StartedAt) < LATE_MS) return null;
    const seen = await this.look(info, this.target.port, settled);
    // What may be mended from outside, the rights of a volume, is looked at again.
    if (settled && seen !== null && seen.uploads === null) this.insides.set(key, seen);
    return seen;
  }

  /**
   * One run at a time: a script goes on when its asker has left (Streamlit 1.40.0 and 1.67.0, which give it 60 s), so asking again each
   * round would pile up runs. An answer that comes late is the answer of the round in which it comes.
   */
  private async runScript(container: string, path: string): Promise<HttpSample> {
    const began = performance.now();
    const run = this.running.get(container) ?? this.visit(container, "script", path, SCRIPT_MS);
    this.running.set(container, run);
    const patience = new AbortController();
    const late = sleep(this.target.requestTimeoutMs, null, { signal: patience.signal, ref: false }).catch(() => null);
    const sample = await Promise.race([run, late]);
    patience.abort();
    if (sample !== null) this.running.delete(container);
    return sample ?? { probe: "script", path, status: null, body: "", ms: performance.now() - began, error: `nothing within ${this.target.requestTimeoutMs} ms` };
  }

  private async visit(container: string, probe: string, path: string, timeoutMs: number = this.target.requestTimeoutMs): Promise<HttpSample> {
    const began = performance.now();
    try {
      const answer = await this.get(`${this.target.baseUrl}${path}`, previewHeaders(this.target.previewKey, container, this.target.port), timeoutMs);
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

  private async get(url: string, headers: Record<string, string>, timeoutMs: number): Promise<AxiosResponse<string>> {
    return this.http.get<string>(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
  }

  private async qdrant(container: string): Promise<QdrantSample> {
    const info = await this.inspect(container);
    return new QdrantProber(this.http, this.target.requestTimeoutMs, (error) => this.reason(error), this.prove).sample(container, info, stateOf(info));
  }

  private reason(error: unknown): string {
    return axios.isCancel(error) ? `nothing within ${this.target.requestTimeoutMs} ms` : messageOf(error);
  }
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
