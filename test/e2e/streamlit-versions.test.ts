/** From Streamlit 1.40 on Tornado to 1.67 on Starlette and back, under the load: a canary with synthetic sessions, the watch, the rollback. */
import assert from "node:assert/strict";
import { judgedRuns } from "../support/judged.js";
import { shownRelease } from "../support/app.js";
import { describeFailures, describeLoad, startLoad, type Load } from "../support/load.js";
import { mustRun } from "../support/processes.js";
import { createProject, type Project } from "../support/project.js";
import { containersOf } from "../support/docker.js";

/** 10 runs of the script a second on each of the two releases: the 268 that the judge wants take 27 s. */
const SESSIONS = 20;
const WATCH = { for: "20s", interval: "2s" };

describe("e2e: Streamlit, oldest to newest", function () {
  this.timeout(600_000);
  let project: Project;
  let load: Load | null = null;
  let broken = false;
  let backAt = Infinity;

  before(async () => {
    // Sessions of the release that is left are closed at a rollback, here after five seconds.
    project = await createProject("stlit", { config: { canary: { duration: "40s", synthetic: SESSIONS, weight: 50 }, watch: WATCH, drain: { onRollback: "5s" } } });
  });
  beforeEach(() => assert.ok(!broken, "a step before this one failed"));
  afterEach(function () {
    broken ||= this.currentTest?.state === "failed";
  });
  after(async () => {
    if (broken && load !== null) process.stdout.write(`${describeFailures(await load.stop())}\n`);
    load?.kill();
    await project?.remove();
  });

  /** Streamlit's version in the containers of a release that serves. */
  async function streamlitOf(tag: string): Promise<string[]> {
    const containers = (await containersOf(project.stack, "app")).filter(({ revision }) => revision.startsWith(`${tag}-`));
    const told = await Promise.all(containers.map(({ id }) => mustRun("docker", ["exec", id, "streamlit", "version"], { cwd: project.dir })));
    return [...new Set(told.map(({ stdout }) => stdout.trim()))];
  }

  it("serves the old one", async () => {
    const ended = await project.script("deploy", ["--version", "v2.9.0", "--no-watch", "--yes"]);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.deepEqual(await streamlitOf("v2.9.0"), ["Streamlit, version 1.40.0"]);
    load = await startLoad({ url: project.url, scriptHealth: false });
  });

  it("watches the old one", async () => {
    const ended = await project.script("watch", ["--for", WATCH.for]);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.all, /v2\.9\.0/);
  });

  it("tries the new one on half of the new users and by synthetic sessions on both servers, promotes and watches it", async () => {
    const seen = project.journal().length;
    const ended = await project.script("deploy", ["--version", "v3.0.0", "--canary", "--yes"]);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.deepEqual(await streamlitOf("v3.0.0"), ["Streamlit, version 1.67.0"]);
    assert.match(ended.all, /v3\.0\.0 is promoted: no worse than what serves: .*0 of \d+ runs of the script by synthetic sessions failed/);
    assert.match(ended.all, /v3\.0\.0: .*0 errors in its log/);
    const runs = judgedRuns(project.journal().slice(seen), ended.all);
    assert.ok(runs.canary >= 100 && runs.stable >= 100, JSON.stringify(runs));
    assert.equal((await shownRelease(project.url)).marker, "v3.0.0");
  });

  it("goes back to the old one, warm", async () => {
    backAt = Date.now();
    const ended = await project.script("rollback", ["--yes"]);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.equal((await shownRelease(project.url)).marker, "v2.9.0");
  });

  it("nobody had a failed request in all of it, and only sessions of the release that was left were closed", async () => {
    assert.ok(load !== null);
    const result = await load.stop();
    load = null;
    process.stdout.write(`      ${describeLoad(result)}\n`);
    assert.ok(result.valid, `only ${result.rate.reached} of the requests left in time`);
    assert.deepEqual([result.failed, result.failures, result.sessions.rerunFailures, result.sessions.connectProblems, result.sessions.down], [0, [], [], [], 0]);
    for (const cut of result.sessions.cuts) assert.ok(cut.release?.startsWith("v3.0.0-") === true && cut.at >= backAt, JSON.stringify(cut));
  });
});
