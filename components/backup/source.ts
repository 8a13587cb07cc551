import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { QdrantClient, QdrantError } from "../qdrant/client.js";
import { proveQdrant } from "../qdrant/identity.js";
import { containerEnv, inspectOrNull } from "../runtime/docker.js";
import { LABEL } from "../runtime/labels.js";
import { type Context, throwIfEnded } from "./context.js";
import type { BackupRequest } from "./model.js";
import { BackupProblem } from "./problem.js";
import { usersOf } from "./volumes.js";

const HTTP_PORT = "6333/tcp";
/** Milliseconds for a running Qdrant to begin to answer, and for one that was just started to show a sign of life. */
export const ANSWER_MS = 60_000;
const POLL_MS = 200;
/** Milliseconds for a request that cleans up. */
const CLEAN_MS = 10_000;

/** The running Qdrant that the data is taken from. */
export interface LiveQdrant {
  container: string;
  containerId: string;
  imageId: string;
  /** Milliseconds since 1970: when its process began. */
  startedAt: number;
  client: QdrantClient;
  /** Not ended with the run: for removing what the run made in it. */
  cleaner: QdrantClient;
}

/**
 * The stack's Qdrant, found by who has its volume mounted. Null: there is none any more, the volume is all that is left.
 * @throws BackupProblem `qdrant-down` when it is there but cannot answer: its volume is not read behind its back
 */
export async function findLive(request: BackupRequest, context: Context): Promise<LiveQdrant | null> {
  const users = await usersOf(request.qdrantVolume);
  if (users.length === 0) return null;
  const chosen = choose(users, request);
  if (chosen === null) {
    const names = users.map(nameOf).join(", ");
    throw new BackupProblem("several", `several containers use volume ${request.qdrantVolume} and none is known as its Qdrant: ${names}`, "stop and remove those that are not");
  }
  const info = await inspectOrNull(chosen.Id);
  if (info === null) throw new BackupProblem("qdrant-down", `Qdrant (container ${nameOf(chosen)}) went away`);
  assertRunning(info);
  const client = clientOf(info, context.signal);
  await untilReady(client, context, `Qdrant (container ${nameOf(chosen)})`);
  const verdict = unhealthyWords(info);
  if (verdict !== null) context.say(verdict);
  await proveQdrant(info, addressOf(info), containerEnv(info).QDRANT__SERVICE__API_KEY ?? "");
  return {
    container: nameOf(chosen),
    containerId: info.Id,
    imageId: info.Image,
    startedAt: Date.parse(info.State.StartedAt),
    client,
    cleaner: clientOf(info),
  };
}

/** For how long a Qdrant is waited for. */
export interface Patience {
  withinMs: number;
  /** Whether one request may take its whole time-out without an answer. */
  slow: boolean;
  /** Asked after each request without an answer. @throws BackupProblem where waiting is of no use */
  assertHope: () => Promise<void>;
}

/** For one that ran before. */
const RUNS: Patience = { withinMs: ANSWER_MS, slow: false, assertHope: () => Promise.resolve() };

/** Polls until it answers requests with its key. @throws BackupProblem */
export async function untilReady(client: QdrantClient, context: Context, who: string, { withinMs, slow, assertHope }: Patience = RUNS): Promise<void> {
  const until = performance.now() + Math.min(withinMs, context.remaining());
  for (;;) {
    try {
      await client.collections();
      return;
    } catch (error) {
      throwIfEnded(context.signal);
      if (!(error instanceof QdrantError)) throw error;
      if (error.failure === "refused" && (error.status === 401 || error.status === 403)) {
        throw new BackupProblem("qdrant-answer", `${who} refuses the key that its own container has in QDRANT__SERVICE__API_KEY`, "give Qdrant its key as pbjrag:qdrant.apiKey");
      }
      if (performance.now() > until || (error.failure === "timeout" && !slow)) {
        throw new BackupProblem("qdrant-down", `${who} does not answer (${error.message})`, `see \`docker logs\` of the container, then run again`);
      }
      await assertHope();
    }
    await delay(POLL_MS);
  }
}

/**
 * What Docker's health check says against a Qdrant that answers; null where it says nothing. Whether it answers decides: a check that calls a
 * program which Qdrant's image does not have (`wget`, `curl`) fails always. Pure.
 */
export function unhealthyWords({ Name, State }: Pick<Docker.ContainerInspectInfo, "Name"> & { State: Pick<Docker.ContainerInspectInfo["State"], "Health"> }): string | null {
  if (State.Health?.Status !== "unhealthy") return null;
  const last = State.Health.Log.at(-1)?.Output.trim().split("\n").at(-1) ?? "";
  return `Qdrant (container ${Name.replace(/^\//, "")}) answers, and Docker calls it unhealthy: its health check is at fault${last === "" ? "" : ` (${last.slice(0, 200)})`}`;
}

/** By the name that the plan gives it, by its label, or because there is only one. */
function choose(users: readonly Docker.ContainerInfo[], request: BackupRequest): Docker.ContainerInfo | null {
  const labelled = users.filter((user) => user.Labels[LABEL.role] === "qdrant" && user.Labels[LABEL.stack] === request.stack);
  return (
    users.find((user) => nameOf(user) === request.qdrantContainer) ??
    (labelled.length === 1 ? labelled[0] : undefined) ??
    (users.length === 1 ? users[0] : undefined) ??
    null
  );
}

function assertRunning(info: Docker.ContainerInspectInfo): void {
  const name = info.Name.replace(/^\//, "");
  const { State } = info;
  const down = (how: string, next: string): BackupProblem => new BackupProblem("qdrant-down", `Qdrant (container ${name}) ${how}, its data is not touched`, next);
  if (State.Paused) throw down("is paused", `docker unpause ${name}, then run again`);
  if (State.Restarting) throw down("restarts again and again", `see docker logs ${name}, then run again`);
  if (!State.Running) throw down(`is not running (${State.Status}, exit code ${State.ExitCode})`, `docker start ${name}, then run again`);
}

/** Of the published port where there is one, else the container's own. @throws BackupProblem without either */
function addressOf(info: Docker.ContainerInspectInfo): string {
  // The types leave out that either may be missing.
  const ports: Record<string, { HostIp: string; HostPort: string }[] | null> | null = info.NetworkSettings.Ports;
  const published = ports?.[HTTP_PORT]?.find((port) => !port.HostIp.includes(":"));
  const address = Object.values(info.NetworkSettings.Networks).find((network) => network.IPAddress !== "")?.IPAddress;
  if (published === undefined && address === undefined) {
    throw new BackupProblem("qdrant-down", `Qdrant (container ${info.Name.replace(/^\//, "")}) has neither a published port nor an address`);
  }
  const host = published === undefined ? `${address ?? ""}:6333` : `${published.HostIp === "0.0.0.0" ? "127.0.0.1" : published.HostIp}:${published.HostPort}`;
  return `http://${host}`;
}

/** Through its address on this host. */
export function clientOf(info: Docker.ContainerInspectInfo, signal?: AbortSignal): QdrantClient {
  const apiKey = containerEnv(info).QDRANT__SERVICE__API_KEY;
  return new QdrantClient({ baseUrl: addressOf(info), apiKey: apiKey === "" ? undefined : apiKey, signal, timeoutMs: signal === undefined ? CLEAN_MS : undefined });
}

function nameOf(container: Docker.ContainerInfo): string {
  return (container.Names[0] ?? container.Id).replace(/^\//, "");
}
