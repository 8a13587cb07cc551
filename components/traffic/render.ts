/** The proxy's whole config as a pure function of the traffic table. */
import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { stackNames } from "../release/names.js";
import { checkTable, COOKIE, DIGEST_PATH, FRONT_PORT, KEY_HEADER, PORT_HEADER, PREVIEW_HEADER, TABLE_PATH, type TrafficCanary, type TrafficRevision, type TrafficTable } from "./model.js";

export interface Rendered {
  config: string;
  /** SHA-256 of the config, hex. It stands in the config, and the front door tells it to who has the key. */
  digest: string;
}

const DIGEST = "@DIGEST@";
const DEFAULT_PORT = 8501;

/** @throws Error for a table with names that could mean something else in the config */
export function render(table: TrafficTable, previewKey: string): Rendered {
  const checked = checkTable(table);
  if (!/^[0-9a-f]{64}$/.test(previewKey)) {
    throw new Error("the preview key is not 64 hex digits");
  }
  const { serving } = checked;
  // Nobody is sent to an abandoned release, so the new worker need not know it: the old ones hold what is open.
  const former = checked.abandoned ? null : checked.former;
  // Likewise one that has no share of the users, or has lost it.
  const canary = checked.canary !== undefined && checked.canary.weight > 0 ? checked.canary : null;
  const sections = [
    GENERAL,
    resolvers(),
    frontend(checked, { serving, former, canary }, previewKey),
    ...(serving === null ? [] : backends(serving)),
    ...(former === null ? [] : backends(former)),
    ...(canary === null ? [] : backends(canary.revision)),
    preview(serving?.port ?? DEFAULT_PORT),
    NEWER,
  ];
  const draft = `${sections.join("\n\n")}\n`;
  const digest = createHash("sha256").update(draft).digest("hex");
  return { config: draft.replaceAll(DIGEST, digest), digest };
}

/** The table as the front door tells it: one word without a character that a config would have to quote. */
export function encodeTable(table: TrafficTable): string {
  return deflateRawSync(JSON.stringify(checkTable(table))).toString("base64url");
}

/** @throws Error for what {@link encodeTable} did not write */
export function decodeTable(text: string): TrafficTable {
  return checkTable(JSON.parse(inflateRawSync(Buffer.from(text, "base64url")).toString("utf8")));
}

/** Name of the backend of a revision's requests, and of its websockets. */
export const appBackend = (revision: string): string => `app_${revision}`;
export const socketBackend = (revision: string): string => `ws_${revision}`;
/** The revision whose websockets a backend carries, or null. */
export const revisionOfSockets = (backend: string): string | null => (backend.startsWith("ws_") ? backend.slice(3) : null);

/** Whether a backend is a release's, of requests or of websockets. */
export const isOfRelease = (backend: string): boolean => revisionOf(backend) !== null;

/** The revision whose requests or websockets a backend carries, or null. */
export const revisionOf = (backend: string): string | null => revisionOfSockets(backend) ?? (backend.startsWith("app_") ? backend.slice(4) : null);

// One line per request, JSON without any text that a client chose; what is measured is in milliseconds.
const LOG_FORMAT =
  `{"time":%Ts.%ms,"backend":"%b","server":"%s","kind":"%[var(txn.kind)]","method":"%HM","status":%ST,` +
  `"queue":%Tw,"connect":%Tc,"answer":%Tr,"total":%Ta,"bytes":%B,"end":"%ts","retries":"%rc"}`;

const page = (text: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Not available</title></head>` +
  `<body style="font-family:sans-serif;margin:4em"><h1>Not available</h1><p>${text}</p></body></html>`;

// Old workers live as long as their websockets: no hard-stop-after. Threads are fixed, as HAProxy would count the host's
// cores and not the container's share. Idle connections are answered once more after a reload instead of being closed in
// a client's face; see the frontend's first rules for what that last answer is.
const GENERAL = `global
  log stdout format raw local0 info
  maxconn 4000
  nbthread 2

defaults
  mode http
  log global
  log-format '${LOG_FORMAT}'
  option dontlognull
  option idle-close-on-response
  option clitcpka
  clitcpka-idle 60s
  clitcpka-intvl 15s
  clitcpka-cnt 4
  timeout connect 3s
  timeout http-request 30s
  timeout http-keep-alive 60s
  timeout queue 30s
  timeout client 5m
  timeout client-fin 30s
  timeout server 5m
  timeout server-fin 30s
  timeout tunnel 24h
  timeout check 5s
  retries 3
  retry-on conn-failure empty-response
  option redispatch 1
  http-error status 503 content-type "text/html; charset=utf-8" string '${page("The app does not answer at the moment. Please try again shortly.")}' hdr Cache-Control no-store hdr Retry-After 5`;

// What the daemon once answered is kept over its restarts; a name it does not know any more is a container that is gone.
function resolvers(): string {
  return `resolvers docker
  nameserver docker 127.0.0.11:53
  resolve_retries 2
  timeout resolve 1s
  timeout retry 1s
  hold valid 2s
  hold nx 5s
  hold obsolete 5s
  hold timeout 1h
  hold refused 1h
  hold other 1h`;
}

/** Who gets requests. */
interface Sides {
  serving: TrafficRevision | null;
  former: TrafficRevision | null;
  canary: TrafficCanary | null;
}

function frontend(table: TrafficTable, { serving, former, canary }: Sides, previewKey: string): string {
  const keyHash = createHash("sha256").update(previewKey).digest("hex").toUpperCase();
  const container = `^${stackNames(table.stack).appPrefix.replaceAll(".", "\\.")}[A-Za-z0-9.-]+$`;
  const told = (path: string, content: string): string =>
    `  http-request return status 200 content-type text/plain string '${content}' hdr Cache-Control no-store if { path ${path} } has_key`;
  const lines = [
    `frontend front`,
    `  bind :${FRONT_PORT}`,
    // A request that still comes to an old worker over a kept connection is passed to the newest one, whose routes hold.
    `  http-request set-var(txn.old) bool(true) if { stopping }`,
    `  acl old var(txn.old) -m bool`,
    `  http-request set-log-level silent if old`,
    `  http-request allow if old`,
    // Only the key's digest is in the rules, so that no message about them can show it.
    `  acl has_key req.hdr(${KEY_HEADER}),sha2(256),hex -m str ${keyHash}`,
    `  acl for_us path_beg /.release/`,
    `  http-request set-log-level silent if for_us has_key`,
    told(DIGEST_PATH, DIGEST),
    told(TABLE_PATH, `${DIGEST} ${encodeTable(table)}`),
    `  http-request set-var(txn.preview) req.fhdr(${PREVIEW_HEADER}) if has_key { req.fhdr(${PREVIEW_HEADER}) -m reg ${container} }`,
    `  http-request set-var(txn.port) req.fhdr(${PORT_HEADER}) if has_key { req.fhdr(${PORT_HEADER}) -m reg ^[1-9][0-9]{0,4}$ }`,
    `  acl preview var(txn.preview) -m found`,
    `  http-request del-header X-Release- -m beg`,
    `  acl websocket req.hdr(Upgrade) -i -m str websocket`,
    `  acl reads method GET HEAD`,
    `  acl wants_page req.hdr(Accept) -i -m sub text/html`,
    `  acl navigates req.fhdr(Sec-Fetch-Mode) -i -m str navigate`,
    `  acl has_dest req.fhdr(Sec-Fetch-Dest) -m found`,
    `  acl document req.fhdr(Sec-Fetch-Dest) -i -m str document`,
    `  acl part path_beg /_stcore/ /static/ /media/ /component/ /app/static/`,
    `  http-request set-var(txn.kind) str(other)`,
    `  http-request set-var(txn.kind) str(page) if reads wants_page !part !has_dest or reads wants_page !part document or reads navigates !part !has_dest or reads navigates !part document`,
    `  http-request set-var(txn.kind) str(websocket) if websocket`,
    `  acl page var(txn.kind) -m str page`,
    ...frozen(table),
    // What may have reached the app is repeated only if doing it twice is the same as once.
    `  http-request disable-l7-retry unless { method GET HEAD OPTIONS }`,
    `  option forwardfor except 127.0.0.1`,
    `  http-request set-header X-Forwarded-Proto http unless { req.hdr(X-Forwarded-Proto) -m found }`,
    ...(serving === null
      ? [`  http-request return status 503 content-type "text/html; charset=utf-8" string '${page("Nothing has been released here yet.")}' hdr Cache-Control no-store hdr Retry-After 5 unless preview`]
      : []),
    `  use_backend newer if old`,
    `  use_backend preview if preview`,
    ...(former === null
      ? []
      : [
          `  acl of_former req.cook(${COOKIE}) -m beg ${former.revision}~`,
          `  acl former_up nbsrv(${appBackend(former.revision)}) gt 0`,
          `  use_backend ${socketBackend(former.revision)} if of_former former_up websocket`,
          `  use_backend ${appBackend(former.revision)} if of_former former_up !page`,
        ]),
    ...(serving === null || canary === null ? [] : beside(serving.revision, canary)),
    ...(serving === null ? [] : [`  use_backend ${socketBackend(serving.revision)} if websocket`, `  default_backend ${appBackend(serving.revision)}`]),
  ];
  return lines.join("\n");
}

/**
 * A canary keeps the users that it has, pages and all, and draws its share of those who load a page and are on neither release. Both
 * stick: a stick of the canary's users alone would draw everybody to it in time. HAProxy looks at its own clock, as for a pause.
 */
function beside(serving: string, { revision: { revision }, weight, until }: TrafficCanary): string[] {
  const open = until === undefined ? "" : " canary_open";
  return [
    ...(until === undefined ? [] : [`  acl canary_open date() lt ${until}`]),
    `  acl of_serving req.cook(${COOKIE}) -m beg ${serving}~`,
    `  acl of_canary req.cook(${COOKIE}) -m beg ${revision}~`,
    `  acl canary_up nbsrv(${appBackend(revision)}) gt 0`,
    `  acl drawn rand(100) lt ${weight}`,
    `  use_backend ${socketBackend(revision)} if of_canary canary_up websocket${open}`,
    `  use_backend ${appBackend(revision)} if of_canary canary_up !websocket${open}`,
    `  use_backend ${appBackend(revision)} if page !of_serving !of_canary canary_up${open} drawn`,
  ];
}

/**
 * While writes are paused, pages are served and nothing else: a websocket runs the app's script, which writes. HAProxy looks at
 * its own clock, so the pause ends by itself; who looks through the front door with the key is no user.
 */
function frozen({ frozenUntil }: TrafficTable): string[] {
  if (frozenUntil === undefined) {
    return [];
  }
  const body = page("Changes are paused for a moment. Please try again shortly.");
  return [
    `  acl frozen date() lt ${frozenUntil}`,
    `  acl harmless method GET HEAD OPTIONS`,
    `  http-request set-var(txn.kind) str(frozen) if frozen websocket !preview or frozen !harmless !preview`,
    `  http-request return status 503 content-type "text/html; charset=utf-8" string '${body}' hdr Cache-Control no-store hdr Retry-After 2 if { var(txn.kind) -m str frozen }`,
  ];
}

// Websockets have a backend of their own so that its sessions are the users of the release; health is checked once.
// Servers are up until a check says otherwise, so that a proxy serves as soon as it runs.
function backends({ revision, containers, port, healthPath }: TrafficRevision): string[] {
  const cookie = `  cookie ${COOKIE} insert indirect nocache httponly attr SameSite=Lax`;
  const address = `resolvers docker resolve-prefer ipv4 init-addr libc,none`;
  const servers = (kind: (name: string) => string): string[] =>
    containers.map((container, at) => `  server r${at + 1} ${container}:${port} cookie ${revision}~${at + 1} ${address} ${kind(`r${at + 1}`)}`);
  const app = [
    `backend ${appBackend(revision)}`,
    `  balance roundrobin`,
    cookie,
    `  option httpchk`,
    `  http-check send meth GET uri ${healthPath} ver HTTP/1.1 hdr Host localhost hdr Connection close`,
    ...servers(() => `check inter 1s fastinter 500ms downinter 500ms fall 3 rise 1`),
  ];
  const sockets = [`backend ${socketBackend(revision)}`, `  balance leastconn`, cookie, ...servers((name) => `track ${appBackend(revision)}/${name}`)];
  return [app.join("\n"), sockets.join("\n")];
}

// A candidate is reached by its container's name before any route knows it, so that the gate needs no reload.
function preview(port: number): string {
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

const NEWER = `backend newer
  http-reuse never
  option http-server-close
  server self 127.0.0.1:${FRONT_PORT}`;
