/** What is measured against what was really sent: no request is lost or counted twice, whatever the proxy goes through. */
import assert from "node:assert/strict";
import { FAULTY_APP } from "../support/faulty-app.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, connect, PAGE, stream } from "./traffic/client.js";

/** Value of a sample, by its name and revision. */
type Samples = Map<string, number>;

describe("e2e: metrics", function () {
  this.timeout(900_000);
  let tiny: TinyStack;

  before(async () => {
    tiny = await TinyStack.open("metric");
    tiny.commit("v1.0.0", { app: FAULTY_APP });
    tiny.commit("v2.0.0");
    await tiny.released("v1.0.0");
    // From now on it is counted.
    await samples();
  });
  after(() => tiny?.remove());

  async function samples(): Promise<Samples> {
    const ended = await tiny.project.script("status", ["--prometheus"]);
    assert.equal(ended.exitCode, 0, ended.all);
    const found: Samples = new Map();
    for (const [, name = "", labels = "", value = ""] of ended.stdout.matchAll(/^(pbjrag_\w+)\{([^}]*)\} (\S+)$/gm)) {
      assert.match(labels, new RegExp(`stack="${tiny.project.stack}"`));
      const tag = /revision="(v[\d.]+)-[0-9a-f]{8}"/.exec(labels)?.[1] ?? "";
      const [, limit = ""] = /(?:^|,)le="([^"]*)"/.exec(labels) ?? [];
      found.set([name, tag, limit].filter((part) => part !== "").join(" "), Number(value));
    }
    return found;
  }
  /** When the proxy has written the line of the last of them. */
  const counted = (tag: string, requests: number): Promise<Samples> =>
    waitFor(`${requests} requests of ${tag}`, async () => {
      const now = await samples();
      return (now.get(`pbjrag_requests_total ${tag}`) ?? 0) >= requests ? now : null;
    }, { withinMs: 60_000 });
  async function send(count: number, path: string, how: Parameters<typeof ask>[1] = { headers: PAGE }): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => ask(`${tiny.project.url}${path}`, how)));
  }

  it("counts of each release as many requests, errors and answer times as there were", async () => {
    await send(100, "/");
    await send(7, "/status/500");
    await send(3, "/status/404");
    await send(20, "/_stcore/upload_file/x", { method: "PUT", body: "x".repeat(2000) });
    const now = await counted("v1.0.0", 130);
    const of = (name: string): number | undefined => now.get(`${name} v1.0.0`);
    assert.deepEqual(
      { requests: of("pbjrag_requests_total"), errors: of("pbjrag_request_errors_total"), left: of("pbjrag_requests_left_total"), times: of("pbjrag_request_duration_seconds_count"), upTo60s: now.get("pbjrag_request_duration_seconds_bucket v1.0.0 60") },
      { requests: 130, errors: 7, left: 0, times: 103, upTo60s: 103 },
    );
    assert.ok((now.get("pbjrag_container_memory_bytes v1.0.0") ?? 0) > 1_000_000);
    assert.equal(now.get("pbjrag_container_memory_limit_bytes v1.0.0"), 64 * 1024 * 1024);
  });

  it("loses none over a release, and tells sessions that are open", async () => {
    const users = stream(tiny.project.url, 30, false);
    await tiny.released("v2.0.0");
    await users.stop();
    assert.deepEqual(users.failures, []);
    const sessions = await Promise.all([1, 2, 3].map(() => connect(tiny.project.url)));
    const open = await samples();
    assert.equal(open.get("pbjrag_sessions_open v2.0.0"), 3);
    await Promise.all(sessions.map((session) => session.leave()));
    const total = (now: Samples): number => (now.get("pbjrag_requests_total v1.0.0") ?? 0) + (now.get("pbjrag_requests_total v2.0.0") ?? 0);
    const all = 130 + users.sent + sessions.length;
    const now = await waitFor("the last lines of the log", async () => {
      const found = await samples();
      return total(found) >= all ? found : null;
    }, { withinMs: 60_000 });
    assert.equal(total(now), all);
    assert.ok((now.get("pbjrag_requests_total v2.0.0") ?? 0) > sessions.length);
    assert.deepEqual([now.get("pbjrag_request_errors_total v1.0.0"), now.get("pbjrag_request_errors_total v2.0.0"), now.get("pbjrag_sessions_open v2.0.0") ?? 0], [7, 0, 0]);
    assert.equal(now.get("pbjrag_release_info v2.0.0"), 1);
  });

  it("tells the same of the last minute", async () => {
    await send(10, "/");
    await counted("v2.0.0", 10);
    const ended = await tiny.project.script("status", ["--json"]);
    const { traffic } = JSON.parse(ended.stdout.slice(ended.stdout.indexOf("{"))) as { traffic: Record<string, { requests: number; errors: number; p50: number; p99: number }> };
    const [, now = { requests: 0, errors: 1, p50: 0, p99: 0 }] = Object.entries(traffic).find(([revision]) => revision.startsWith("v2.0.0-")) ?? [];
    assert.ok(now.requests >= 10 && now.errors === 0 && now.p50 > 0 && now.p99 >= now.p50, JSON.stringify(traffic));
  });
});
