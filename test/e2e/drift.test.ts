/**
 * What people and other tools do to a stack behind Pulumi's back, by role, and what the next commands make of it. Users are served
 * throughout wherever what was done to the stack was not itself the outage.
 */
import assert from "node:assert/strict";
import Docker from "dockerode";
import type { Status } from "../../scripts/cli/status-model.js";
import { containersOf, dockerAnswers } from "../support/docker.js";
import { idOf, remake, removeNetwork } from "../support/meddle.js";
import { run, withEnvironment, type Ended } from "../support/processes.js";
import { fullOnly, suite } from "../support/suite.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, PAGE } from "./traffic/client.js";

describe("e2e: a stack that others changed", function () {
  this.timeout(1_200_000);
  const docker = new Docker();
  let tiny: TinyStack;
  let last = 2;
  const tag = (number: number): string => `v${number}.0.0`;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    tiny = await TinyStack.open("drift");
    for (const number of [1, 2]) {
      tiny.commit(tag(number));
      await tiny.released(tag(number));
      if (number === 1) await tiny.fill();
    }
  });
  after(() => tiny?.remove());

  const app = async (number: number): Promise<string> => (await containersOf(tiny.project.stack, "app")).find(({ revision }) => revision.startsWith(tag(number)))?.name ?? assert.fail(`${tag(number)} has no container`);
  const qdrant = (): string => tiny.names.qdrantContainer("0");
  const proxy = (): string => tiny.names.proxyContainer;
  const served = (by: string): Promise<boolean> => waitFor(`${by} to answer`, async () => (await ask(tiny.project.url, { headers: PAGE })).by === by, { withinMs: 60_000 });
  const status = async (): Promise<Status> => JSON.parse((await tiny.project.script("status", ["--json"])).stdout) as Status;
  const ok = (ended: Ended): void => assert.equal(ended.exitCode, 0, ended.all);

  /** The commands that change nothing say it, and leave every container as it is. */
  async function told(says: RegExp, { backup = true } = {}): Promise<void> {
    const ids = async (): Promise<string[]> => (await docker.listContainers({ all: true, filters: { name: [`pbjrag-${tiny.project.stack}-`] } })).map(({ Id, Names, State }) => `${Id} ${Names.join()} ${State}`).sort();
    const before = await ids();
    assert.match((await status()).drift.join("\n"), says);
    const dry = await tiny.project.script("deploy", ["--version", tag(last), "--dry-run"]);
    assert.match(dry.all, says);
    assert.deepEqual(withEnvironment("PBJRAG_DATA_DIR", tiny.project.paths.dataDir), [], "something of the dry run goes on");
    if (backup) {
      const saved = await tiny.project.script("rollback", ["--backup-only"]);
      ok(saved);
      assert.match(saved.all, says);
    }
    assert.deepEqual(await ids(), before);
  }

  /** A release and the way back, with nobody left without an answer. */
  async function releases(says: RegExp, { probes = true } = {}): Promise<void> {
    const from = tag(last);
    last += 1;
    tiny.commit(tag(last));
    if (probes) tiny.startProbes();
    const released = await tiny.released(tag(last));
    assert.match(released.all, says);
    if (probes) await tiny.answered(from, tag(last));
    if (suite === "quick") return;
    tiny.startProbes();
    const back = await tiny.project.script("rollback");
    ok(back);
    assert.match(back.lastLine, new RegExp(`^DONE \\(exit 0\\): ${from.replaceAll(".", "\\.")} serves`));
    await served(from);
    ok(await tiny.project.script("rollback", [tag(last)]));
    await tiny.answered(from, tag(last));
    assert.deepEqual((await status()).drift, []);
    assert.equal((await status()).outcome, "healthy");
  }

  /** Refused by what changes the stack; the command that the refusal names is run as it is written, and then all is well. */
  async function refusedUntil(says: RegExp, { asks = true } = {}): Promise<void> {
    await told(says, { backup: false });
    let command = "";
    for (const [script, args] of [["deploy", ["--version", tag(last)]], ["rollback", []]] as const) {
      const ended = await tiny.project.script(script, args);
      assert.equal(ended.exitCode, 2, ended.all);
      assert.match(ended.lastLine, /^REFUSED, nothing touched \(exit 2\): Stack \S+ is not as it was left, nothing was touched: /);
      assert.match(ended.lastLine, says);
      command = /Next: (.+?), (then run again|which brings)/.exec(ended.lastLine)?.[1] ?? assert.fail(ended.lastLine);
    }
    const done = await run("bash", ["-c", command], { cwd: tiny.project.dir, env: tiny.project.env, timeoutMs: 300_000 });
    assert.equal(done.exitCode, 0, done.all);
    if (asks) await served(tag(last));
  }

  const remade = (role: string, name: () => Promise<string> | string, options: Parameters<typeof remake>[1] = {}): void => {
    it(`${role} made anew by another tool: taken over, never removed`, async () => {
      const container = await name();
      const id = await remake(container, options);
      await served(tag(last));
      tiny.startProbes();
      const says = new RegExp(`${container} \\(.+\\) was made anew by somebody else`);
      await told(says);
      await tiny.answered(tag(last));
      assert.equal(await idOf(container), id);
      await releases(says);
      assert.ok([id, null].includes(await idOf(container)));
      if (!container.includes("-app-")) assert.equal(await idOf(container), id);
    });
  };

  remade("the proxy", proxy);
  fullOnly(() => {
    remade("Qdrant", qdrant);
    remade("the app that serves", () => app(last));
    remade("the warm app", () => app(last - 1));
    remade("the proxy, without labels,", proxy, { labels: {} });

    it("the proxy made anew with another limit: told, with the command that sets it while it serves", async () => {
      await remake(proxy(), { memory: 96 * 1024 * 1024 });
      await served(tag(last));
      tiny.startProbes();
      const dry = await tiny.project.script("deploy", ["--version", tag(last), "--dry-run"]);
      const [, command] = /was made anew by somebody else with memory 96MiB instead of \d+MiB \((docker update .+?) sets the limits/.exec(dry.all) ?? assert.fail(dry.all);
      const done = await run("bash", ["-c", command ?? ""], { cwd: tiny.project.dir, env: tiny.project.env });
      assert.equal(done.exitCode, 0, done.all);
      assert.match((await status()).drift.join("\n"), /was made anew by somebody else; it is taken over as it is$/);
      await tiny.answered(tag(last));
      await releases(/was made anew by somebody else; it is taken over/);
    });

    for (const [role, name] of [["the proxy", proxy], ["Qdrant", qdrant], ["the app that serves", () => app(last)], ["the warm app", () => app(last - 1)]] as const) {
      it(`${role} removed: the next release makes it anew`, async () => {
        const container = await name();
        await docker.getContainer(container).remove({ force: true });
        const says = new RegExp(`${container} \\(.+\\) was removed by somebody else`);
        await told(says);
        await releases(says, { probes: role === "Qdrant" || role === "the warm app" });
      });

      it(`${role} renamed: it gets its name back`, async () => {
        const container = await name();
        const id = await idOf(container);
        await docker.getContainer(container).rename({ name: `${container}-old` });
        const says = new RegExp(`${container} \\(.+\\) was renamed to ${container}-old by somebody else`);
        await told(says);
        // The proxy finds the app by its name.
        await releases(says, { probes: role !== "the app that serves" });
        if (!container.includes("-app-")) assert.equal(await idOf(container), id);
      });
    }

    it("the proxy stopped, and paused: refused, with the command that starts it", async () => {
      await docker.getContainer(proxy()).stop();
      await refusedUntil(/is exited, so no user is served/);
      await releases(/DONE/);
      await docker.getContainer(proxy()).pause();
      await refusedUntil(/is paused, so no user is served/);
      await releases(/DONE/);
    });

    it("Qdrant stopped: the backup refuses, with the command that starts it", async () => {
      await docker.getContainer(qdrant()).stop();
      tiny.startProbes();
      const ended = await tiny.deploy(tag(last + 1));
      assert.equal(ended.exitCode, 2, ended.all);
      await docker.getContainer(qdrant()).start();
      await tiny.answered(tag(last));
      await releases(/DONE/);
    });

    for (const [role, name] of [["the proxy", proxy], ["Qdrant", qdrant]] as const) {
      it(`${role} taken from the network: refused, with the command that puts it back`, async () => {
        await docker.getNetwork(tiny.names.network).disconnect({ Container: name() });
        await refusedUntil(new RegExp(`${name()} \\(.+\\) is not on network ${tiny.names.network} any more`));
        await releases(/DONE/);
      });
    }

    it("the network removed: refused, with the commands that make it again; then it is taken over", async () => {
      await removeNetwork(tiny.names.network);
      await refusedUntil(new RegExp(`network ${tiny.names.network} was removed by somebody else`));
      await releases(/network .+ was made anew by somebody else; it is taken over as it is/);
    });

    it("Qdrant made anew without its volume: refused, with what brings the data back", async () => {
      const data = await tiny.data();
      await remake(qdrant(), { binds: [] });
      await refusedUntil(/was made anew by somebody else without volume/);
      await releases(/was removed by somebody else; it is made anew/);
      assert.deepEqual(await tiny.data(), data);
    });

    it("the proxy's container and volume removed: the next release makes both anew, with the route that was", async () => {
      await docker.getContainer(proxy()).remove({ force: true });
      await docker.getVolume(tiny.names.proxyVolume).remove();
      await releases(/the proxy's config\) was removed/, { probes: false });
    });

    it("Qdrant's container and volume removed: refused, with the command that brings the newest backup back", async () => {
      ok(await tiny.project.script("rollback", ["--backup-only"]));
      const { points } = await tiny.data();
      await docker.getContainer(qdrant()).remove({ force: true });
      await docker.getVolume(tiny.names.qdrantVolume("0")).remove();
      await refusedUntil(/volume .+ with users' data was removed by somebody else/);
      const generation = (await status()).data?.generation ?? "";
      assert.notEqual(generation, "0");
      assert.deepEqual((await tiny.data(generation)).points, points);
    });
  });
});
