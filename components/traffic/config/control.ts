/**
 * The operator's entrance: what the proxy serves is asked here, and probes go through it. It has connections of its own, so that users
 * cannot fill it, and answers only to who has the key. It is not published: Linux reaches a container's address from its host.
 */
import { createHash } from "node:crypto";
import { stackNames } from "../../release/names.js";
import { CONTROL_PORT, DIGEST_PATH, KEY_HEADER, PORT_HEADER, PREVIEW_HEADER, TABLE_PATH } from "../model.js";

/** Connections of the operator's entrance. */
export const CONTROL_CONNECTIONS = 200;

/** What the proxy tells of itself. */
export interface Told {
  stack: string;
  /** Placeholder or value: hex. */
  digest: string;
  /** As `encodeTable` writes it. */
  table: string;
}

/** Rules for who has the key: answers about the config, and the container that a request is sent to past the routes. */
export function keyRules({ stack, digest, table }: Told, previewKey: string): string[] {
  const keyHash = createHash("sha256").update(previewKey).digest("hex").toUpperCase();
  const container = `^${stackNames(stack).appPrefix.replaceAll(".", "\\.")}[A-Za-z0-9.-]+$`;
  const told = (path: string, content: string): string =>
    `  http-request return status 200 content-type text/plain string '${content}' hdr Cache-Control no-store if { path ${path} } has_key`;
  return [
    // Only the key's digest is in the rules, so that no message about them can show it.
    `  acl has_key req.hdr(${KEY_HEADER}),sha2(256),hex -m str ${keyHash}`,
    `  acl for_us path_beg /.release/`,
    `  http-request set-log-level silent if for_us has_key`,
    told(DIGEST_PATH, digest),
    told(TABLE_PATH, `${digest} ${table}`),
    `  http-request set-var(txn.preview) req.fhdr(${PREVIEW_HEADER}) if has_key { req.fhdr(${PREVIEW_HEADER}) -m reg ${container} }`,
    `  http-request set-var(txn.port) req.fhdr(${PORT_HEADER}) if has_key { req.fhdr(${PORT_HEADER}) -m reg ^[1-9][0-9]{0,4}$ }`,
    `  acl preview var(txn.preview) -m found`,
  ];
}

export function control(told: Told, previewKey: string): string {
  return [
    `frontend control`,
    `  bind :${CONTROL_PORT}`,
    `  maxconn ${CONTROL_CONNECTIONS}`,
    `  http-request set-var(txn.kind) str(probe)`,
    ...keyRules(told, previewKey),
    `  http-request return status 404 content-type text/plain string "not found" hdr Cache-Control no-store unless preview`,
    `  http-request del-header X-Release- -m beg`,
    `  http-request disable-l7-retry unless { method GET HEAD OPTIONS }`,
    `  default_backend preview`,
  ].join("\n");
}

// A candidate is reached by its container's name before any route knows it, so that the gate needs no reload.
export function preview(port: number): string {
  return `backend preview
  http-reuse never
  option http-server-close
  retries 0
  http-request set-var(txn.port) str(${port}) unless { var(txn.port) -m found }
  http-request do-resolve(txn.address,docker,ipv4) var(txn.preview)
  http-request return status 503 content-type text/plain string "no container of that name has an address" hdr Cache-Control no-store unless { var(txn.address) -m found }
  http-request set-dst var(txn.address)
  http-request set-dst-port var(txn.port)
  server candidate 0.0.0.0:0`;
}
