/** A canary that nobody uses, judged by synthetic sessions of a real Streamlit app. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JudgeTold } from "../../components/canary/model.js";
import { requestsToPass } from "../../components/judge/needed.js";
import { lastLook } from "../support/judged.js";
import { createProject, type Project } from "../support/project.js";
import { mustRun } from "../support/processes.js";
import { assertNoChange } from "../support/preview.js";
import type { Ended } from "../support/processes.js";

const SESSIONS = 20;
/** 10 runs a second of each release: the stated 268 take 27 s. */
const DURATION = "40s";

describe("e2e: a canary's synthetic sessions", function () {
  this.timeout(600_000);
  let project: Project;

  before(async () => {
    project = await createProject("synth", { config: { canary: { duration: DURATION, synthetic: SESSIONS }, watch: { for: "0s" } } });
    await commit("v4.0.0", "pass");
    await commit("v4.1.0", "import random\nif random.random() < 0.05: raise RuntimeError('one in twenty')");
    await commit("v4.2.0", "import time\ntime.sleep(0.15)");
    assert.equal((await project.script("deploy", ["--version", "v3.0.0", "--yes"])).exitCode, 0);
  });
  after(() => project.remove());

  /** A release of the sample app whose script does something more. */
  async function commit(tag: string, code: string): Promise<void> {
    const dir = join(project.dir, ".release", "sample-app");
    const git = (...args: string[]): Promise<unknown> => mustRun("git", ["-c", "user.name=t", "-c", "user.email=t@t.invalid", ...args], { cwd: dir });
    await git("checkout", "--quiet", "v3.0.0");
    const app = join(dir, "webui", "app.py");
    writeFileSync(app, `${readFileSync(app, "utf8")}\n${code}\n`);
    const version = join(dir, "webui", "version.py");
    writeFileSync(version, readFileSync(version, "utf8").replace("v3.0.0", tag));
    await git("commit", "--quiet", "--all", "--message", tag);
    await git("tag", tag);
  }

  const tried = async (tag: string): Promise<Ended & { last: JudgeTold }> => {
    const seen = project.journal().length;
    const ended = await project.script("deploy", ["--version", tag, "--canary", "--yes"]);
    return { ...ended, last: lastLook(project.journal().slice(seen), ended.all) };
  };
  const failed = ({ last }: { last: JudgeTold }): string[] => last.findings.filter(({ result }) => result === "fail").map(({ test }) => test);

  it("promote one that is good, though no user came", async () => {
    const good = await tried("v4.0.0");
    assert.equal(good.exitCode, 0, good.all);
    assert.match(good.all, /CANARY v4\.0\.0/);
    const needed = requestsToPass(0.01, 50) ?? 0;
    assert.match(good.all, new RegExp(`or ${needed} runs of its script by synthetic sessions: ${SESSIONS} of them make about 400`));
    assert.match(good.all, /v4\.0\.0 is promoted: no worse than what serves: 0 of \d+ runs of the script by synthetic sessions failed/);
    const runs = good.last.findings.find(({ test }) => test === "syntheticErrors")?.samples;
    assert.ok(runs !== undefined && runs.canary >= needed && runs.stable >= needed, JSON.stringify(runs));
    assert.equal(good.last.findings.find(({ test }) => test === "errors")?.samples.canary, 0, "no user is made up");
    await assertNoChange(project);
  });

  it("find out one whose script raises in one run of twenty", async () => {
    const bad = await tried("v4.1.0");
    assert.equal(bad.exitCode, 3, bad.all);
    assert.ok(failed(bad).includes("syntheticErrors"), JSON.stringify(bad.last));
    await assertNoChange(project);
  });

  it("find out one whose script takes longer", async () => {
    const slow = await tried("v4.2.0");
    assert.equal(slow.exitCode, 3, slow.all);
    assert.deepEqual(failed(slow), ["syntheticSlower"]);
    await assertNoChange(project);
  });
});
