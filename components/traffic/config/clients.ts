/** Who a client is, how much one source may hold, and which headers about it are believed. Pure. */
import { createHmac } from "node:crypto";
import { HANDOVER_PORT } from "../model.js";
import type { ProxyOptions } from "../options.js";

const LOOPBACK = "127.0.0.0/8";

/** Addresses of proxies that may stand one behind another in front of this one. */
const HOPS = 3;

/** A key of the stack's own for one purpose: whoever learns it learns nothing of the others. @returns base64 */
export function keyFor(purpose: string, previewKey: string): string {
  return createHmac("sha256", previewKey).update(purpose).digest("base64");
}

/** The table of what each source holds. */
export const SOURCES = `backend sources
  stick-table type ipv6 size 100k expire 10s store conn_cur`;

/**
 * Connections of one source are limited as they come, before anything is read of them. Where many clients share an address, HAProxy
 * cannot tell who holds what, and a limit would shut out all of them.
 */
export function sourceLimits({ connectionsPerSource, trusted, shared }: ProxyOptions): string[] {
  return [
    `  acl shared src ${[LOOPBACK, ...shared, ...trusted].join(" ")}`,
    `  tcp-request connection track-sc0 src table sources unless shared`,
    `  tcp-request connection reject if !shared { sc0_conn_cur gt ${connectionsPerSource} }`,
  ];
}

/**
 * `txn.source` is the client's address: the connection's, or what the last proxy in front says that is trusted. `txn.client` is a keyed
 * hash of it, for the log.
 */
export function clientRules({ trusted, connectionsPerSource }: ProxyOptions, previewKey: string): string[] {
  const hash = `hmac(sha256,${keyFor("client", previewKey)}),bytes(0,8),hex`;
  if (trusted.length === 0) {
    return [`  tcp-request session set-var(sess.client) src,${hash}`, `  http-request set-var(txn.source) src`, `  http-request set-var(txn.client) var(sess.client)`];
  }
  const isTrusted = trusted.join(" ");
  return [
    `  http-request set-var(txn.source) src`,
    // Each trusted proxy has added the address that it was asked from: the last one that is nobody's proxy is the client's.
    ...Array.from({ length: HOPS }, (_, at) => `  http-request set-var(txn.source) req.hdr_ip(X-Forwarded-For,-${at + 1}) if { var(txn.source) -m ip ${isTrusted} } { req.hdr_ip(X-Forwarded-For,-${at + 1}) -m found }`),
    `  http-request set-var(txn.client) var(txn.source),${hash}`,
    `  http-request track-sc1 var(txn.source) table sources if { src ${isTrusted} } !{ var(txn.source) -m ip ${isTrusted} }`,
    `  http-request deny deny_status 429 if { src ${isTrusted} } { sc1_conn_cur gt ${connectionsPerSource} }`,
  ];
}

/** What an app is told of its client: by this proxy, and by trusted ones in front of it. Old workers' config of before came over loopback. */
export function forwarded({ trusted }: ProxyOptions): string[] {
  const known = `{ src ${["127.0.0.1", ...trusted].join(" ")} }`;
  return [
    ...["X-Forwarded- -m beg", "Forwarded", "X-Real-IP"].map((header) => `  http-request del-header ${header} unless ${known}`),
    `  http-request set-header X-Forwarded-For %[src] unless ${known} { req.hdr(X-Forwarded-For) -m found }`,
    `  http-request set-header X-Forwarded-Proto http unless { req.hdr(X-Forwarded-Proto) -m found }`,
  ];
}

/** What an old worker still takes goes to the newest one, with the client's address (PROXY protocol). */
export const NEWER = `backend newer
  http-reuse never
  option http-server-close
  server self 127.0.0.1:${HANDOVER_PORT} send-proxy-v2`;
