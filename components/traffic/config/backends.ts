/** The replicas of a revision, as backends of the proxy. Pure. */
import { createHmac } from "node:crypto";
import { appBackend, failOpen, socketBackend } from "../backend-names.js";
import { COOKIE, type TrafficRevision } from "../model.js";
import { keyFor } from "./clients.js";

/** Hex digits of a cookie's signature: guessing one takes 2^63 tries. */
const SIGNATURE = 16;

/**
 * The cookie of one replica, `<revision>~<index>~<signature>`: who has it has been there. Before cookies were signed they were
 * `<revision>~<index>`. @param at from 0
 */
export function cookieValue(revision: string, at: number, previewKey: string): string {
  return signer(previewKey)(unsigned(revision, at));
}

function signer(previewKey: string): (value: string) => string {
  const key = keyFor("cookie", previewKey);
  return (value) => `${value}~${createHmac("sha256", key).update(value).digest("hex").slice(0, SIGNATURE)}`;
}

const unsigned = (revision: string, at: number): string => `${revision}~${at + 1}`;

/** A server for each container. @param more what each has beside its address; the container's place from 0 */
export function serverLines({ containers, port }: Pick<TrafficRevision, "containers" | "port">, more: (at: number) => string): string[] {
  return containers.map((container, at) => `  server r${at + 1} ${container}:${port} resolvers docker resolve-prefer ipv4 init-addr libc,none ${more(at)}`);
}

// Websockets have a backend of their own so that its sessions are the users of the release; health is checked once.
// Servers are up until a check says otherwise, so that a proxy serves as soon as it runs.
export function backends({ revision, containers, port, healthPath }: TrafficRevision, previewKey: string): string[] {
  const sign = signer(previewKey);
  const cookies = containers.map((_, at) => sign(unsigned(revision, at)));
  const section = (name: string, balance: string, health: readonly string[], kind: (server: string) => string): string =>
    [
      `backend ${name}`,
      `  balance ${balance}`,
      `  cookie ${COOKIE} insert indirect nocache httponly attr SameSite=Lax`,
      // A part of the page belongs to a release, and not to a user: whoever gets it from another one than theirs stays where they are.
      `  ignore-persist if { var(txn.kind) -m str part } !{ req.cook(${COOKIE}) -m beg ${revision}~ }`,
      ...health,
      // Users who got their cookie before cookies were signed stay where they are, and get a signed one.
      ...containers.map((_, at) => `  use-server r${at + 1} if { req.cook(${COOKIE}) -m str ${unsigned(revision, at)} }`),
      ...serverLines({ containers, port }, (at) => `cookie ${cookies[at] ?? ""} ${kind(`r${at + 1}`)}`),
    ].join("\n");
  const [app, sockets] = [appBackend(revision), socketBackend(revision)];
  const probe = [`  option httpchk`, `  http-check send meth GET uri ${healthPath} ver HTTP/1.1 hdr Host localhost hdr Connection close`];
  const every = "inter 1s fastinter 500ms downinter 500ms fall 3 rise 1";
  return [
    section(app, "roundrobin", probe, () => `check ${every}`),
    section(sockets, "leastconn", [], (server) => `track ${app}/${server}`),
    // A connection is all that is asked for: a host that is too busy for answers still makes it, an app that has ended does not.
    section(failOpen(app), "roundrobin", [], () => `check ${every}`),
    section(failOpen(sockets), "leastconn", [], (server) => `track ${failOpen(app)}/${server}`),
  ];
}
