/** The users' entrance: which requests are answered, and by which release. Pure. */
import { appBackend, failOpen, socketBackend } from "../backend-names.js";
import { COOKIE, FRONT_PORT, HANDOVER_PORT, revisionsOf, type TrafficCanary, type TrafficRevision, type TrafficTable } from "../model.js";
import type { ProxyOptions } from "../options.js";
import { cookieValue } from "./backends.js";
import { clientRules, forwarded, sourceLimits } from "./clients.js";
import { keyRules, type Told } from "./control.js";
import { page } from "./page.js";
import { partRoutes, partRules, streamlitBase } from "./parts.js";

/** Who gets requests. */
export interface Sides {
  serving: TrafficRevision | null;
  former: TrafficRevision | null;
  canary: TrafficCanary | null;
}

/** Streamlit's own paths for who runs it: each asker has a run of the script, or learns of its users. Also by the names of before 1.12. */
const OPERATORS_PATHS = ["/script-health-check", "/_stcore/metrics", "/st-metrics"];

/** Where a Streamlit app's websocket is; null: it is no Streamlit app, and has them anywhere. */
function streamPath(revision: TrafficRevision): string | null {
  const base = streamlitBase(revision);
  return base === null ? null : `${base}_stcore/stream`;
}

/** Where no pages are, below the paths of each Streamlit app: what a browser opens there in a frame is part of a page. */
const PARTS = ["_stcore/", "static/", "media/", "component/", "app/static/"];

export function users(table: TrafficTable, { serving, former, canary }: Sides, told: Told, options: ProxyOptions, previewKey: string): string {
  const lines = [
    `frontend front`,
    `  bind :${FRONT_PORT}`,
    `  bind 127.0.0.1:${HANDOVER_PORT} accept-proxy`,
    `  maxconn ${options.connections}`,
    ...sourceLimits(options),
    ...clientRules(options, previewKey),
    // A request that still comes to an old worker over a kept connection is passed to the newest one, whose routes hold.
    `  http-request set-var(txn.old) bool(true) if { stopping }`,
    `  acl old var(txn.old) -m bool`,
    `  http-request set-log-level silent if old`,
    `  http-request allow if old`,
    ...keyRules(told, previewKey),
    // Told before the key is taken out: an app must not see it.
    `  http-request set-var(txn.operator) bool(true) if has_key`,
    `  acl operator var(txn.operator) -m bool`,
    `  http-request del-header X-Release- -m beg`,
    ...kinds(table),
    ...operatorsOnly(table),
    ...frozen(table),
    // A body that does not begin to come is not waited for any longer than a head.
    `  http-request wait-for-body time ${options.timeouts.headers}ms at-least 1 if { method POST PUT PATCH }`,
    // What may have reached the app is repeated only if doing it twice is the same as once.
    `  http-request disable-l7-retry unless { method GET HEAD OPTIONS }`,
    ...forwarded(options),
    ...(serving === null
      ? [`  http-request return status 503 content-type "text/html; charset=utf-8" string '${page("Nothing has been released here yet.")}' hdr Cache-Control no-store hdr Retry-After 5 unless preview`]
      : []),
    `  use_backend newer if old`,
    `  use_backend preview if preview`,
    ...partRoutes(table),
    ...(former === null ? [] : ofFormer(former.revision)),
    ...(serving === null || canary === null ? [] : beside(serving, canary, previewKey)),
    ...(serving === null ? [] : ofServing(serving.revision)),
  ];
  return lines.join("\n");
}

/** What a request is: for the routes, and for the log. Who has the key is no user. */
function kinds(table: TrafficTable): string[] {
  const revisions = revisionsOf(table);
  const streams = revisions.map(streamPath);
  const anywhere = streams.length === 0 || streams.includes(null);
  return [
    `  acl upgrades req.hdr(Upgrade) -i -m str websocket`,
    `  acl hand_shakes req.hdr(Connection) -i -m sub upgrade`,
    `  acl websocket_13 req.hdr(Sec-WebSocket-Version) -m str 13`,
    `  acl websocket_key req.hdr(Sec-WebSocket-Key) -m reg ^[A-Za-z0-9+/]{22}==$`,
    anywhere ? `  acl stream path_beg /` : `  acl stream path ${[...new Set(streams)].join(" ")}`,
    `  acl reads method GET HEAD`,
    `  acl wants_page req.hdr(Accept) -i -m sub text/html`,
    `  acl navigates req.fhdr(Sec-Fetch-Mode) -i -m str navigate`,
    `  acl has_dest req.fhdr(Sec-Fetch-Dest) -m found`,
    `  acl document req.fhdr(Sec-Fetch-Dest) -i -m str document`,
    `  acl part path_beg ${[...new Set(["/", ...revisions.flatMap((one) => streamlitBase(one) ?? [])])].flatMap((base) => PARTS.map((path) => `${base}${path}`)).join(" ")}`,
    `  http-request set-var(txn.kind) str(other)`,
    `  http-request set-var(txn.kind) str(page) if reads wants_page !part !has_dest or reads wants_page !part document or reads navigates !part !has_dest or reads navigates !part document`,
    ...partRules(revisions),
    // A handshake that no server could accept is a request like any other.
    `  http-request set-var(txn.kind) str(websocket) if upgrades hand_shakes websocket_13 websocket_key stream { method GET }`,
    `  http-request set-var(txn.kind) str(probe) if operator`,
    `  acl page var(txn.kind) -m str page`,
    `  acl websocket var(txn.kind) -m str websocket`,
  ];
}

function operatorsOnly(table: TrafficTable): string[] {
  const own = revisionsOf(table).flatMap(({ scriptPath }) => scriptPath ?? []);
  const answer = `  http-request return status 404 content-type text/plain string "not found" hdr Cache-Control no-store`;
  return [
    // Decoded, as an app does it.
    `  acl operators path,url_dec -m sub ${OPERATORS_PATHS.join(" ")}`,
    ...(own.length === 0 ? [] : [`  acl operators path,url_dec -m str ${[...new Set(own)].join(" ")}`]),
    `  http-request set-var(txn.kind) str(operators) if operators !operator`,
    `${answer} if operators !operator`,
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
    `  http-request set-var(txn.kind) str(frozen) if frozen upgrades !preview or frozen !harmless !preview`,
    `  http-request return status 503 content-type "text/html; charset=utf-8" string '${body}' hdr Cache-Control no-store hdr Retry-After 2 if { var(txn.kind) -m str frozen }`,
  ];
}

/** Whether replicas pass their health checks, and whether any accepts connections where none does: slow is not dead. */
function health(name: string, revision: string): string[] {
  return [`  acl ${name}_up nbsrv(${appBackend(revision)}) gt 0`, `  acl ${name}_open nbsrv(${failOpen(appBackend(revision))}) gt 0`];
}

/** Rules to a backend: to the replicas that are well, or to all where none is. */
function either(name: string, backend: string, condition: string): string[] {
  return [`  use_backend ${backend} if ${condition} ${name}_up`, `  use_backend ${failOpen(backend)} if ${condition} ${name}_open`];
}

function ofFormer(revision: string): string[] {
  return [
    `  acl of_former req.cook(${COOKIE}) -m beg ${revision}~`,
    ...health("former", revision),
    ...either("former", socketBackend(revision), "of_former websocket"),
    ...either("former", appBackend(revision), "of_former !page"),
  ];
}

/**
 * A canary keeps the users that it has, pages and all, and draws its share of those who load a page and are on neither release. Both
 * stick: a stick of the canary's users alone would draw everybody to it in time. HAProxy looks at its own clock, as for a pause. Nobody
 * gets there by a cookie that they made themselves.
 */
function beside(serving: TrafficRevision, { revision: { revision, containers }, weight, until }: TrafficCanary, previewKey: string): string[] {
  const open = until === undefined ? "" : " lease_runs";
  return [
    ...(until === undefined ? [] : [`  acl lease_runs date() lt ${until}`]),
    `  acl of_serving req.cook(${COOKIE}) -m beg ${serving.revision}~`,
    `  acl of_canary req.cook(${COOKIE}) -m str ${containers.map((_, at) => cookieValue(revision, at, previewKey)).join(" ")}`,
    ...health("canary", revision),
    `  acl drawn rand(100) lt ${weight}`,
    ...either("canary", socketBackend(revision), `of_canary websocket${open}`),
    ...either("canary", appBackend(revision), `of_canary !websocket${open}`),
    `  use_backend ${appBackend(revision)} if page !of_serving !of_canary canary_up${open} drawn`,
  ];
}

/** The last rules: where nothing accepts connections, the usual backend says so. */
function ofServing(revision: string): string[] {
  const [app, sockets] = [appBackend(revision), socketBackend(revision)];
  return [
    ...health("serving", revision),
    `  use_backend ${failOpen(sockets)} if websocket !serving_up serving_open`,
    `  use_backend ${sockets} if websocket`,
    `  use_backend ${failOpen(app)} if !serving_up serving_open`,
    `  default_backend ${app}`,
  ];
}
