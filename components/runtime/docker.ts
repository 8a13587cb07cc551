/**
 * Docker through its socket: the few calls that the rooms need, each with a deadline and an error that says what to do.
 * The daemon is the one that Docker's own command line would ask, where it is a local socket.
 */
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import Docker from "dockerode";
import { withDeadline } from "./deadline.js";
import { dockerEndpoint } from "./docker-endpoint.js";
import { otherEngine, ping } from "./engine.js";
import { codeOf, errors, messageOf, ReleaseError } from "./errors.js";
import { labelFilter, type LabelValues } from "./labels.js";

/** Milliseconds that a short call may take: an inspect answers in 10 ms, under heavy load in seconds. */
const CALL_MS = 30_000;

/** @throws ReleaseError (configRefused) for a daemon on another machine */
export function dockerSocket(env: NodeJS.ProcessEnv = process.env): string {
  const { host, by } = dockerEndpoint(env);
  if (!host.startsWith("unix://")) {
    const otherwise = by === "DOCKER_HOST" ? "" : "; DOCKER_CONTEXT=default is this machine's";
    throw errors.configRefused({ problems: [`${by} is ${host}; only a local socket (unix://…) works now${otherwise}`] });
  }
  return host.slice("unix://".length);
}

export function docker(): Docker {
  return new Docker({ socketPath: dockerSocket() });
}

/** HTTP status of the daemon's answer, or undefined where it gave none. */
export function statusOf(error: unknown): number | undefined {
  if (error instanceof Error && "statusCode" in error && typeof error.statusCode === "number") {
    return error.statusCode;
  }
  return undefined;
}

/** What the daemon said, without the client's preamble. */
function saidBy(error: unknown): string {
  if (error instanceof Error && "json" in error && typeof error.json === "object" && error.json !== null) {
    const json = error.json;
    if ("message" in json && typeof json.message === "string") {
      return json.message;
    }
  }
  return messageOf(error);
}

const UNREACHABLE: Record<string, string> = {
  ENOENT: "there is no such socket: Docker is not installed or not started",
  ECONNREFUSED: "nothing listens on the socket: the Docker daemon is not running",
  EACCES: "this user may not use the socket (is it in the group docker?)",
  ECONNRESET: "the Docker daemon ended the connection",
  EPIPE: "the Docker daemon ended the connection",
};

/**
 * Runs one call to the daemon.
 * @param what the call in words: "inspect container x"
 * @throws ReleaseError dockerUnavailable, dockerTimeout, or dockerFailed with the daemon's own words and `cause`
 */
export async function dockerCall<T>(what: string, call: (client: Docker, signal: AbortSignal) => Promise<T>, ms: number = CALL_MS): Promise<T> {
  try {
    return await withDeadline(ms, () => errors.dockerTimeout({ what, ms }), (signal) => call(docker(), signal));
  } catch (error) {
    if (error instanceof ReleaseError) {
      throw error;
    }
    const why = statusOf(error) === undefined ? UNREACHABLE[codeOf(error)] : undefined;
    if (why !== undefined) {
      throw errors.dockerUnavailable({ socket: dockerSocket(), why }, error);
    }
    throw errors.dockerFailed({ what, why: saidBy(error) }, error);
  }
}

/** The same, with null for "no such object". */
export async function dockerCallOrNull<T>(what: string, call: (client: Docker, signal: AbortSignal) => Promise<T>, ms?: number): Promise<T | null> {
  try {
    return await dockerCall(what, call, ms);
  } catch (error) {
    if (error instanceof ReleaseError && statusOf(error.cause) === 404) {
      return null;
    }
    throw error;
  }
}

/**
 * Asked before anything else is: a daemon that hangs is then as good as none.
 * @throws ReleaseError dockerUnavailable; engineUnsupported where another engine answers
 */
export async function assertDocker(ms = 10_000): Promise<void> {
  const socket = dockerSocket();
  try {
    const other = otherEngine(await dockerCall("ping", (_client, signal) => ping(socket, signal), ms));
    if (other !== null) throw errors.engineUnsupported({ socket, ...other });
  } catch (error) {
    if (error instanceof ReleaseError && error.code === "dockerTimeout") {
      throw errors.dockerUnavailable({ socket, why: error.why }, error);
    }
    throw error;
  }
}

/** Containers that carry all of `values` as labels; stopped ones too with `all`. */
export async function listByLabels(values: Partial<LabelValues>, options: { all: boolean }): Promise<Docker.ContainerInfo[]> {
  const filters = { label: labelFilter(values) };
  return dockerCall("list containers", (client, abortSignal) => client.listContainers({ all: options.all, filters, abortSignal }));
}

export async function inspectOrNull(container: string): Promise<Docker.ContainerInspectInfo | null> {
  return dockerCallOrNull(`inspect container ${container}`, (client, abortSignal) => client.getContainer(container).inspect({ abortSignal }));
}

/** @throws ReleaseError containerMissing */
export async function inspect(container: string): Promise<Docker.ContainerInspectInfo> {
  const info = await inspectOrNull(container);
  if (info === null) {
    throw errors.containerMissing({ container });
  }
  return info;
}

/** Host port that a container's TCP port is published on, or null: no such container, stopped, or not published. */
export async function hostPort(container: string, internal: number): Promise<number | null> {
  const info = await inspectOrNull(container);
  return info === null ? null : publishedPort(info, internal);
}

/** Published ports as the daemon tells them: null where a port is exposed only, or the container is stopped. */
type Published = Record<string, { HostPort: string }[] | null> | null;

/** The same of an inspection that one has already. */
export function publishedPort(info: { NetworkSettings: { Ports: Published } }, internal: number): number | null {
  const ports = info.NetworkSettings.Ports;
  const port = Number(ports?.[`${internal}/tcp`]?.[0]?.HostPort ?? "");
  return Number.isInteger(port) && port > 0 ? port : null;
}

/**
 * Whether the kernel killed a process of a container for want of memory since a time. Docker's state tells that of its first process
 * only, and of others when the container ends; the daemon's last 256 events tell it at once.
 * @param since that time (ISO 8601), given the daemon's now (milliseconds since 1970): this process's clock may be another
 */
export async function hadOom(container: string, since: (now: number) => string): Promise<boolean> {
  return dockerCall(`read the events of container ${container}`, async (client, signal) => {
    const now = Date.parse(((await client.info()) as { SystemTime: string }).SystemTime);
    // A later end would be waited for, and a clock that was set back can put the beginning after the end, which is refused.
    const seconds = { since: Math.floor(Math.min(Date.parse(since(now)), now) / 1000), until: now / 1000 };
    const stream = await client.getEvents({ ...seconds, filters: { container: [container], event: ["oom"] } });
    return (await text(Readable.from(stream, { signal }))).trim() !== "";
  });
}

/** Environment of a container, as it was created with. */
export function containerEnv(info: { Config: { Env: string[] | null } }): Record<string, string> {
  return Object.fromEntries(
    (info.Config.Env ?? []).map((item) => {
      const cut = item.indexOf("=");
      return cut < 0 ? [item, ""] : [item.slice(0, cut), item.slice(cut + 1)];
    }),
  );
}

/** Removes a container with its anonymous volumes, running or not; one that is gone is fine. @returns whether it was there */
export async function removeContainer(container: string): Promise<boolean> {
  const removed = await dockerCallOrNull(`remove container ${container}`, async (client, abortSignal) => {
    await client.getContainer(container).remove({ force: true, v: true, abortSignal });
    return true;
  });
  return removed ?? false;
}
