/** The proxy's container from outside: where it listens, what it says that it serves, and how its config is replaced. */
import { createHash } from "node:crypto";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { inspectOrNull } from "../runtime/docker.js";
import { execIn, signalFromHost } from "../runtime/docker-exec.js";
import { decodeTable } from "./render.js";
import { CONTROL_PORT, FRONT_PORT, KEY_HEADER, LIVE_DIR, LIVE_FILE, TABLE_PATH, type TrafficTable } from "./model.js";

/** Milliseconds for checking a config: some 30, but for names that no DNS server answers for. */
const CHECK_MS = 60_000;
const ASK_MS = 2000;
/** Milliseconds that the operator's entrance has before the users' is asked as well; it answers in some 5. */
const HEAD_START_MS = 300;
/** Milliseconds: some 50. */
const RELOAD_MS = 15_000;

export interface FrontDoor {
  container: string;
  running: boolean;
  /** `http://<host>:<port>`, also of a stopped container. */
  baseUrl: string;
  /**
   * The operator's entrance, at the container's own address; null where it has none. Not every host reaches it (Docker in a machine of
   * its own), and a proxy whose config is older does not have it.
   */
  controlUrl: string | null;
  /** From where connections come that Docker itself passes on, as those over the loopback interface. */
  gateways: string[];
}

/** Null: there is no such container, or it publishes no port. */
export async function findFrontDoor(container: string): Promise<FrontDoor | null> {
  const info = await inspectOrNull(container);
  const address = info === null ? null : publishedAddress(info);
  if (info === null || address === null) return null;
  const networks = Object.values(info.NetworkSettings.Networks);
  const own = networks.map(({ IPAddress }) => IPAddress).find((ip) => ip !== "");
  return {
    container, running: info.State.Running, baseUrl: `http://${address}`,
    controlUrl: own === undefined || !info.State.Running ? null : `http://${own}:${CONTROL_PORT}`,
    gateways: networks.flatMap(({ Gateway }) => (Gateway === "" ? [] : [Gateway])).sort(),
  };
}

type Bindings = Record<string, { HostIp?: string; HostPort?: string }[] | null> | null;

/** The parts of an inspection that tell addresses. */
export interface Published {
  NetworkSettings: { Ports?: Bindings };
  HostConfig: { PortBindings?: Bindings };
}

/** Where this host reaches the front door. A stopped container has its wishes only. */
export function publishedAddress({ NetworkSettings, HostConfig }: Published): string | null {
  const port = `${FRONT_PORT}/tcp`;
  const binding = NetworkSettings.Ports?.[port]?.[0] ?? HostConfig.PortBindings?.[port]?.[0];
  if (binding?.HostPort === undefined || binding.HostPort === "") {
    return null;
  }
  const ip = binding.HostIp ?? "";
  const host = ip === "" || ip === "0.0.0.0" ? "127.0.0.1" : ip === "::" ? "[::1]" : ip.includes(":") ? `[${ip}]` : ip;
  return `${host}:${binding.HostPort}`;
}

export interface Served {
  digest: string;
  table: TrafficTable;
  /** The entrance that answered. */
  url: string;
}

/** What the proxy itself says that it serves, at whichever entrance answers; null when none does, or to another key. */
export async function askServed({ baseUrl, controlUrl }: Pick<FrontDoor, "baseUrl" | "controlUrl">, previewKey: string, timeoutMs: number = ASK_MS): Promise<Served | null> {
  const ask = (url: string): Promise<Served> => askEntrance(url, previewKey, timeoutMs);
  if (controlUrl === null) return ask(baseUrl).catch(() => null);
  const control = ask(controlUrl);
  // The users' entrance may be full, and the operator's out of reach: neither is waited for while the other may answer.
  const users = Promise.race([control.catch(() => undefined), sleep(HEAD_START_MS, undefined, { ref: false })]).then((early) => early ?? ask(baseUrl));
  return Promise.any([control, users]).catch(() => null);
}

/** @throws Error where it does not answer as the proxy does */
async function askEntrance(url: string, previewKey: string, timeoutMs: number): Promise<Served> {
  const answer = await fetchText(`${url}${TABLE_PATH}`, { [KEY_HEADER]: previewKey }, timeoutMs);
  const [, digest, encoded] = /^([0-9a-f]{64}) ([A-Za-z0-9_-]+)$/.exec(answer) ?? [];
  if (digest === undefined || encoded === undefined) {
    throw new Error(`nothing of the proxy's at ${url}`);
  }
  return { digest, table: decodeTable(encoded), url };
}

/** Body of a 200 over a connection of its own, so that the newest worker answers; else "". */
async function fetchText(url: string, headers: Record<string, string>, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { headers, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (body += part));
      response.on("end", () => resolve(response.statusCode === 200 ? body : ""));
      response.on("error", () => resolve(""));
    });
    // Not listening yet, or not any more: that is an answer to the question, not a fault.
    request.on("error", () => resolve(""));
  });
}

/** Exit codes of {@link REPLACE}. */
const REFUSED = 65;
const CUT = 74;
const CHANGED = 75;

// One exec, as each takes some 50 ms. The volume belongs to root, whom the proxy does not run as. $1 is the SHA-256 of
// the file that is to be replaced, "" for none: whoever lost the lock meanwhile finds another one and stops. $2 is that
// of the new one: it goes on when its sender is killed, and half a config may be a valid one.
export const REPLACE = `
cd ${LIVE_DIR} || exit 1
rm -f next-*.cfg
next=next-$$.cfg
umask 022
cat > $next || exit 1
sent=$(sha256sum < $next)
if [ "\${sent%% *}" != "$2" ]; then rm -f $next; exit ${CUT}; fi
if ! haproxy -c -f $next >&2; then rm -f $next; exit ${REFUSED}; fi
now=
if [ -e ${LIVE_FILE} ]; then now=$(sha256sum < ${LIVE_FILE}); now=\${now%% *}; fi
if [ "$now" != "$1" ]; then rm -f $next; exit ${CHANGED}; fi
mv -f $next ${LIVE_FILE}`;

/**
 * Checks a config with the proxy's own HAProxy and puts it in the place of the old one, by a rename. Nothing is reloaded.
 * @param expected SHA-256 of the file that is there now, hex; "" for none
 * @throws Error with HAProxy's own words when it refuses it, and when another run replaced the file meanwhile
 */
export async function replaceConfig(container: string, text: string, expected: string): Promise<void> {
  const { exitCode, stderr } = await execIn(container, ["sh", "-c", REPLACE, "replace", expected, sha256(text)], { timeoutMs: CHECK_MS, stdin: text, user: "root" });
  if (exitCode === REFUSED) {
    throw new Error(`HAProxy refuses the new config: ${alerts(stderr)}`);
  }
  if (exitCode === CHANGED) {
    throw new Error("somebody else changed the proxy's config at the same moment");
  }
  if (exitCode !== 0) {
    throw new Error(`the config could not be written (exit code ${exitCode}): ${stderr.trim()}`);
  }
}

/** Hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** What HAProxy alerts of, in one line. Pure. */
export function alerts(output: string): string {
  const lines = output.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const grave = lines.filter((line) => line.startsWith("[ALERT]"));
  return (grave.length > 0 ? grave : lines).slice(0, 5).map((line) => line.replace(/^\[[A-Z]+\]\s*\([0-9]+\)\s*:\s*(config\s*:\s*)?/, "")).join("; ");
}

// Not by Docker's own call: on a container that it has sent any signal to, it gives up its restart policy, so that a proxy that
// crashed after its first reload would stay down, and after a restart of the host as well. Whoever runs in it may signal it.
const RELOAD = ["sh", "-c", "kill -USR2 1"];

/** @throws Error when the container does not run */
export async function reload(container: string): Promise<void> {
  // An exec takes some 70 ms, and several times that on a busy host, in which an emergency waits.
  const info = await inspectOrNull(container);
  if (info?.State.Running === true && signalFromHost(info.State.Pid, info.Id, "SIGUSR2")) {
    return;
  }
  const { exitCode, stderr } = await execIn(container, RELOAD, { timeoutMs: RELOAD_MS });
  if (exitCode !== 0) {
    throw new Error(`the proxy ${container} could not be told to reload (exit code ${exitCode}): ${stderr.trim()}`);
  }
}
