/** The parts of the proxy's config that are the same whoever gets traffic: process, time-outs, names of containers. Pure. */
import { type ProxyOptions, REWRITE_BYTES } from "../options.js";
import { CONTROL_CONNECTIONS } from "./control.js";
import { partConnections } from "./parts.js";
import { page } from "./page.js";

// One line per request, JSON without any text that a client chose; what is measured is in milliseconds. The client is a keyed hash of
// its address: it tells clients apart, and nobody without the key learns the address from it.
const LOG_FORMAT =
  `{"time":%Ts.%ms,"client":"%[var(txn.client)]","backend":"%b","server":"%s","kind":"%[var(txn.kind)]","method":"%HM","status":%ST,` +
  `"queue":%Tw,"connect":%Tc,"answer":%Tr,"total":%Ta,"bytes":%B,"end":"%ts","retries":"%rc","by":"%[var(txn.by)]"}`;

// Old workers live as long as their websockets: no hard-stop-after. Threads are fixed, as HAProxy would count the host's
// cores and not the container's share. Idle connections are answered once more after a reload instead of being closed in
// a client's face; see the frontends' first rules for what that last answer is. A host with a low limit of open files gets fewer
// connections, and not none (no strict-limits). A client that has gone is not waited for (abortonclose).
export function general({ timeouts, headerBytes, connections }: ProxyOptions): string {
  return `global
  log stdout format raw local0 info
  maxconn ${connections + partConnections({ connections }) + CONTROL_CONNECTIONS}
  no strict-limits
  nbthread 2
  tune.bufsize ${headerBytes + REWRITE_BYTES}
  tune.maxrewrite ${REWRITE_BYTES}

defaults
  mode http
  log global
  log-format '${LOG_FORMAT}'
  option dontlognull
  option idle-close-on-response
  option abortonclose
  option clitcpka
  clitcpka-idle 60s
  clitcpka-intvl 15s
  clitcpka-cnt 4
  timeout connect 3s
  timeout http-request ${timeouts.headers}ms
  timeout http-keep-alive ${Math.min(timeouts.idle, 60_000)}ms
  timeout queue 30s
  timeout client ${timeouts.idle}ms
  timeout client-fin 30s
  timeout server ${timeouts.answer}ms
  timeout server-fin 30s
  timeout tunnel ${timeouts.websocket}ms
  timeout check 5s
  retries 3
  retry-on conn-failure empty-response
  option redispatch 1
  http-error status 503 content-type "text/html; charset=utf-8" string '${page("The app does not answer at the moment. Please try again shortly.")}' hdr Cache-Control no-store hdr Retry-After 5`;
}

// What the daemon once answered is kept over its restarts; a name it does not know any more is a container that is gone.
export const RESOLVERS = `resolvers docker
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
