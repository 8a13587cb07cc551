import assert from "node:assert/strict";
import { containersOf } from "../support/docker.js";
import { assertNoChange } from "../support/preview.js";
import type { Ended } from "../support/processes.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { connect, type User } from "./traffic/client.js";

/** What becomes of the former release and of who still uses it: kept warm, finished, or not kept at all. */
describe("e2e: the former release", function () {
  this.timeout(300_000);
  let tiny: TinyStack;

  before(async () => {
    tiny = await TinyStack.open("former");
    for (const tag of ["v1.0.0", "v2.0.0", "v3.0.0"]) tiny.commit(tag);
    await tiny.released("v1.0.0");
    await tiny.fill();
  });
  beforeEach(() => tiny.startProbes());
  after(() => tiny.remove());

  const tags = async (): Promise<string[]> => [...new Set((await containersOf(tiny.project.stack, "app")).map(({ revision }) => revision.split("-")[0] ?? ""))].sort();
  const done = (ended: Ended, says: RegExp): void => {
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.lastLine, says);
  };
  const user = (): Promise<User> => connect(tiny.project.url);
  const open = async (): Promise<number> => Object.values((JSON.parse((await tiny.project.script("status", ["--json"])).stdout) as { sessions: Record<string, number> }).sessions).reduce((a, b) => a + b, 0);

  it("stays with its users; finish waits for them up to the deadline, says how many were left, and removes it", async () => {
    const staying = await user();
    await tiny.released("v2.0.0");
    assert.deepEqual(await tags(), ["v1.0.0", "v2.0.0"]);
    await staying.echo();
    assert.equal(await open(), 1);
    done(await tiny.project.script("finish"), /^DONE \(exit 0\): v1\.0\.0 is removed \(1 session was still open on it\); v2\.0\.0 serves/);
    await waitFor("its session to end", () => staying.closed);
    assert.deepEqual(await tags(), ["v2.0.0"]);
    await assertNoChange(tiny.project);
    done(await tiny.project.script("finish"), /there is no former release to finish/);
    await tiny.answered("v1.0.0", "v2.0.0");
  });

  it("is started and gated again for a rollback once it has been finished", async () => {
    done(await tiny.project.script("rollback"), /^DONE \(exit 0\): v1\.0\.0 serves/);
    assert.deepEqual(await tags(), ["v1.0.0", "v2.0.0"]);
    await assertNoChange(tiny.project);
    await tiny.answered("v1.0.0", "v2.0.0");
  });

  it("is finished as soon as its last user has left", async () => {
    const leaving = await user();
    await tiny.released("v2.0.0");
    // The operator's key, so that what it says now counts, not what it said at the release.
    await tiny.configure({ version: "v2.0.0", drain: { deadline: "10m", onRollback: "0ms" } });
    const finish = tiny.project.startScript("finish");
    const wait = await waitFor("finish to wait", () => /waiting for 1 session on .*, at most (\d+) s/.exec(finish.output()), { withinMs: 60_000 });
    assert.ok(Number(wait[1]) > 500, wait[0]);
    await leaving.leave();
    done(await finish.ended, /\(no session was still open on it\)/);
    assert.deepEqual(await tags(), ["v2.0.0"]);
    await tiny.answered("v1.0.0", "v2.0.0");
  });

  it("is not kept where config says so: its users have until the deadline, and nobody loses a request", async () => {
    await tiny.configure({ keepWarm: false });
    const staying = await user();
    const ended = await tiny.released("v3.0.0");
    assert.match(ended.all, /at the deadline v2\.0\.0 has 1 session still/);
    await waitFor("its session to end", () => staying.closed);
    assert.deepEqual(await tags(), ["v3.0.0"]);
    await assertNoChange(tiny.project);
    done(await tiny.project.script("rollback"), /^DONE \(exit 0\): v2\.0\.0 serves/);
    assert.deepEqual(await tags(), ["v2.0.0"]);
    await tiny.answered("v2.0.0", "v3.0.0");
  });
});
