import assert from "node:assert/strict";
import { request } from "node:http";
import { applyTable, prepareFront, readLive } from "../../components/traffic/live.js";
import { endPause, extendPause, pauseLeft, pauseWrites, refusedSince, resumeWrites, whilePaused } from "../../components/traffic/freeze.js";
import { previewHeaders, type TrafficRevision } from "../../components/traffic/model.js";
import { openSessions } from "../../components/traffic/sessions.js";
import { fullOnly } from "../support/suite.js";
import { waitFor } from "../support/wait.js";
import { ProxyStack } from "../support/proxy-stack.js";
import { type Answer, ask, connect, PAGE } from "./traffic/client.js";

const MINUTE = 60_000;

describe("e2e: a pause of writes on a real HAProxy", function () {
  this.timeout(120_000);
  let bench: ProxyStack;
  let v3: TrafficRevision;
  const holds = { assertHolds: () => undefined };

  before(async () => {
    bench = await ProxyStack.open();
    await prepareFront(bench.stack, holds);
    v3 = await bench.start("v3.0.0");
    await applyTable(bench.stack, bench.table({ seq: 1, serving: v3 }), holds);
  });
  afterEach(() => resumeWrites(bench.stack, holds));
  after(() => bench.close());

  const send = (method: string, headers: Record<string, string> = {}): Promise<Answer> => ask(`${bench.url}/x`, { method, headers, ...(method === "PUT" || method === "POST" ? { body: "x" } : {}) });

  it("row 15: refuses what changes something and closes websockets, serves pages, and counts what it refused", async () => {
    const users = await Promise.all([connect(bench.url), connect(bench.url), connect(bench.url)]);
    const paused = await pauseWrites(bench.stack, { ...holds, leaseMs: MINUTE });
    assert.deepEqual([paused.closed, paused.ended], [3, 0]);
    await waitFor("all websockets to be closed", () => users.every((user) => user.closed), { withinMs: 5000 });
    assert.deepEqual((await openSessions(bench.stack)).byRevision, {});
    assert.equal((await ask(bench.url, { headers: PAGE })).status, 200);
    for (const method of ["GET", "HEAD"]) assert.equal((await send(method)).status, 200, method);
    for (const method of ["PUT", "POST", "DELETE", "PATCH"]) {
      const refused = await send(method);
      assert.deepEqual([refused.status, refused.headers["retry-after"], refused.by], [503, "2", ""], method);
    }
    await assert.rejects(connect(bench.url), /503/);
    await waitFor("five refusals in the log", async () => (await refusedSince(bench.stack, paused.from)) === 5);
    const { previewKey } = (await readLive(bench.stack)) ?? assert.fail();
    assert.equal((await send("PUT", previewHeaders(previewKey, v3.containers[0] ?? "", v3.port))).status, 200, "who looks at a candidate is no user");
    assert.equal(await resumeWrites(bench.stack, holds), true);
    assert.equal((await send("PUT")).status, 200);
    await (await connect(bench.url)).leave();
    assert.equal(await resumeWrites(bench.stack, holds), false);
  });

  it("ends by itself, as nobody may be there to end it, and is not gone on from then", async () => {
    await pauseWrites(bench.stack, { ...holds, leaseMs: 4000 });
    await extendPause(bench.stack, { ...holds, leaseMs: 4000 });
    assert.equal((await send("PUT")).status, 503);
    await waitFor("the lease to end", async () => (await send("PUT")).status === 200, { withinMs: 15_000 });
    const { table } = (await readLive(bench.stack)) ?? assert.fail();
    assert.equal(pauseLeft(table), 0);
    await assert.rejects(extendPause(bench.stack, { ...holds, leaseMs: MINUTE }), /the pause of writes on .* is over/);
  });

  it("lasts while one step after another is within it, and ends where one of them fails", async () => {
    const step = { ...holds, leaseMs: 6000 };
    const until = async (): Promise<number> => (await readLive(bench.stack))?.table.frozenUntil ?? 0;
    await assert.rejects(whilePaused(bench.stack, step, () => Promise.resolve()), /the pause of writes on .* is over/);
    await pauseWrites(bench.stack, step);
    const first = await until();
    const renewed = (): Promise<boolean> => waitFor("two renewals", async () => (await until()) >= first + 4, { withinMs: 30_000 });
    assert.equal(await whilePaused(bench.stack, step, renewed), true);
    assert.equal((await send("PUT")).status, 503, "who comes next goes on from it");
    await assert.rejects(whilePaused(bench.stack, step, () => Promise.reject(new Error("it broke"))), /it broke/);
    assert.equal((await send("PUT")).status, 200);
    await pauseWrites(bench.stack, { ...holds, leaseMs: MINUTE });
    await endPause(bench.stack, holds);
    assert.equal((await send("PUT")).status, 200);
    await assert.rejects(endPause(bench.stack, holds), /the pause of writes on .* is over/);
  });

  it("row 16: waits for a write that came before it", async () => {
    const upload = slowly(bench.url);
    await waitFor("the upload to be under way", () => upload.begun());
    let settled = false;
    const pausing = pauseWrites(bench.stack, { ...holds, leaseMs: MINUTE }).finally(() => (settled = true));
    await waitFor("new writes to be refused", async () => (await send("PUT")).status === 503);
    assert.equal(settled, false, "it would be in neither copy of the data");
    assert.equal(await upload.finish(), 200);
    assert.equal((await pausing).ended, 0);
  });

  fullOnly(() => {
    it("ends a request that does not end", async () => {
      const upload = slowly(bench.url);
      await waitFor("the upload to be under way", () => upload.begun());
      const failed = assert.rejects(upload.answer);
      assert.equal((await pauseWrites(bench.stack, { ...holds, leaseMs: MINUTE })).ended, 1);
      await failed;
    });
  });
});

/** An upload whose last byte is sent when one says so. */
function slowly(url: string): { begun(): boolean; finish(): Promise<number>; answer: Promise<number> } {
  const sent = request(`${url}/slow`, { method: "PUT", headers: { "Content-Length": "200000" }, agent: false });
  let begun = false;
  const answer = new Promise<number>((resolve, reject) => {
    sent.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on("error", reject);
  });
  answer.catch(() => undefined);
  sent.write("x".repeat(199_999), () => (begun = true));
  return {
    begun: () => begun,
    finish: () => {
      sent.end("x");
      return answer;
    },
    answer,
  };
}
