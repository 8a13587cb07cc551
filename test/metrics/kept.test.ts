import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { histogramOf } from "../../components/metrics/histogram.js";
import { bounded, keep, type Kept, nothingKept, readKept, SLOTS, writeKept } from "../../components/metrics/kept.js";
import type { Look } from "../../components/metrics/look.js";
import { prometheusText } from "../../components/metrics/prometheus.js";
import { parseMetrics } from "../../components/metrics/qdrant.js";
import type { ContainerUse } from "../../components/metrics/resources.js";
import { NO_TRAFFIC } from "../../components/metrics/traffic.js";
import { cursorAt } from "../../components/metrics/traffic-log.js";
import { dataPaths } from "../../components/runtime/paths.js";

const T0 = Date.parse("2026-01-01T12:00:00Z");
const use = (container: string, cpuSeconds: number, memory: number, revision = "v1-a"): ContainerUse => ({ container, role: "app", revision, cpuSeconds, memory, limit: 1000 });
const look = (at: number, parts: Partial<Look> = {}): Look => ({
  traffic: { "v1-a": { ...NO_TRAFFIC, requests: 10, errors: 1, latency: histogramOf([20, 30]) } },
  cursor: cursorAt(at), uses: [use("c1", at / 1000, 500), use("c2", at / 1000, 700)], open: { "v1-a": 3 }, qdrant: {}, ...parts,
});
/** After so many looks, ten seconds apart. */
function after(looks: number): Kept {
  let kept = nothingKept(T0, cursorAt(T0));
  for (let n = 1; n <= looks; n++) kept = keep(kept, look(T0 + n * 10_000), T0 + n * 10_000);
  return kept;
}

describe("what is kept of measurements", () => {
  it("is sums and a series", () => {
    const kept = after(3);
    assert.deepEqual(kept.totals, { "v1-a": { ...NO_TRAFFIC, requests: 30, errors: 3, latency: histogramOf([20, 20, 20, 30, 30, 30]) } });
    assert.deepEqual(kept.slots.map(({ from, to }) => [from - T0, to - T0]), [[0, 10_000], [10_000, 20_000], [20_000, 30_000]]);
    assert.deepEqual(kept.slots.map(({ memory, open, cores }) => [memory["v1-a"], open["v1-a"], cores["v1-a"]]), [[0.7, 3, 0], [0.7, 3, 2], [0.7, 3, 2]]);
    assert.equal(kept.cursor, cursorAt(T0 + 30_000));
  });

  it("takes a container that was started again for what it used since", () => {
    const kept = keep(after(2), look(T0 + 30_000, { uses: [use("c1", 4, 500)] }), T0 + 30_000);
    assert.equal(kept.slots.at(-1)?.cores["v1-a"], 0.4);
  });

  it("is of a bounded size, and loses no request by that", () => {
    const kept = after(SLOTS * 3);
    assert.ok(kept.slots.length <= SLOTS, String(kept.slots.length));
    const requests = kept.slots.reduce((sum, { traffic }) => sum + (traffic["v1-a"]?.requests ?? 0), 0);
    assert.deepEqual([requests, kept.totals["v1-a"]?.requests], [SLOTS * 30, SLOTS * 30]);
    kept.slots.forEach((slot, at) => assert.equal(slot.from, kept.slots[at - 1]?.to ?? T0));
    assert.ok(kept.slots.slice(-SLOTS / 2).every(({ from, to }) => to - from === 10_000), "the newest are as they were measured");
    assert.ok(JSON.stringify(kept).length < 300_000, String(JSON.stringify(kept).length));
  });

  it("joins two slots without losing what was seen in them", () => {
    const [first] = after(1).slots;
    assert.ok(first !== undefined);
    const slots = [{ ...first, failed: 2, reason: "it was down", logErrors: 3, cores: { "v1-a": 1 } }, { ...first, from: first.to, to: first.to + 30_000, memory: { "v1-a": 0.9 }, cores: { "v1-a": 2 } }];
    const [joined, ...others] = bounded([...slots, ...slots], 3);
    assert.equal(others.length, 3);
    const [two] = bounded([...slots, ...slots, ...slots], 5);
    assert.deepEqual([two?.failed, two?.reason, two?.logErrors, two?.memory["v1-a"], two?.cores["v1-a"], two?.traffic["v1-a"]?.requests], [2, "it was down", 3, 0.9, 1.75, 20]);
    assert.equal(joined?.to, first.to);
  });

  it("forgets the sums of revisions that are long gone", () => {
    let kept = after(1);
    for (let n = 0; n < 30; n++) {
      const revision = `v2-${n}`;
      kept = keep(kept, look(T0 + n * 1000, { traffic: { [revision]: { ...NO_TRAFFIC, requests: 1 } }, uses: [use("c1", 1, 1, "v1-a"), use("c3", 1, 1, revision)] }), T0 + 20_000 + n);
    }
    assert.ok(Object.keys(kept.totals).length <= 8);
    assert.ok("v1-a" in kept.totals && "v2-29" in kept.totals && !("v2-0" in kept.totals));
  });
});

describe("the file of measurements", () => {
  let dir = "";
  beforeEach(() => { dir = mkdtempSync(path.join(tmpdir(), "metrics-")); });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("is read back as it was, and taken for none when it is damaged", () => {
    const paths = dataPaths(dir, "t-metrics");
    assert.equal(readKept(paths), null);
    const kept = after(5);
    writeKept(paths, kept);
    assert.deepEqual(readKept(paths), kept);
    assert.equal(statSync(path.join(paths.run, "metrics.json")).mode & 0o777, 0o600);
    writeFileSync(path.join(paths.run, "metrics.json"), JSON.stringify(kept).slice(0, -20));
    assert.equal(readKept(paths), null);
  });

  it("does not go back to what was measured earlier", () => {
    const paths = dataPaths(dir, "t-metrics");
    writeKept(paths, after(5));
    writeKept(paths, after(2));
    assert.equal(readKept(paths)?.slots.length, 5);
  });
});

describe("Prometheus' text form", () => {
  it("has what is measured, with histograms that add up", async () => {
    const releases = [{ revision: "v1-a", tag: 'v1 "x"', role: "serving" as const }, { revision: "v0-b", tag: "v0", role: "former" as const }];
    const operations = {
      servingSince: 1764500000, backups: { count: 3, unusable: 1, proven: { at: 1764400000.5, bytes: 1024 } }, lastRun: { command: "deploy", exitCode: 3, endedAt: 1764500001 },
      frozen: true, locked: false, watching: true, met: ["errors"],
    };
    const text = await prometheusText({ stack: "prod", releases, operations, kept: after(3), look: look(T0, { qdrant: { collections: 2, rest_responses_total: 7 } }) });
    const lines = text.split("\n");
    for (const line of [
      "# TYPE pbjrag_requests_total counter",
      'pbjrag_requests_total{stack="prod",revision="v1-a"} 30',
      'pbjrag_request_errors_total{stack="prod",revision="v1-a"} 3',
      "# TYPE pbjrag_request_duration_seconds histogram",
      'pbjrag_request_duration_seconds_bucket{stack="prod",revision="v1-a",le="0.025"} 3',
      'pbjrag_request_duration_seconds_bucket{stack="prod",revision="v1-a",le="0.05"} 6',
      'pbjrag_request_duration_seconds_bucket{stack="prod",revision="v1-a",le="+Inf"} 6',
      'pbjrag_request_duration_seconds_count{stack="prod",revision="v1-a"} 6',
      'pbjrag_release_info{stack="prod",revision="v1-a",tag="v1 \\"x\\"",role="serving"} 1',
      'pbjrag_release_info{stack="prod",revision="v0-b",tag="v0",role="former"} 1',
      // Nobody has asked it yet: its series begin with 0, so that a rate is right from the first request.
      'pbjrag_requests_total{stack="prod",revision="v0-b"} 0',
      'pbjrag_request_duration_seconds_count{stack="prod",revision="v0-b"} 0',
      'pbjrag_release_serving_since_timestamp_seconds{stack="prod"} 1764500000',
      'pbjrag_backups{stack="prod"} 3',
      'pbjrag_backups_unusable{stack="prod"} 1',
      'pbjrag_backup_last_proven_timestamp_seconds{stack="prod"} 1764400000.5',
      'pbjrag_backup_last_proven_bytes{stack="prod"} 1024',
      'pbjrag_last_run_exit_code{stack="prod",command="deploy"} 3',
      'pbjrag_last_run_ended_timestamp_seconds{stack="prod",command="deploy"} 1764500001',
      'pbjrag_frozen{stack="prod"} 1',
      'pbjrag_locked{stack="prod"} 0',
      'pbjrag_watch_running{stack="prod"} 1',
      'pbjrag_watch_rule_met{stack="prod",rule="errors"} 1',
      'pbjrag_sessions_open{stack="prod",revision="v1-a"} 3',
      'pbjrag_container_memory_bytes{stack="prod",container="c2",role="app",revision="v1-a"} 700',
      "# TYPE pbjrag_qdrant_collections gauge",
      'pbjrag_qdrant_collections{stack="prod"} 2',
      "# TYPE pbjrag_qdrant_rest_responses_total counter",
      'pbjrag_qdrant_rest_responses_total{stack="prod"} 7',
    ]) assert.ok(lines.includes(line), `${line}\n is not in\n${text}`);
    const printed = lines.flatMap((line) => /^# TYPE (pbjrag_(?!qdrant_)\w+) (\w+)$/.exec(line)?.slice(1).join(" ") ?? []);
    const documented = [...readFileSync(path.join(__dirname, "../../../docs/metrics.md"), "utf8").matchAll(/^\| `(pbjrag_\w+)` \| (\w+) /gm)].map(([, name, type]) => `${name} ${type}`);
    assert.deepEqual(printed.sort(), documented.sort(), "docs/metrics.md lists what is printed");
    // Read back by the form's own grammar, as far as it is used.
    const counters = lines.flatMap((line) => /^# TYPE (\w+) counter$/.exec(line)?.[1] ?? []);
    assert.deepEqual(counters.filter((name) => !name.endsWith("_total")), [], "counters end in _total");
    const gauges = lines.flatMap((line) => /^# TYPE (\w+) gauge$/.exec(line)?.[1] ?? []);
    assert.deepEqual(gauges.filter((name) => /_(total|sum|count|bucket)$/.test(name)), [], "and nothing else does");
    for (const line of lines.filter((one) => one !== "")) assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="(\\.|[^"\\])*",?)+\})? [0-9.e+-]+)$/);
  });
});

describe("Qdrant's own metrics", () => {
  it("are summed over their labels, without the classes of histograms, by names that say what they are", () => {
    const text = [
      "# HELP collections_total number of collections", "# TYPE collections_total gauge", "collections_total 2", 'app_info{name="qdrant",version="1.19.0"} 1',
      'rest_responses_total{method="GET",endpoint="/",status="200"} 5', 'rest_responses_total{method="PUT",endpoint="/{x}",status="500"} 2 1767268800000',
      "# TYPE rest_responses_duration_seconds histogram", 'rest_responses_duration_seconds_bucket{le="0.1"} 7', "rest_responses_duration_seconds_sum 1.5e-2", "rest_responses_duration_seconds_count 7",
      "# TYPE memory_allocated_bytes gauge", "memory_allocated_bytes 3", "broken line here", "not_a_number NaN", "",
    ].join("\n");
    assert.deepEqual(parseMetrics(text), {
      collections: 2, app_info: 1, rest_responses_total: 7, rest_responses_duration_seconds_total: 0.015, rest_responses_duration_seconds_observations_total: 7, memory_allocated_bytes: 3,
    });
    assert.deepEqual(parseMetrics("<html>"), {});
  });

  it("are few, however many there are", () => {
    assert.equal(Object.keys(parseMetrics(Array.from({ length: 5000 }, (_, n) => `metric_${n} 1`).join("\n"))).length, 60);
  });
});
