/** What may be configured of the proxy, beyond its form. Pure. */
import { isIP } from "node:net";
import type { Settings } from "../settings/schema.js";
import { formatDuration, formatSize } from "../settings/units.js";
import { connectionsFor } from "./options.js";

type Fault = [key: string, what: string, next: string];

const DAY_MS = 24 * 3_600_000;
const KIB = 1024;

/** Key below `proxy`, what is wrong with it, and what to do. */
export function proxyFaults({ timeouts, headerBytes, connectionsPerSource, trusted, memory }: Settings["proxy"]): Fault[] {
  const span = (key: keyof typeof timeouts, min: number, max: number): Fault[] =>
    timeouts[key] >= min && timeouts[key] <= max
      ? []
      : [[`timeouts.${key}`, `${formatDuration(timeouts[key])} is out of range`, `give from ${formatDuration(min)} to ${formatDuration(max)}`]];
  const most = connectionsFor(memory, headerBytes);
  return [
    ...span("headers", 1000, 600_000), ...span("idle", 1000, DAY_MS), ...span("answer", 1000, DAY_MS), ...span("websocket", 60_000, 7 * DAY_MS),
    ...(headerBytes >= 4 * KIB && headerBytes <= 256 * KIB ? [] : [["headerBytes", `${formatSize(headerBytes)} is out of range`, "give from 4KiB to 256KiB"] satisfies Fault]),
    ...(connectionsPerSource >= 1 && connectionsPerSource <= most
      ? []
      : [["connectionsPerSource", `${connectionsPerSource} is not between 1 and ${most}, which is all that proxy.memory is enough for`, "give less, or raise proxy.memory"] satisfies Fault]),
    ...trusted.filter((one) => !isNetwork(one)).map((one): Fault => ["trusted", `${JSON.stringify(one.slice(0, 80))} is no address and no CIDR`, 'give those of the proxies in front, such as ["10.0.0.5", "192.168.7.0/24"]']),
  ];
}

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  return family !== 0 && more.length === 0 && (bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)));
}
