/** What was measured in Prometheus' text form, by its own client library. */
import { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client";
import { classes, countOf, middleOf } from "./histogram.js";
import type { Kept } from "./kept.js";
import type { Look } from "./look.js";
import { type Operations, registerOperations } from "./operations.js";
import { NO_TRAFFIC } from "./traffic.js";

export interface Measured {
  stack: string;
  /** What users can be on: the revision, its tag and whether it serves, is kept warm or is tried. */
  releases: readonly { revision: string; tag: string; role: "serving" | "former" | "canary" }[];
  operations: Operations;
  kept: Kept;
  look: Look;
}

const DURATIONS = "pbjrag_request_duration_seconds";
/** Seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** One histogram for each revision. The library's own class counts one observation at a time; these are counted already, which it takes as JSON. */
function durations(stack: string, totals: Kept["totals"]): object {
  const values = Object.entries(totals).flatMap(([revision, { latency }]) => {
    const times = classes(latency).map(([at, count]): [number, number] => [middleOf(at) / 1000, count]);
    const upTo = (limit: number): number => times.reduce((sum, [seconds, count]) => (seconds <= limit ? sum + count : sum), 0);
    const one = (suffix: string, value: number, labels: object = {}) => ({ metricName: `${DURATIONS}${suffix}`, value, labels: { stack, revision, ...labels } });
    return [
      ...BUCKETS.map((limit) => one("_bucket", upTo(limit), { le: limit })), one("_bucket", countOf(latency), { le: "+Inf" }),
      one("_sum", times.reduce((sum, [seconds, count]) => sum + seconds * count, 0)), one("_count", countOf(latency)),
    ];
  });
  return { name: DURATIONS, help: "From a GET's arrival until its answer began.", type: "histogram", aggregator: "sum", values };
}

/**
 * Counters begin with the measuring (`pbjrag_measured_since_timestamp_seconds`), those of a release that nobody has asked yet with 0. Names
 * are as Prometheus' guide has them: client_golang's promlint (1.23.2), by which `promtool check metrics` judges, has no remark.
 */
export async function prometheusText({ stack, releases, operations, kept, look }: Measured): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]): Gauge<"stack" | L> => new Gauge({ name, help, labelNames: ["stack", ...labelNames], registers });
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<"stack" | L> => new Counter({ name, help, labelNames: ["stack", ...labelNames], registers });

  gauge("pbjrag_measured_since_timestamp_seconds", "When the counters began.", []).set({ stack }, kept.since / 1000);
  const release = gauge("pbjrag_release_info", "Releases that have containers: the one that serves, the former one that is kept warm, a canary.", ["revision", "tag", "role"]);
  for (const { revision, tag, role } of releases) release.set({ stack, revision, tag, role }, 1);
  registerOperations(gauge, stack, operations);
  const requests = counter("pbjrag_requests_total", "Requests that have ended, websockets among them.", ["revision"]);
  const errors = counter("pbjrag_request_errors_total", "Requests that the release failed.", ["revision"]);
  const left = counter("pbjrag_requests_left_total", "Requests whose users went before there was an answer.", ["revision"]);
  const sockets = counter("pbjrag_websockets_failed_total", "Websockets that could not be opened.", ["revision"]);
  const lent = counter("pbjrag_page_parts_lent_total", "Parts of the page that the release asked first lacks and this one has: of its own tabs, without its cookie.", ["revision"]);
  const missing = counter("pbjrag_page_parts_missing_total", "Parts of the page that no release has: of tabs of a release that is gone.", ["revision"]);
  const totals: Kept["totals"] = { ...Object.fromEntries(releases.map(({ revision }) => [revision, NO_TRAFFIC])), ...kept.totals };
  for (const [revision, traffic] of Object.entries(totals)) {
    const labels = { stack, revision };
    requests.inc(labels, traffic.requests);
    errors.inc(labels, traffic.errors);
    left.inc(labels, traffic.left);
    sockets.inc(labels, traffic.socketsFailed);
    lent.inc(labels, traffic.partsLent);
    missing.inc(labels, traffic.partsMissing);
  }
  const open = gauge("pbjrag_sessions_open", "Open websockets, those on old workers of the proxy too.", ["revision"]);
  for (const [revision, number] of Object.entries(look.open)) open.set({ stack, revision }, number);
  const cpu = counter("pbjrag_container_cpu_seconds_total", "CPU since the container's start.", ["container", "role", "revision"]);
  const memory = gauge("pbjrag_container_memory_bytes", "Memory without what the kernel can take back.", ["container", "role", "revision"]);
  const limit = gauge("pbjrag_container_memory_limit_bytes", "Its limit.", ["container", "role", "revision"]);
  for (const use of look.uses) {
    const labels = { stack, container: use.container, role: use.role, revision: use.revision };
    cpu.inc(labels, use.cpuSeconds);
    memory.set(labels, use.memory);
    limit.set(labels, use.limit);
  }
  for (const [name, value] of Object.entries(look.qdrant)) {
    const [metric, help] = [`pbjrag_qdrant_${name}`, "As Qdrant tells it, summed over its labels."];
    if (name.endsWith("_total")) counter(metric, help, []).inc({ stack }, value);
    else gauge(metric, help, []).set({ stack }, value);
  }
  return `${await registry.metrics()}\n${await AggregatorRegistry.aggregate([[durations(stack, totals)]]).metrics()}`;
}
