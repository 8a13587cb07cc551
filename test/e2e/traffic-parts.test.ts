/** Parts of the page of one version of Streamlit, asked of another: on a real HAProxy, with apps that answer as Streamlit does. */
import assert from "node:assert/strict";
import { docker } from "../../components/runtime/docker.js";
import { parseLines, tally } from "../../components/metrics/log-line.js";
import { cursorAt, readFresh } from "../../components/metrics/traffic-log.js";
import type { TrafficRevision } from "../../components/traffic/model.js";
import { rounds } from "../support/suite.js";
import { HOLDS, ProxyStack } from "../support/proxy-stack.js";
import { prepareFront } from "../../components/traffic/live.js";
import { waitFor } from "../support/wait.js";
import { ask, cookieOf, PAGE, type Answer } from "./traffic/client.js";

describe("parts of a page at the proxy", function () {
  this.timeout(180_000);
  let bench: ProxyStack;
  let old: TrafficRevision;
  let now: TrafficRevision;
  let tried: TrafficRevision;

  before(async () => {
    bench = await ProxyStack.open({ cpus: 1 });
    await prepareFront(bench.stack, HOLDS);
    [old, now, tried] = await Promise.all([bench.start("v1.0.0", 2, 8501, ["PARTS=old.js,same.js"]), bench.start("v2.0.0", 2, 8501, ["PARTS=new.js,same.js"]), bench.start("v3.0.0", 1, 8501, ["PARTS=try.js,same.js"])]);
  });
  after(() => bench.close());

  const of = ({ revision }: TrafficRevision): string => `pbjrag_release=${revision}~1`;
  const part = (name: string, cookie = "", more: Record<string, string> = {}, method = "GET"): Promise<Answer> =>
    ask(`${bench.url}/static/js/${name}`, { method, headers: { Accept: "*/*", ...(cookie === "" ? {} : { Cookie: cookie }), ...more } });
  const isFrom = (answer: Answer, name: string, { containers }: TrafficRevision): void => {
    assert.equal(answer.status, 200, answer.body);
    assert.ok(containers.some((container) => answer.body === `${name} of ${container}`), answer.body);
    assert.match(answer.headers["cache-control"] ?? "", /immutable/);
    assert.deepEqual(Object.keys(answer.headers).filter((header) => header.startsWith("x-release")), []);
  };
  const isMissing = (answer: Answer): void => assert.deepEqual([answer.status, answer.headers["cache-control"], answer.headers["content-type"], cookieOf(answer)], [404, "no-store", "text/plain", ""]);

  it("the page in the place of a part is none, also where one release runs alone", async () => {
    await bench.apply({ serving: now });
    isFrom(await part("new.js"), "new.js", now);
    isMissing(await part("old.js"));
    isMissing(await part("old.js", of(old)));
    const head = await part("old.js", "", {}, "HEAD");
    assert.deepEqual([head.status, head.body], [404, ""]);
    assert.equal((await part("new.js", "", {}, "HEAD")).status, 200);
  });

  it("each release that has containers is asked, whoever's cookie comes, and nobody is moved by that", async () => {
    await bench.apply({ serving: now, former: old });
    for (const cookie of ["", of(now), of(old)]) {
      isFrom(await part("new.js", cookie), "new.js", now);
      const lent = await part("old.js", cookie);
      isFrom(lent, "old.js", old);
      assert.equal(cookieOf(lent), "");
      isMissing(await part("none.js", cookie));
    }
    isFrom(await part("same.js", of(old)), "same.js", old);
    isFrom(await part("same.js"), "same.js", now);
    assert.equal((await part("old.js", of(now), {}, "HEAD")).status, 200);
  });

  it("a piece of the page, or word that the page has not changed, is no part either", async () => {
    isFrom(await part("old.js", of(now), { Range: "bytes=0-3" }), "old.js", old);
    isMissing(await part("none.js", "", { Range: "bytes=0-3" }));
    isFrom(await part("old.js", of(now), { "If-None-Match": '"page"' }), "old.js", old);
    isMissing(await part("none.js", "", { "If-None-Match": '"page"' }));
    assert.equal((await part("old.js", of(now), { "If-None-Match": '"old.js"' })).status, 304);
    assert.equal((await part("new.js", of(now), { "If-None-Match": '"new.js"' })).status, 304);
  });

  it("a release that a rollback left is asked for parts alone, and so is a canary without a share", async () => {
    await bench.apply({ serving: old, former: now, abandoned: true });
    isFrom(await part("new.js", of(now)), "new.js", now);
    isFrom(await part("new.js"), "new.js", now);
    assert.ok(old.containers.includes((await ask(`${bench.url}/`, { headers: { ...PAGE, Cookie: of(now) } })).by));
    assert.ok(old.containers.includes((await ask(`${bench.url}/media/x.png`, { headers: { Cookie: of(now) } })).by));
    await bench.apply({ serving: now, former: old, canary: { revision: tried, weight: 0 } });
    for (const cookie of ["", of(now), of(old), of(tried)]) {
      isFrom(await part("new.js", cookie), "new.js", now);
      isFrom(await part("old.js", cookie), "old.js", old);
      isFrom(await part("try.js", cookie), "try.js", tried);
      isMissing(await part("none.js", cookie));
    }
  });

  it("an app's own static files go by the cookie as ever, and its base path is followed", async () => {
    const based = await bench.start("v4.0.0", 1, 8501, ["PARTS=base.js"], "/rag/_stcore/health");
    await bench.apply({ serving: based, former: now });
    assert.equal((await ask(`${bench.url}/rag/app/static/x.html`)).by, based.containers[0]);
    const at = (path: string): Promise<Answer> => ask(`${bench.url}${path}`, {});
    isFrom(await at("/rag/static/js/base.js"), "base.js", based);
    isFrom(await at("/static/js/new.js"), "new.js", now);
    isMissing(await at("/rag/static/js/none.js"));
  });

  it("counts what was lent and what is missing, once each", async () => {
    await bench.apply({ serving: now, former: old });
    const since = Date.now();
    for (const name of ["old.js", "old.js", "none.js", "new.js", "same.js"]) await part(name, of(now));
    await ask(`${bench.url}/`, { method: "HEAD" });
    const sums = await waitFor("the log", async () => {
      const lines = parseLines((await readFresh(bench.stack, cursorAt(since))).texts);
      return lines.some(({ method }) => method === "HEAD") ? tally(lines.filter(({ method }) => method !== "HEAD")) : null;
    });
    const counts = ({ revision }: TrafficRevision) => [sums[revision]?.requests, sums[revision]?.partsLent, sums[revision]?.partsMissing, sums[revision]?.errors];
    assert.deepEqual([counts(now), counts(old)], [[3, 0, 1, 0], [2, 2, 0, 0]]);
  });

  it("a former release that is gone leaves its tabs what the serving one has", async () => {
    for (const container of old.containers) await docker().getContainer(container).remove({ force: true });
    await waitFor("it to count as down", async () => (await part("old.js", of(old))).status === 404, { withinMs: 20_000 });
    isFrom(await part("same.js", of(old)), "same.js", now);
  });

  it("moves back and forth while parts are loaded: none fails", async () => {
    const again = await bench.start("v5.0.0", 2, 8501, ["PARTS=old.js,same.js"]);
    await bench.apply({ serving: now, former: again });
    const failures: string[] = [];
    let going = true;
    let asked = 0;
    const load = Promise.all(Array.from({ length: 4 }, async (_, user) => {
      while (going) {
        const name = ["old.js", "new.js", "same.js"][asked++ % 3] ?? "";
        const answer = await part(name, [of(now), of(again), ""][user % 3]).catch((error: unknown) => ({ status: 0, body: String(error) }));
        if (answer.status !== 200 || !answer.body.startsWith(`${name} of `)) failures.push(`${name}: ${answer.status} ${answer.body.slice(0, 60)}`);
      }
    }));
    for (let at = 0; at < rounds(5, 20); at += 1) {
      await bench.apply(at % 2 === 0 ? { serving: again, former: now, abandoned: true } : { serving: now, former: again });
    }
    going = false;
    await load;
    process.stdout.write(`    ${asked} parts asked\n`);
    assert.deepEqual(failures, []);
    assert.ok(asked > 100);
  });
});
