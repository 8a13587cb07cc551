/** Rows 23 and 24: one release at a time, and a lock that neither outlives its holder nor is taken from one that lives. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { startTimeOf, thisHost } from "../../components/runtime/liveness.js";
import { describeLock, type LockDescription } from "../../components/runtime/lock.js";
import { FileLockStore, type LockContent } from "../../components/runtime/lock-store.js";
import { containersOf } from "../support/docker.js";
import { footprint } from "../support/footprint.js";
import { type Ended, mustRun, start, type Running } from "../support/processes.js";
import { rounds } from "../support/suite.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";

const AT_ONCE = 20;
/** Answers nobody until the test says so: a release of it holds the lock for as long as is needed. */
const HELD = ["sh", "-c", "until [ -e /tmp/go ]; do sleep 0.1; done; exec python3 /app/app.py"];

describe("faults: the lock (rows 23, 24)", function () {
  this.timeout(3_600_000);
  let tiny: TinyStack;
  let releases = 0;
  before(async () => {
    tiny = await TinyStack.open("lock", { config: { gate: { passes: 1, interval: "100ms", deadline: "10m", requestTimeout: "5s" } } });
    await tiny.released(tag({ held: false }));
  });
  after(() => tiny.remove());

  /** Commits the next release. */
  function tag({ held = true } = {}): string {
    const name = `v1.${++releases}.0`;
    tiny.commit(name, held ? { command: HELD } : {});
    return name;
  }

  const lock = (): LockDescription => describeLock(tiny.project.paths) ?? assert.fail("there never was a lock");
  const underWay = (ended: Ended, holder: LockContent): void => {
    assert.equal(ended.exitCode, 6, ended.all);
    const words = `holds the lock since ${holder.startedAt}`;
    assert.ok(ended.lastLine.startsWith("ANOTHER RELEASE IS UNDER WAY (exit 6): "), ended.lastLine);
    assert.ok(ended.lastLine.includes(`run ${holder.run} (pid ${holder.pid} on ${holder.host}), ${words}`), ended.lastLine);
    assert.match(ended.lastLine, /Next: .*--wait/);
  };

  const inGate = (run: string): boolean => tiny.project.journal(run).some(({ phase, event }) => phase === "gate" && event === "start");

  /** Begins a release that stays in its gate until {@link letGo}. */
  async function hold(release: string): Promise<Running> {
    const { token } = lock();
    const running = tiny.project.startScript("deploy", ["--version", release]);
    await waitFor(`${release} in its gate`, () => lock().token > token && inGate(lock().holder.run), { withinMs: 120_000 });
    return running;
  }
  async function letGo(release: string): Promise<void> {
    const held = (await containersOf(tiny.project.stack, "app")).filter(({ revision }) => revision.startsWith(`${release}-`));
    assert.equal(held.length, 1);
    for (const { id } of held) await mustRun("docker", ["exec", id, "touch", "/tmp/go"], { cwd: "/" });
  }
  const serves = async (release: string): Promise<void> => {
    const { route } = await footprint(tiny.project);
    assert.ok(route?.serving?.startsWith(`${release}-`), JSON.stringify(route));
  };

  it(`row 23: of ${AT_ONCE} deploys at once one releases, the others end with 6 and touch nothing`, async () => {
    for (let round = 0; round < rounds(1, 50); round++) {
      const release = tag();
      const before = await footprint(tiny.project);
      const { token } = lock();
      const ended: Ended[] = [];
      const all = Array.from({ length: AT_ONCE }, () => tiny.project.startScript("deploy", ["--version", release]).ended.then((one) => ended.push(one)));
      await waitFor(`all but one to end (round ${round + 1})`, () => ended.length === AT_ONCE - 1, { withinMs: 300_000 });
      const winner = lock();
      assert.deepEqual([winner.token, winner.state], [token + 1, "alive"]);
      ended.forEach((one) => underWay(one, winner.holder));
      await waitFor(`${release} in its gate`, () => inGate(winner.holder.run), { withinMs: 120_000 });
      assert.deepEqual((await footprint(tiny.project)).route, before.route);
      await letGo(release);
      await Promise.all(all);
      const last = ended.at(-1);
      assert.equal(last?.exitCode, 0, last?.all);
      assert.match(last?.lastLine ?? "", new RegExp(`^DONE \\(exit 0\\): ${release} serves`));
      assert.deepEqual([lock().token, lock().state], [token + 1, "released"]);
      await serves(release);
    }
  });

  it("row 24: a holder that is frozen is not dead; one that was killed is, and who waited goes on from there", async () => {
    const release = tag();
    const running = await hold(release);
    const { token, holder } = lock();
    const before = await footprint(tiny.project);
    process.kill(holder.pid, "SIGSTOP");
    try {
      underWay(await tiny.deploy(release), holder);
      underWay(await tiny.project.script("rollback"), holder);
      const patient = await tiny.deploy(release, ["--wait", "2s"]);
      underWay(patient, holder);
      assert.ok(patient.tookMs >= 2000, `it waited ${patient.tookMs} ms`);
      assert.match(patient.all, /waiting for deploy \(pid \d+, since /);
      assert.match((await tiny.project.script("status")).all, new RegExp(`^lock +deploy, run ${holder.run} `, "m"));
      assert.deepEqual([lock().token, lock().state], [token, "alive"]);
      assert.deepEqual((await footprint(tiny.project)).route, before.route);
    } finally {
      process.kill(holder.pid, "SIGCONT");
    }
    let said = "";
    const waiting = tiny.project.startScript("deploy", ["--version", release, "--wait", "10m"], { onOutput: (text) => { said += text; } });
    await waitFor("the second to wait", () => said.includes("waiting for deploy"), { withinMs: 60_000 });
    running.killTree();
    await running.ended;
    await letGo(release);
    const ended = await waiting.ended;
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.lastLine, new RegExp(`^DONE \\(exit 0\\): ${release} serves`));
    assert.deepEqual([lock().token, lock().state], [token + 1, "released"]);
    const recovered = tiny.project.journal(lock().holder.run).filter(({ phase }) => phase === "recover").map(({ message }) => message);
    assert.ok(recovered.includes(`took over from ${holder.run}`), recovered.join("\n"));
    await serves(release);
  });

  it("row 24: a lock with the number of a process that lives is taken only if that began at another time; the process is left alone", async () => {
    const release = `v1.${releases}.0`;
    const sleeper = start("sleep", ["3600"], { cwd: "/", timeoutMs: 3_600_000 });
    try {
      const at = new Date().toISOString();
      const began = startTimeOf(sleeper.pid) ?? assert.fail("it does not run");
      const content: LockContent = { run: "deploy-forged", command: "deploy", ...thisHost(), pid: sleeper.pid, startTime: began, startedAt: at, heartbeatAt: at, released: false };
      const store = new FileLockStore(tiny.project.paths.lock);
      const token = lock().token + 1;
      assert.ok(await store.create(token, content));
      const before = await footprint(tiny.project);
      underWay(await tiny.deploy(release), content);
      assert.deepEqual(await footprint(tiny.project), before);

      await store.replace(token, { ...content, startTime: began - 1 });
      assert.equal(lock().state, "dead");
      await tiny.released(release);
      assert.deepEqual([lock().token, lock().state], [token + 1, "released"]);
      assert.equal(startTimeOf(sleeper.pid), began);
    } finally {
      sleeper.killTree();
      await sleeper.ended;
    }
  });

  it("a pulumi of somebody else that begins meanwhile goes first: exit 6, its lock stays, what serves is untouched", async () => {
    const release = tag({ held: false });
    const before = await footprint(tiny.project);
    const file = join(tiny.project.paths.state, ".pulumi/locks/organization/pbjrag", tiny.project.stack, "somebody.json");
    // This process stands for it: it lives, and is older than the lock.
    const content = JSON.stringify({ pid: process.pid, username: "somebody", hostname: hostname(), timestamp: new Date().toISOString() });
    const begin = (text: string): void => {
      if (!text.includes("preview: ") || existsSync(file)) return;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    };
    const ended = await tiny.project.startScript("deploy", ["--version", release], { onOutput: begin }).ended;
    assert.equal(ended.exitCode, 6, ended.all);
    assert.match(ended.lastLine, new RegExp(`^ANOTHER RELEASE IS UNDER WAY \\(exit 6\\): .*a pulumi that these scripts did not start \\(pid ${process.pid}\\)`));
    assert.equal(readFileSync(file, "utf8"), content);
    rmSync(file);
    assert.deepEqual(await footprint(tiny.project), before);
    await tiny.released(release);
  });
});
