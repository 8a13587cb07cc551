/** What the operator sets of the proxy's config, beside who gets traffic; and what is known of the network in front of it. */
import { z } from "zod";
import type { Settings } from "../settings/schema.js";

const MIB = 1024 * 1024;
/** IPv4 or IPv6 address, with or without a prefix length. Its characters need no quoting in HAProxy's config. */
const ADDRESS = /^[0-9A-Fa-f:.]+(?:\/[0-9]{1,3})?$/;
const milliseconds = z.int().min(1);

export const proxyOptions = z.strictObject({
  /** Milliseconds; see the settings `proxy.timeouts`. */
  timeouts: z.strictObject({ headers: milliseconds, idle: milliseconds, answer: milliseconds, websocket: milliseconds }),
  /** Bytes of a request's or an answer's head. */
  headerBytes: z.int().min(1024).max(MIB),
  /** Connections of all users, and of one source. */
  connections: z.int().min(1),
  connectionsPerSource: z.int().min(1),
  /** Proxies in front, whose `X-Forwarded-*` are believed: addresses and CIDRs. */
  trusted: z.array(z.string().regex(ADDRESS)),
  /**
   * Addresses behind which clients cannot be told apart, as the gateway of the proxy's network: Docker passes connections from there
   * that come over the loopback interface. No limit of a source holds for these.
   */
  shared: z.array(z.string().regex(ADDRESS)),
});

export type ProxyOptions = z.output<typeof proxyOptions>;

/** HAProxy keeps so many bytes of each buffer free for headers that it adds (`tune.maxrewrite`). */
export const REWRITE_BYTES = 1024;
/** Bytes of a connection beside its buffer: some 2 KiB of HAProxy 2.6, and the kernel's. */
const CONNECTION_BYTES = 4096;
/** Share of the proxy's memory that users' connections may take: old workers, the log and TLS libraries need the rest. */
const SHARE = 0.6;
/** More would exceed the open files that Docker permits a container in some installations (20,000; two for each connection). */
const MOST_CONNECTIONS = 8000;

/** Connections that a proxy with so much memory can hold while each of them fills a buffer. Pure. @param memory bytes */
export function connectionsFor(memory: number, headerBytes: number): number {
  return Math.max(100, Math.min(MOST_CONNECTIONS, Math.floor((memory * SHARE) / (headerBytes + REWRITE_BYTES + CONNECTION_BYTES))));
}

/** Of settings; what is known of the network is added by who prepares the proxy. Pure. */
export function proxyOptionsOf({ memory, timeouts, headerBytes, trusted, connectionsPerSource }: OptionSettings): ProxyOptions {
  return { timeouts, headerBytes, connections: connectionsFor(memory, headerBytes), connectionsPerSource, trusted, shared: [] };
}

export type OptionSettings = Pick<Settings["proxy"], "memory" | "timeouts" | "headerBytes" | "trusted" | "connectionsPerSource">;

/** As the table of defaults has them. */
export const DEFAULT_OPTIONS: ProxyOptions = proxyOptionsOf({
  memory: 256 * MIB,
  timeouts: { headers: 10_000, idle: 60_000, answer: 300_000, websocket: 86_400_000 },
  headerBytes: 16 * 1024,
  trusted: [],
  connectionsPerSource: 500,
});
