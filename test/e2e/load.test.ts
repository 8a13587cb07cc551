/** The load generator itself: what it must see, it sees, so that "0 failed" elsewhere means something. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadResult } from "../load/result.js";
import { shownRelease } from "../support/app.js";
import { ensureBrowser, look } from "../support/browser.js";
import { startFakeApp, type FakeApp } from "../support/fake-app.js";
import { assertClean, describeLoad, startLoad, type Load } from "../support/load.js";
import { freePort, stackName } from "../support/names.js";
import { mustRun, run } from "../support/processes.js";
import { LIGHT_APP, ROOT } from "../support/project.js";
import { waitFor } from "../support/wait.js";

describe("load generator", function () {
  this.timeout(60_000);
  let app: FakeApp;
  let load: Load | null = null;

  beforeEach(async () => {
    app = await startFakeApp();
  });
  afterEach(async () => {
    load?.kill();
    load = null;
    await app.kill();
  });

  /** Runs the load; in its midst `disturb` happens. */
  async function under(disturb: () => Promise<void> | void, seconds = 4): Promise<LoadResult> {
    load = await startLoad({ url: app.url, seconds, rate: 50, sessions: 6, reloading: 1 });
    await sleep(1000);
    await disturb();
    const result = await load.stop();
    process.stdout.write(`      ${describeLoad(result)}\n`);
    return result;
  }
  const reasons = (result: LoadResult): string => result.failures.map(({ reason }) => reason).join("\n");

  it("finds nothing wrong with a healthy app", async () => {
    const result = await under(() => undefined);
    assertClean(result);
    assert.equal(result.sent, 200);
    assert.deepEqual(Object.values(result.byKind).map(({ sent }) => sent), [80, 80, 30, 10]);
    assert.equal(result.sessions.kept, 6);
    assert.ok(result.sessions.reruns >= 18, `${result.sessions.reruns} reruns`);
    assert.deepEqual(Object.keys(result.releases.byCookie), ["v1.0.0-aaaaaaaa"]);
    assert.deepEqual(Object.keys(result.releases.byMarker), ["v1.0.0"]);
  });

  it("loads pages like a browser: as HTML, some as new users, others with their cookies", async () => {
    await under(() => undefined);
    assert.ok([...app.acceptOfPages].every((accept) => accept.startsWith("text/html,")));
    const fresh = app.pageCookies.slice(-60).filter((cookies) => cookies === "").length;
    assert.ok(fresh >= 15 && fresh <= 30, `${fresh} of 60 page loads were by new users`);
  });

  it("sees a server that is killed and comes back", async () => {
    const result = await under(async () => {
      await app.kill();
      await sleep(1000);
      await app.revive();
    });
    assert.match(reasons(result), /connection error: ECONN/);
    assert.ok(result.failed >= 33, `${result.failed} failed`);
    assert.ok(result.longestGapMs >= 900 && result.longestGapMs < 3000, `gap ${result.longestGapMs} ms`);
    assert.equal(result.sessions.kept, 0);
    assert.ok(result.sessions.cut >= 6 && result.sessions.reconnected >= 6 && result.sessions.down === 0);
    assert.ok(!result.clean && result.valid);
  });

  it("sees error answers", async () => {
    const result = await under(() => {
      app.behaviour.pageStatus = 503;
    });
    assert.match(reasons(result), /^status 503 \(gone\)/);
    assert.equal(result.byKind.asset.failed, 0);
    assert.ok(result.byKind.page.failed > 40, `${result.byKind.page.failed} failed`);
  });

  it("sees a wrong body under a right status", async () => {
    const result = await under(() => {
      app.behaviour.wrongAsset = true;
    });
    assert.match(reasons(result), /wrong body: an asset unlike the first/);
    assert.equal(result.failed, result.byKind.asset.failed);
  });

  it("charges a stalled server for every request that was due meanwhile", async () => {
    const result = await under(async () => {
      app.behaviour.delayMs = 7000;
      await sleep(2000);
      app.behaviour.delayMs = 0;
    }, 5);
    assert.match(reasons(result), /no answer in time \(5 s\)/);
    // Each request of the two seconds had no answer in 5 s.
    assert.ok(result.failed >= 75 && result.failed <= 110, `${result.failed} failed`);
    assert.ok(result.latency.max >= 4990 && result.latency.max < 5080, `max ${result.latency.max} ms`);
    assert.ok(result.sessions.rerunsFailed >= 5, `${result.sessions.rerunsFailed} reruns failed`);
  });

  it("counts latency from the scheduled moment, and slow answers as answers", async () => {
    const result = await under(() => {
      app.behaviour.delayMs = 400;
    });
    assert.equal(result.failed, 0);
    assert.ok(result.latency.p99 >= 400 && result.latency.p99 < 700, `p99 ${result.latency.p99} ms`);
    assertClean(result);
  });

  it("counts cut sessions, and reconnects them as a browser does", async () => {
    const result = await under(() => app.cutSessions());
    assert.equal(result.sessions.cut, 6);
    assert.equal(result.sessions.kept, 0);
    assert.equal(result.sessions.reconnected, 6);
    assert.ok(result.sessions.longestReconnectMs < 1000, `${result.sessions.longestReconnectMs} ms`);
    assert.equal(result.failed, 0);
    assert.equal(result.sessions.cuts[0]?.release, "v1.0.0-aaaaaaaa");
    assert.ok(!result.clean);
  });

  it("sees a script that raises though its run ends well", async () => {
    const result = await under(() => {
      app.behaviour.scriptRaises = true;
    });
    assert.match(result.sessions.rerunFailures[0]?.reason ?? "", /the script raised RuntimeError/);
    assert.match(reasons(result), /status 503 \(error\)/);
  });

  it("tells when new users get another release", async () => {
    let switched = 0;
    const result = await under(() => {
      app.behaviour.release = "v2.0.0-bbbbbbbb";
      switched = Date.now();
    });
    const [first, second] = result.releases.moves;
    assert.equal(first?.to, "v1.0.0-aaaaaaaa");
    assert.equal(second?.to, "v2.0.0-bbbbbbbb");
    assert.ok(Math.abs((second?.at ?? 0) - switched) < 500);
  });

  it("ends at a signal and leaves nothing open", async () => {
    load = await startLoad({ url: app.url, rate: 50, sessions: 3 });
    await sleep(1200);
    const result = await load.stop();
    assertClean(result);
    assert.ok(result.seconds >= 1 && result.seconds < 4, `${result.seconds} s`);
    await waitFor("the sessions to be closed", () => app.openSessions() === 0, { withinMs: 3000 });
  });
});

describe("load generator on a real Streamlit", function () {
  this.timeout(300_000);
  const name = stackName("load");
  const image = `pbjrag-${name}:v2.9.0`;
  const cwd = ROOT;
  let url = "";
  const docker = (...args: string[]): ReturnType<typeof mustRun> => mustRun("docker", args, { cwd });

  before(async () => {
    await mustRun("sh", ["-c", `git -C .release/sample-app archive v2.9.0 | docker build -q -t ${image} -`], { cwd, timeoutMs: 280_000 });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    await docker("network", "create", name);
    await docker("run", "-d", "--name", `${name}-qdrant`, "--network", name, "qdrant/qdrant:v1.19.0");
    const env = Object.entries({ ...LIGHT_APP, STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED: "true", QDRANT_HOST: `${name}-qdrant` });
    await docker(
      "run", "-d", "--name", `${name}-app`, "--network", name, "--memory", "512m", "-p", `127.0.0.1:${port}:8501`,
      ...env.flatMap(([key, value]) => ["-e", `${key}=${value}`]), image,
    );
    await waitFor("the script to run", async () => (await (await fetch(`${url}/_stcore/script-health-check`)).text()) === "ok", { withinMs: 60_000 });
  });
  after(async () => {
    await run("docker", ["rm", "-f", "-v", `${name}-app`, `${name}-qdrant`], { cwd });
    await run("docker", ["network", "rm", name], { cwd });
    await run("docker", ["rmi", image], { cwd });
  });

  it("reaches 100 requests per second and 20 sessions without a failure", async () => {
    const load = await startLoad({ url, seconds: 15 });
    const result = await load.stop();
    process.stdout.write(`      ${describeLoad(result)}\n`);
    assertClean(result);
    assert.equal(result.sent, 1500);
    assert.equal(result.sessions.kept, 20);
    assert.ok(result.sessions.reruns >= 200, `${result.sessions.reruns} reruns`);
    assert.ok((result.releases.byMarker["v2.9.0"]?.count ?? 0) >= 200);
    assert.equal((await shownRelease(url)).marker, "v2.9.0");
  });

  it("sees the container killed and back again", async () => {
    const load = await startLoad({ url, rate: 50, sessions: 5, seconds: 15 });
    try {
      await sleep(1000);
      await docker("kill", `${name}-app`);
      await docker("start", `${name}-app`);
      const result = await load.stop();
      process.stdout.write(`      ${describeLoad(result)}\n`);
      assert.ok(result.valid && result.failed > 10);
      assert.equal(result.sessions.cut, 5);
      assert.equal(result.sessions.kept, 0);
      assert.equal(result.sessions.down, 0);
    } finally {
      load.kill();
    }
  });

  it("is what a browser sees as well", async () => {
    await ensureBrowser();
    const shown = await look(url, ["Release: v2.9.0"], join(ROOT, ".release", "screenshots", "load.png"));
    assert.match(shown.title, /PBJRAG/);
    assert.deepEqual(shown.problems, []);
  });
});
