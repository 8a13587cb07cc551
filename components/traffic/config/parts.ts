/**
 * Parts of Streamlit's page (scripts, styles, fonts). Their names hold a hash of what is in them, and each version of Streamlit has its
 * own; whatever a version lacks it answers with the page and 200 (seen with 1.40.0 and 1.67.0). A tab of one version that asks another
 * would be broken, and count as good. So the page in the place of a part is none, and releases that have containers are asked one
 * after another, the one of the user's cookie first: HAProxy's retry on 404 (`retry-on`), from servers that are frontends of its own. Pure.
 */
import { appBackend, failOpen, partsBackend } from "../backend-names.js";
import { ANSWERED_BY, COOKIE, type TrafficRevision, type TrafficTable } from "../model.js";
import type { ProxyOptions } from "../options.js";
import { serverLines } from "./backends.js";

/** Share of users' connections that parts may take: each takes one more within the proxy. */
const SHARE = 4;

/** A release that is asked for parts. */
interface Holder {
  revision: TrafficRevision;
  /** Whether users are sent to it for other things: it has backends then. */
  inUse: boolean;
}

/** Where a Streamlit app has what, by the path of its health check; null: it is no Streamlit app. */
export function streamlitBase({ healthPath }: Pick<TrafficRevision, "healthPath">): string | null {
  return /^(.*\/)_stcore\/health$/.exec(healthPath)?.[1] ?? null;
}

/** Paths that parts begin with, for all releases of a table. */
export const partPaths = (revisions: readonly TrafficRevision[]): string[] => [...new Set(revisions.flatMap((one) => streamlitBase(one) ?? []))].map((base) => `${base}static/`);

/** Connections within the proxy that parts take beside users' own. */
export const partConnections = ({ connections }: Pick<ProxyOptions, "connections">): number => Math.ceil(connections / SHARE);

/** That serves first; then the former one, also one that a rollback left, and a canary, also one that has no share. None where no app has parts. */
function holders({ serving, former, abandoned, canary }: TrafficTable): Holder[] {
  if (serving === null) return [];
  const all = [
    { revision: serving, inUse: true },
    ...(former === null ? [] : [{ revision: former, inUse: !abandoned }]),
    ...(canary === undefined ? [] : [{ revision: canary.revision, inUse: canary.weight > 0 }]),
  ];
  return partPaths(all.map(({ revision }) => revision)).length === 0 ? [] : all;
}

/**
 * Where the proxy asks itself, a socket of its container's network alone. It is the release's and not its role's: what an old worker asks
 * while it is replaced comes to the new one, for which the roles may have changed.
 */
const socketOf = ({ revision }: TrafficRevision): string => `abns@pbjrag-part-of-${revision}`;
/** The same for all releases but one. */
const othersThan = ({ revision }: TrafficRevision): string => `abns@pbjrag-part-of-others-${revision}`;

/** What a request for a part is, before any rule to a backend. */
export function partRules(revisions: readonly TrafficRevision[]): string[] {
  const paths = partPaths(revisions);
  if (paths.length === 0) return [];
  return [
    `  acl static_part path_beg ${paths.join(" ")}`,
    `  http-request set-var(txn.kind) str(part) if static_part reads`,
    `  acl of_page var(txn.kind) -m str part`,
    // A piece of the page would look like a piece of the part, and nobody asks for pieces of these.
    ...["Range", "If-Range"].map((header) => `  http-request del-header ${header} if of_page`),
  ];
}

/** Rules to the backends of {@link partSections}; with one release alone, only that its page is no part. */
export function partRoutes(table: TrafficTable): string[] {
  const [serving, ...others] = holders(table).map(({ revision }) => revision);
  if (serving === undefined) return [];
  if (others.length === 0) return noPage(serving, "of_page");
  return [
    ...others.map(({ revision }) => `  use_backend ${partsBackend(revision)} if of_page { req.cook(${COOKIE}) -m beg ${revision}~ }`),
    `  use_backend ${partsBackend(serving.revision)} if of_page`,
  ];
}

/** The page where a part should be: 200, or 304 to who was once given it for one. What is hashed may be kept for long, the page never. */
function noPage(revision: TrafficRevision, condition: string): string[] {
  if (streamlitBase(revision) === null) return [];
  const answer = `  http-response return status 404 content-type text/plain string "no release that runs has this part" hdr Cache-Control no-store`;
  return [
    `${answer} if ${condition} { status 200 206 } { res.hdr(Content-Type) -i -m beg text/html }`,
    `${answer} if ${condition} { status 304 } { res.hdr(Cache-Control) -i -m sub no-cache }`,
  ];
}

/** Frontends and backends within the proxy. */
export function partSections(table: TrafficTable, options: ProxyOptions): string[] {
  const all = holders(table);
  const most = partConnections(options);
  const chains = all.length === 1 ? [] : all.map((own) => ({ own, others: all.filter((one) => one !== own) }));
  return [...all.flatMap((holder, at) => holderSections(holder, at > 0, most)), ...chains.flatMap(({ own, others }) => chain(own, others, most))];
}

/** One release's answer. What a release that users leave cannot answer, the others may have. */
function holderSections({ revision, inUse }: Holder, mayFail: boolean, most: number): string[] {
  const name = revision.revision;
  const own = appBackend(name);
  return [
    [
      ...inner(`part_of_${name}`, socketOf(revision), most),
      `  http-request set-var(txn.kind) str(part)`,
      ...noPage(revision, "TRUE"),
      `  http-after-response set-header ${ANSWERED_BY} ${name}`,
      ...(mayFail ? [`  http-after-response set-status 404 if { status 503 }`] : []),
      ...(inUse ? [`  use_backend ${failOpen(own)} if { nbsrv(${own}) eq 0 } { nbsrv(${failOpen(own)}) gt 0 }`, `  default_backend ${own}`] : [`  default_backend static_${name}`]),
    ].join("\n"),
    // Nobody is sent to it for anything else: a backend without cookies.
    ...(inUse ? [] : [[`backend static_${name}`, ...serverLines(revision, () => "check inter 1s fastinter 500ms downinter 500ms fall 3 rise 1")].join("\n")]),
  ];
}

function inner(name: string, socket: string, most: number): string[] {
  return [`frontend ${name}`, `  bind ${socket}`, `  maxconn ${most}`, `  http-request set-log-level silent`];
}

/** The release of the user's cookie, and then the others; of three, the second one's own frontend asks the third. */
function chain({ revision }: Holder, others: readonly Holder[], most: number): string[] {
  const [second, third] = others;
  if (second === undefined) return [];
  const name = revision.revision;
  const both = (backend: string, sockets: readonly string[]): string[] => [
    `backend ${backend}`,
    `  balance first`,
    `  retries 1`,
    `  retry-on 404 conn-failure empty-response`,
    ...sockets.map((socket, at) => `  server s${at + 1} ${socket} maxconn ${most}`),
  ];
  const told = [`  http-response set-var(txn.by) res.hdr(${ANSWERED_BY})`, `  http-response del-header ${ANSWERED_BY}`];
  const first = [...both(partsBackend(name), [socketOf(revision), third === undefined ? socketOf(second.revision) : othersThan(revision)]), ...told].join("\n");
  if (third === undefined) return [first];
  return [
    first,
    [...inner(`part_of_others_${name}`, othersThan(revision), most), `  default_backend rest_${name}`].join("\n"),
    both(`rest_${name}`, [socketOf(second.revision), socketOf(third.revision)]).join("\n"),
  ];
}
