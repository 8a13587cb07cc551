/** Canaries under real traffic: users stick, shares hold, and a canary is promoted, given up, held, or left by a kill. */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { requestsToPass } from "../../components/judge/needed.js";
import type { JournalEvent } from "../../components/runtime/journal.js";
import { endAbandoned, setShare } from "../../components/traffic/canary.js";
import { applyTable, prepareFront, readLive } from "../../components/traffic/live.js";
import type { TrafficRevision } from "../../components/traffic/model.js";
import { containersOf } from "../support/docker.js";
import { lastLook } from "../support/judged.js";
import { assertNoChange } from "../support/preview.js";
import type { Ended } from "../support/processes.js";
import { ProxyStack } from "../support/proxy-stack.js";
import { fullOnly } from "../support/suite.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, connect, cookieOf, PAGE, stream, type Stream } from "./traffic/client.js";

const holds = { assertHolds: () => undefined };

describe("e2e: users of a canary", function () {
  this.timeout(180_000);
  let bench: ProxyStack;
  let stable: TrafficRevision;
  let canary: TrafficRevision;
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const users: { cookie: string; on: string }[] = [];

  before(async () => {
    bench = await ProxyStack.open({ cpus: 1 });
    await prepareFront(bench.stack, holds);
    [stable, canary] = await Promise.all([bench.start("v1.0.0", 1), bench.start("v2.0.0", 1)]);
    await applyTable(bench.stack, bench.table({ seq: 1, serving: stable, canary: { revision: canary, weight: 10 } }), holds);
  });
  after(async () => {
    agent.destroy();
    await bench.close();
  });

  const page = async (cookie = ""): Promise<{ cookie: string; on: string }> => {
    const answer = await ask(`${bench.url}/`, { headers: { ...PAGE, ...(cookie === "" ? {} : { Cookie: cookie }) }, agent });
    assert.equal(answer.status, 200);
    return { cookie: cookieOf(answer) || cookie, on: answer.by };
  };
  const part = async (cookie: string): Promise<string> => (await ask(`${bench.url}/_stcore/media/x.png`, { headers: { Cookie: cookie }, agent })).by;
  /** A few at a time, in order. */
  const each = async <T>(work: (user: { cookie: string; on: string }) => Promise<T>): Promise<T[]> => {
    const results: T[] = [];
    for (let at = 0; at < users.length; at += 8) results.push(...(await Promise.all(users.slice(at, at + 8).map(work))));
    return results;
  };
  const onCanary = (names: readonly string[]): number => names.filter((name) => canary.containers.includes(name)).length;

  it("1,000 new ones: the canary's are a tenth, within the bounds of chance", async () => {
    for (let at = 0; at < 1000; at += 8) users.push(...(await Promise.all(Array.from({ length: Math.min(8, 1000 - at) }, () => page()))));
    assert.equal(users.length, 1000);
    assert.ok(users.every(({ cookie }) => cookie !== ""));
    // Four standard deviations of a binomial distribution, 9.49 each: chance goes beyond it once in 16,000 runs.
    const count = onCanary(users.map(({ on }) => on));
    assert.ok(Math.abs(count - 100) <= 38, `${count} of 1000 are on the canary`);
  });

  it("none of them changes release by a page, a part of it, or a websocket; nor by another share, which is a reload", async () => {
    await each(async ({ cookie, on }) => assert.equal((await page(cookie)).on, on));
    await setShare(bench.stack, canary.revision, { weight: 50, leaseMs: 60_000 }, holds);
    await each(async ({ cookie, on }) => {
      assert.equal((await page(cookie)).on, on);
      assert.equal(await part(cookie), on);
    });
    for (const user of users.slice(0, 40)) {
      const socket = await connect(bench.url, user.cookie);
      assert.equal(socket.by, user.on);
      await socket.leave();
    }
  });

  it("who has no cookie gets parts and websockets from what serves: a page alone draws", async () => {
    for (let n = 0; n < 20; n += 1) assert.ok(stable.containers.includes(await part("")));
    const socket = await connect(bench.url);
    assert.ok(stable.containers.includes(socket.by));
    await socket.leave();
  });

  it("change release by the drain alone when it is promoted: the canary's stay, the others leave with their next page", async () => {
    await applyTable(bench.stack, bench.table({ seq: 2, serving: canary, former: stable }), holds);
    await each(async ({ cookie, on }) => assert.equal(await part(cookie), on));
    assert.equal(onCanary((await each(({ cookie }) => page(cookie))).map(({ on }) => on)), 1000);
  });

  it("go back to what serves when its share is taken, or when a run is gone whose lease ends", async () => {
    const own = users.filter(({ on }) => canary.containers.includes(on));
    const share = (weight: number, leaseMs: number | null): Promise<void> => setShare(bench.stack, canary.revision, { weight, leaseMs }, holds);
    await applyTable(bench.stack, bench.table({ seq: 3, serving: stable, canary: { revision: canary, weight: 10 } }), holds);
    for (const { cookie } of own.slice(0, 20)) assert.ok(canary.containers.includes((await page(cookie)).on));
    await share(0, null);
    for (const { cookie } of own.slice(0, 20)) assert.ok(stable.containers.includes((await page(cookie)).on));
    await share(10, 3000);
    const [{ cookie = "" } = {}] = own;
    assert.ok(canary.containers.includes((await page(cookie)).on));
    await waitFor("the lease to end", async () => stable.containers.includes((await page(cookie)).on), { withinMs: 10_000 });
    assert.equal(await endAbandoned(bench.stack, holds), "v2.0.0");
    assert.equal((await readLive(bench.stack))?.table.canary?.weight, 0);
    assert.equal(await endAbandoned(bench.stack, holds), null, "once");
  });
});

/** Requests a second, all page loads of new users. */
const RATE = 50;
/** At a tenth of them the stated evidence takes 54 s; a host that is busy has its time as well. */
const DURATION = "70s";

describe("e2e: a canary", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  let load: Stream | null = null;

  before(async () => {
    tiny = await TinyStack.open("canary", { config: { canary: { duration: "2s" } } });
    tiny.commit("v1.0.0", { dockerfile: ["ENV DELAY_MS=40"] });
    ["v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0"].forEach((tag) => tiny.commit(tag, { dockerfile: ["ENV DELAY_MS=40"] }));
    tiny.commit("v2.0.0", { dockerfile: ["ENV DELAY_MS=40", "ENV FAIL=5"] });
    tiny.commit("v2.1.0", { dockerfile: ["ENV DELAY_MS=100"] });
    await tiny.released("v1.0.0");
    await tiny.fill();
  });
  afterEach(async () => {
    await load?.stop();
    load = null;
  });
  after(() => tiny.remove());

  const idsOf = async (tag: string): Promise<string[]> => (await containersOf(tiny.project.stack, "app")).filter(({ revision }) => revision.startsWith(`${tag}-`)).map(({ id, state }) => `${id} ${state}`).sort();
  const told = (seen: number): JournalEvent[] => tiny.project.journal().slice(seen).filter(({ phase }) => phase === "judge");
  const serves = async (): Promise<string> => (await readLive(tiny.project.stack))?.table.serving?.tag ?? "";
  const ended = (one: Ended, exitCode: number, says: RegExp): void => {
    assert.equal(one.exitCode, exitCode, one.all);
    assert.match(one.lastLine, says);
  };
  /** What a failed, stopped or killed canary must have left: nothing. */
  const assertGone = async (tag: string): Promise<void> => {
    assert.deepEqual(await idsOf(tag), []);
    assert.equal((await readLive(tiny.project.stack))?.table.canary, undefined);
    await assertNoChange(tiny.project);
  };
  const configure = (canary: object): Promise<void> => tiny.configure({ version: "v1.0.0", canary });

  it("that nobody uses ends as not enough evidence, is held beside what serves, and is promoted as it is by hand", async () => {
    const held = await tiny.deploy("v1.1.0", ["--canary"]);
    ended(held, 5, /v1\.1\.0 keeps 10 % of new users beside v1\.0\.0: not enough evidence: no requests to compare: 0 of the canary, 0 of what serves; 268 requests to the canary would decide/);
    assert.match(held.all, /CANARY v1\.1\.0 .* beside v1\.0\.0: 10 % of new users/);
    assert.match(held.all, /to pass it needs 268 requests/);
    assert.equal(await serves(), "v1.0.0");
    const { revision, weight, until } = (await readLive(tiny.project.stack))?.table.canary ?? assert.fail("nothing is tried");
    assert.deepEqual([revision.tag, weight, until], ["v1.1.0", 10, undefined]);
    assert.match((await tiny.project.script("status")).all, /canary {6}v1\.1\.0 \(v1\.1\.0-[0-9a-f]{8}\), 10 % of new users/);
    ended(await tiny.project.script("finish"), 2, /a canary is tried: v1\.1\.0/);
    const [backup = ""] = tiny.backups();
    ended(await tiny.project.script("restore", [backup, "--yes"]), 2, /a canary is tried: v1\.1\.0/);
    const before = await idsOf("v1.1.0");
    assert.equal(before.length, 1);
    await tiny.released("v1.1.0");
    assert.deepEqual(await idsOf("v1.1.0"), before, "its containers stay as they are");
    assert.equal(await serves(), "v1.1.0");
    await assertNoChange(tiny.project);
    ended(await tiny.project.script("rollback"), 0, /v1\.0\.0 serves/);
    await assertNoChange(tiny.project);
  });

  it("is refused where it serves already, was left by a rollback, or its shares mean nothing", async () => {
    ended(await tiny.deploy("v1.0.0", ["--canary"]), 2, /v1\.0\.0 serves already/);
    ended(await tiny.deploy("v1.1.0", ["--canary"]), 2, /v1\.1\.0 was released here and left by a rollback/);
    ended(await tiny.deploy("v1.2.0", ["--canary=60"]), 2, /canary\.weight/);
    ended(await tiny.deploy("v1.2.0", ["--canary", "--dry-run"]), 0, /nothing was touched/);
    assert.equal(await serves(), "v1.0.0");
  });

  fullOnly(() => {
    it("that is good, under 50 requests a second, is promoted by the same command, as it is", async () => {
      await configure({ duration: DURATION });
      load = stream(tiny.project.url, RATE, false);
      let tried: string[] = [];
      const running = await tiny.deployUntil("v1.2.0", ({ phase, event }) => phase === "judge" && event === "start", {}, ["--canary"]);
      tried = await idsOf("v1.2.0");
      ended(await running.ended, 0, /^DONE \(exit 0\): v1\.2\.0 serves/);
      assert.deepEqual(await idsOf("v1.2.0"), tried);
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.deepEqual([...load.by].sort(), ["v1.0.0", "v1.2.0"]);
      await assertNoChange(tiny.project);
      ended(await tiny.project.script("rollback"), 0, /v1\.0\.0 serves/);
    });

    it("of whose requests 5 % fail is found out within the evidence that was stated, and nobody is sent to it any more", async () => {
      await configure({ duration: DURATION });
      load = stream(tiny.project.url, RATE, false);
      const seen = tiny.project.journal().length;
      ended(await tiny.deploy("v2.0.0", ["--canary"]), 3, /v2\.0\.0 .* failed as a canary, nobody is sent to it any more: worse than what serves: \d+ of \d+ requests failed/);
      const { verdict, findings } = lastLook(told(seen));
      const errors = findings.find(({ test }) => test === "errors");
      assert.deepEqual([verdict, errors?.result], ["fail", "fail"]);
      // Its look is at a moment, not at a number of requests: one look's worth may come on top.
      const stated = requestsToPass(0.01, 10) ?? 0;
      assert.ok((errors?.samples.canary ?? Infinity) <= stated * 1.3, `${errors?.samples.canary} requests, ${stated} stated`);
      const after = load.failures.length;
      assert.ok(after > 0 && after < 60, `${after} users met an error`);
      assert.equal(await serves(), "v1.0.0");
      await assertGone("v2.0.0");
      assert.equal(load.failures.length, after, "nobody after that");
    });

    it("that is twice as slow fails on latency", async () => {
      await configure({ duration: DURATION });
      load = stream(tiny.project.url, RATE, false);
      const seen = tiny.project.journal().length;
      ended(await tiny.deploy("v2.1.0", ["--canary"]), 3, /v2\.1\.0 .* failed as a canary.*: worse than what serves: half of \d+ pages within/);
      assert.deepEqual(lastLook(told(seen)).findings.filter(({ result }) => result === "fail").map(({ test }) => test), ["slower"]);
      await load.stop();
      assert.deepEqual(load.failures, []);
      await assertGone("v2.1.0");
    });

    it("goes step by step where it is told to", async () => {
      await configure({ duration: "3s", onInsufficient: "promote" });
      const seen = tiny.project.journal().length;
      ended(await tiny.deploy("v1.4.0", ["--canary=10,25,50"]), 0, /v1\.4\.0 serves/);
      const shares = told(seen).flatMap(({ event, data }) => (event === "info" && typeof data?.["weight"] === "number" ? [data["weight"]] : []));
      assert.deepEqual([...new Set(shares)], [10, 25, 50]);
      ended(await tiny.project.script("rollback"), 0, /v1\.0\.0 serves/);
    });

    it("has no users when its run is stopped, and the next command just works", async () => {
      await configure({ duration: "10m" });
      const running = await tiny.deployUntil("v1.3.0", ({ phase, data }) => phase === "judge" && data?.["weight"] === 10, {}, ["--canary"]);
      running.signal("SIGINT");
      ended(await running.ended, 130, /INTERRUPTED/);
      await assertGone("v1.3.0");
      assert.equal(await serves(), "v1.0.0");
    });

    it("has no users after a kill -9 of its run and the next command, whatever that is", async () => {
      await configure({ duration: "10m" });
      for (const next of ["deploy", "canary"] as const) {
        const running = await tiny.deployUntil("v1.3.0", ({ phase, data }) => phase === "judge" && data?.["weight"] === 10, {}, ["--canary"]);
        running.killTree();
        await running.ended;
        assert.equal((await readLive(tiny.project.stack))?.table.canary?.weight, 10);
        if (next === "canary") await configure({ duration: "1s" });
        const done = next === "deploy" ? await tiny.deploy("v1.0.0") : await tiny.deploy("v1.3.0", ["--canary"]);
        assert.match(done.all, /nobody is sent to the canary v1\.3\.0 any more/);
        if (next === "deploy") {
          ended(done, 0, /v1\.0\.0/);
          await assertGone("v1.3.0");
        } else ended(done, 5, /v1\.3\.0 keeps 10 % of new users/);
      }
      ended(await tiny.deploy("v1.0.0"), 0, /v1\.0\.0/);
      await assertGone("v1.3.0");
    });

    it("works with plain Pulumi: a key of config tries it, `version` promotes it, and a rollback takes no canary", async () => {
      const up = async (exitCode = 0): Promise<string> => {
        const { exitCode: code, all } = await tiny.project.pulumi(["up", "--yes", "--skip-preview"]);
        assert.equal(code === 0 ? 0 : 1, exitCode, all);
        return all;
      };
      await tiny.configure({ version: "v1.0.0", canary: { version: "v1.3.0", duration: "1s" } });
      await up();
      const tried = await idsOf("v1.3.0");
      assert.equal(tried.length, 1);
      assert.equal((await readLive(tiny.project.stack))?.table.canary?.weight, 10);
      await tiny.configure({ version: "v1.3.0", canary: { version: "v1.3.0", duration: "1s" } });
      await up();
      assert.deepEqual(await idsOf("v1.3.0"), tried);
      assert.equal(await serves(), "v1.3.0");
      await assertNoChange(tiny.project);
      const seen = tiny.project.journal().length;
      ended(await tiny.project.script("rollback"), 0, /v1\.0\.0 serves/);
      assert.deepEqual(told(seen), []);
      await assertNoChange(tiny.project);
    });

    it("that is worse fails a plain `pulumi up` as well, with its share taken first", async () => {
      await tiny.configure({ version: "v1.0.0", canary: { version: "v2.1.0", duration: "20s", weight: 50 } });
      load = stream(tiny.project.url, RATE, false);
      const { exitCode, all } = await tiny.project.pulumi(["up", "--yes", "--skip-preview"]);
      assert.notEqual(exitCode, 0, all);
      assert.equal((await readLive(tiny.project.stack))?.table.canary?.weight, 0);
      await tiny.configure({ version: "v1.0.0" });
      assert.equal((await tiny.project.pulumi(["up", "--yes", "--skip-preview"])).exitCode, 0);
      await assertGone("v2.1.0");
    });
  });
});
