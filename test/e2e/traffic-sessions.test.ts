/** Who is on which release, told and ended on a real HAProxy, whose old workers hold them after a reload. */
import assert from "node:assert/strict";
import { stackNames } from "../../components/release/names.js";
import { reload } from "../../components/traffic/front-door.js";
import type { Applied } from "../../components/traffic/live.js";
import type { TrafficRevision, TrafficTable } from "../../components/traffic/model.js";
import { closeSessions, openSessions } from "../../components/traffic/sessions.js";
import { ProxyStack } from "../support/proxy-stack.js";
import { rounds } from "../support/suite.js";
import { waitFor } from "../support/wait.js";
import { connect } from "./traffic/client.js";

describe("sessions on a real HAProxy", function () {
  this.timeout(120_000);
  let bench: ProxyStack;
  let v2: TrafficRevision;
  let v3: TrafficRevision;

  before(async () => {
    ({ bench, v2, v3 } = await ProxyStack.withTwo());
  });
  after(() => bench.close());

  const apply = (parts: Partial<TrafficTable>): Promise<Applied> => bench.apply(parts);

  it("counts open sessions by release, on old workers as well, and closes those of one release", async () => {
    await apply({ serving: v2 });
    const old = await Promise.all([connect(bench.url), connect(bench.url), connect(bench.url)]);
    await apply({ serving: v3, former: v2 });
    const fresh = await Promise.all([connect(bench.url), connect(bench.url)]);
    const again = await connect(bench.url, `pbjrag_release=${v2.revision}~1`);
    const open = await openSessions(bench.stack);
    assert.deepEqual(open.byRevision, { [v2.revision]: 4, [v3.revision]: 2 });
    assert.ok(open.workers >= 2);
    assert.equal(await closeSessions(bench.stack, v2.revision), 4);
    await waitFor("the closed sessions to be told", () => [...old, again].every((user) => user.closed), { withinMs: 5000 });
    assert.deepEqual((await openSessions(bench.stack)).byRevision, { [v3.revision]: 2 });
    await Promise.all(fresh.map((user) => user.echo()));
    await Promise.all(fresh.map((user) => user.leave()));
  });

  it("counts them while the proxy is reloaded again and again", async () => {
    await apply({ serving: v3 });
    const users = await Promise.all([connect(bench.url), connect(bench.url)]);
    let over = false;
    const counted: unknown[] = [];
    const counting = [1, 2, 3].map(async () => {
      while (!over) counted.push((await openSessions(bench.stack)).byRevision);
    });
    try {
      for (let time = 0; time < rounds(10, 50); time += 1) {
        const before = counted.length;
        await reload(stackNames(bench.stack).proxyContainer);
        await Promise.race([Promise.all(counting), waitFor("them to be counted", () => counted.length >= before + 3)]);
      }
    } finally {
      over = true;
    }
    await Promise.all(counting);
    for (const one of counted) assert.deepEqual(one, { [v3.revision]: 2 });
    await Promise.all(users.map((user) => user.leave()));
  });

  it("closes more sessions than one conversation takes", async () => {
    await apply({ serving: v2 });
    const users = await Promise.all(Array.from({ length: 600 }, () => connect(bench.url)));
    await apply({ serving: v3, former: v2 });
    assert.equal((await openSessions(bench.stack)).byRevision[v2.revision], 600);
    assert.equal(await closeSessions(bench.stack, v2.revision), 600);
    await waitFor("all to be closed", () => users.every((user) => user.closed), { withinMs: 5000 });
    assert.deepEqual((await openSessions(bench.stack)).byRevision, {});
  });
});
