import assert from "node:assert/strict";
import { docker } from "../../components/runtime/docker.js";
import { ReleaseError } from "../../components/runtime/errors.js";
import { readEvents, type JournalEvent } from "../../components/runtime/journal.js";
import { acquire } from "../../components/runtime/lock.js";
import { dataPaths, type DataPaths } from "../../components/runtime/paths.js";
import { handler as front, type FrontInputs } from "../../components/traffic/front/handler.js";
import { DEFAULT_OPTIONS } from "../../components/traffic/options.js";
import { applyTable, readLive } from "../../components/traffic/live.js";
import type { TrafficRevision, TrafficTable } from "../../components/traffic/model.js";
import { handler as route, type RouteInputs } from "../../components/traffic/route/handler.js";
import { openSessions } from "../../components/traffic/sessions.js";
import { waitFor } from "../support/wait.js";
import { ProxyStack } from "../support/proxy-stack.js";
import { assertCounted } from "../support/refused.js";
import { ask, connect, PAGE } from "./traffic/client.js";

describe("handlers of front and route", function () {
  this.timeout(60_000);
  let bench: ProxyStack;
  let v2: TrafficRevision;
  let v3: TrafficRevision;
  let paths: DataPaths;

  before(async () => {
    bench = await ProxyStack.open();
    paths = dataPaths(bench.dataDir, bench.stack);
    [v2, v3] = await Promise.all([bench.start("v2.9.0", 1), bench.start("v3.0.0", 1)]);
  });
  after(() => bench.close());

  const frontInputs = (): FrontInputs => ({ stack: bench.stack, proxyContainer: bench.names.proxyContainer, dataDir: bench.dataDir, options: DEFAULT_OPTIONS });
  const inputs = (table: Partial<TrafficTable>, parts: Partial<RouteInputs> = {}): RouteInputs => ({
    stack: bench.stack, table: bench.table(table), kind: "deploy", drain: { deadlineMs: 30_000, onRollbackMs: 500 }, keepWarm: true, dataDir: bench.dataDir, ...parts,
  });
  const servedBy = async (): Promise<string> => (await ask(bench.url, { headers: PAGE })).by;
  const sessionsTold = (): JournalEvent[] => readEvents(paths).filter(({ phase, event }) => phase === "sessions" && event === "info");
  const lastTold = (): string => sessionsTold().at(-1)?.message ?? "";

  it("front: prepares the proxy once, and again when another hand was at it or its container is new", async () => {
    assert.equal((await route.diff("x", { ...inputs({}), switchedAt: "", digest: "" }, inputs({}))).changes, true);
    const { outs } = await front.create(frontInputs());
    assert.deepEqual(outs, frontInputs());
    assert.deepEqual(await front.diff("x", outs, frontInputs()), { changes: false });
    assert.deepEqual(await front.diff("x", outs, { ...frontInputs(), dataDir: "/elsewhere" }), { changes: false });
    assert.deepEqual(await front.diff("x", outs, { ...frontInputs(), proxyContainer: "other" }), { changes: true });
    assert.deepEqual(readEvents(paths).map(({ phase, event }) => `${phase} ${event}`), ["front start", "front done"]);
  });

  it("route: moves, settles, and sees drift by the live proxy", async () => {
    const wanted = inputs({ seq: 1, serving: v2 });
    const { outs } = await route.create(wanted);
    assert.equal(await servedBy(), v2.containers[0]);
    assert.deepEqual(await route.diff("x", outs, wanted), { changes: false });
    assert.deepEqual(await route.diff("x", outs, { ...wanted, drain: { deadlineMs: 1, onRollbackMs: 1 } }), { changes: false });
    await applyTable(bench.stack, bench.table({ seq: 1, serving: v3 }), { assertHolds: () => undefined });
    assert.deepEqual(await route.diff("x", outs, wanted), { changes: true });
    await applyTable(bench.stack, bench.table({ seq: 1, serving: v2, rollbackTo: "x" }), { assertHolds: () => undefined });
    assert.deepEqual(await route.diff("x", outs, wanted), { changes: true });
    const repaired = await route.update("x", outs, wanted);
    assert.equal(await servedBy(), v2.containers[0]);
    assert.deepEqual(await route.diff("x", repaired, wanted), { changes: false });
    assert.deepEqual(await front.diff("x", frontInputs(), frontInputs()), { changes: false });
  });

  it("route: keeps the time of the switch when the command line has moved it already", async () => {
    const next = inputs({ seq: 2, serving: v3, former: v2 });
    const { switchedAt } = await applyTable(bench.stack, next.table, { assertHolds: () => undefined });
    const outs = await route.update("x", { ...next, switchedAt: "", digest: "" }, next);
    assert.equal(outs.switchedAt, switchedAt);
    assert.equal(outs.digest, (await readLive(bench.stack))?.digest);
  });

  it("route: after a rollback the abandoned release's sessions are closed when their grace is over", async () => {
    const user = await connect(bench.url);
    assert.equal(user.by, v3.containers[0]);
    const began = performance.now();
    const outs = await route.update("x", { ...inputs({}), switchedAt: "", digest: "" }, inputs({ seq: 3, serving: v2, former: v3, abandoned: true }, { kind: "rollback" }));
    assert.ok(performance.now() - began >= 500);
    await waitFor("the session to be closed", () => user.closed, { withinMs: 3000 });
    assert.equal(lastTold(), "1 session on v3.0.0 closed; they connect again to v2.9.0");
    assert.equal(await servedBy(), v2.containers[0]);
    assert.deepEqual(await route.diff("x", outs, inputs({ seq: 3, serving: v2, former: v3, abandoned: true }, { kind: "rollback" })), { changes: false });
  });

  it("route: where nothing is kept warm it returns when the former's users have left, who are served until then", async () => {
    const user = await connect(bench.url);
    assert.equal(user.by, v2.containers[0]);
    const wanted = inputs({ seq: 4, serving: v3 }, { keepWarm: false });
    const moving = route.update("x", { ...wanted, switchedAt: "", digest: "" }, wanted);
    await waitFor("the route to have moved", async () => (await servedBy()) === v3.containers[0]);
    const Cookie = `pbjrag_release=${v2.revision}~1`;
    assert.equal((await ask(`${bench.url}/media/x`, { headers: { Cookie } })).by, v2.containers[0]);
    await user.echo();
    await user.leave();
    const outs = await moving;
    assert.equal(lastTold(), "no session is open on v2.9.0");
    assert.equal((await ask(`${bench.url}/media/x`, { headers: { Cookie } })).by, v3.containers[0]);
    assert.deepEqual(await route.diff("x", outs, wanted), { changes: false });
  });

  it("route: tells how many were open at the deadline", async () => {
    const user = await connect(bench.url);
    const wanted = inputs({ seq: 5, serving: v2 }, { keepWarm: false, drain: { deadlineMs: 300, onRollbackMs: 0 } });
    await route.update("x", { ...wanted, switchedAt: "", digest: "" }, wanted);
    assert.equal(lastTold(), "at the deadline v3.0.0 has 1 session still, which will end with its containers");
    assert.deepEqual((await openSessions(bench.stack)).byRevision, { [v3.revision]: 1 });
    await user.leave();
  });

  it("route: touches nothing while another release is under way", async () => {
    const lock = await acquire({ paths, run: "other", command: "deploy" });
    try {
      const before = (await readLive(bench.stack))?.digest;
      const wanted = inputs({ seq: 6, serving: v3 });
      await assert.rejects(route.update("x", { ...wanted, switchedAt: "", digest: "" }, wanted), (error) => error instanceof ReleaseError && error.code === "lockHeld");
      assert.equal((await readLive(bench.stack))?.digest, before);
      const last = readEvents(paths).at(-1);
      assert.deepEqual([last?.phase, last?.event], ["route", "failed"]);
    } finally {
      await lock.release();
    }
  });

  it("route: moving to other data pauses writes, closes the sessions that are left before it moves, and serves every page", async () => {
    const serving = { seq: 20, serving: v2 };
    await route.create(inputs(serving));
    const user = await connect(bench.url);
    const writes: number[] = [];
    let writing = true;
    const writer = (async () => {
      while (writing) writes.push((await ask(`${bench.url}/_stcore/upload_file/x`, { method: "PUT", body: "x" })).status);
    })();
    const pages: number[] = [];
    const reader = (async () => {
      while (writing) pages.push((await ask(bench.url, { headers: PAGE })).status);
    })();
    const leaving = { qdrant: "pbjrag-none", generation: "0", backup: "pre-deploy-20260101-120000", counts: { a: 1 }, paused: null };
    await route.update("x", { ...inputs({}), switchedAt: "", digest: "" }, inputs({ seq: 21, serving: { ...v3, generation: "r1" }, former: v2, abandoned: true }, { leaving }));
    writing = false;
    await Promise.all([writer, reader]);
    assert.ok(user.closed);
    assert.equal(await servedBy(), v3.containers[0]);
    assert.equal((await ask(`${bench.url}/_stcore/upload_file/x`, { method: "PUT", body: "x" })).status, 200, "writes go on");
    assert.deepEqual([...new Set(pages)], [200]);
    assert.deepEqual([...new Set(writes)].filter((status) => status !== 200 && status !== 503), []);
    const told = readEvents(paths).filter(({ phase, event }) => phase === "route" && event === "info");
    const pause = told.at(-1);
    assert.match(pause?.message ?? "", /^writes were paused for \d+ ms: 1 websocket closed, at least \d+ requests? refused$/);
    assertCounted(Number(pause?.data?.refused), writes.filter((status) => status === 503).length);
    assert.match(told.at(-2)?.message ?? "", /could not be counted: Container pbjrag-none is not there/);
  });

  it("route: where the move to other data fails, users write on to where they were", async () => {
    const before = (await readLive(bench.stack))?.table;
    const wrong = inputs({ seq: 22, serving: { ...v2, containers: ["elsewhere"] } });
    await assert.rejects(route.update("x", { ...inputs({}), switchedAt: "", digest: "" }, wrong));
    assert.deepEqual((await readLive(bench.stack))?.table, before);
    assert.equal((await ask(`${bench.url}/_stcore/upload_file/x`, { method: "PUT", body: "x" })).status, 200);
  });

  it("the proxy serves the same after it was restarted, and its volume outlives the container", async () => {
    const seen = async (): Promise<unknown> => ({ ...(await readLive(bench.stack)), look: null });
    const before = await seen();
    const by = await servedBy();
    await docker().getContainer(bench.names.proxyContainer).stop({ t: 1 });
    assert.deepEqual(await seen(), Object.assign({}, before, { digest: null, fileServed: false, controlUrl: bench.url }));
    await docker().getContainer(bench.names.proxyContainer).start();
    await waitFor("the proxy to serve", async () => (await servedBy()) === by, { withinMs: 10_000 });
    assert.deepEqual(await seen(), before);
  });

  it("both: a proxy that is gone is seen, is told in words, and hinders no removal", async () => {
    await docker().getContainer(bench.names.proxyContainer).remove({ force: true });
    assert.equal(await readLive(bench.stack), null);
    assert.deepEqual(await openSessions(bench.stack), { byRevision: {}, workers: 0 });
    const wanted = inputs({ seq: 6, serving: v3 });
    assert.deepEqual(await front.diff("x", frontInputs(), frontInputs()), { changes: true });
    assert.deepEqual(await route.diff("x", { ...wanted, switchedAt: "", digest: "" }, wanted), { changes: true });
    await assert.rejects(front.create(frontInputs()), /The front door could not be prepared.*is not there/);
    await assert.rejects(route.create(wanted), /Traffic was not moved.*is not there/);
    await front.remove?.("x", frontInputs());
    await route.remove?.("x", { ...wanted, switchedAt: "", digest: "" });
  });
});
