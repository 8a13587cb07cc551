/** The front door's faults, seen from `scripts/deploy.sh`. Reloads under load and what HAProxy refuses are in traffic as well. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import path from "node:path";
import { docker, inspect } from "../../components/runtime/docker.js";
import { readLive } from "../../components/traffic/live.js";
import { containersOf, dockerAnswers, keptFor } from "../support/docker.js";
import { freePort } from "../support/names.js";
import type { Ended } from "../support/processes.js";
import { fullOnly, suite } from "../support/suite.js";
import { type Before, TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, connect, PAGE } from "./traffic/client.js";

describe("e2e: faults of the front door", function () {
  this.timeout(300_000);
  let tiny: TinyStack;
  let was: Before;
  let serving = "v1.0.0";
  let last = 1;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    tiny = await TinyStack.open("proxy", { config: { app: { replicas: 2, cpus: 0.5, memory: "64MiB", health: { path: "/health", script: "" } } } });
    tiny.commit(serving);
  });

  after(() => tiny?.remove());

  function nextTag(): string {
    last += 1;
    tiny.commit(`v${last}.0.0`);
    return `v${last}.0.0`;
  }

  async function untouched(): Promise<void> {
    await tiny.answered(serving);
    await tiny.assertAsBefore(was);
  }

  async function goesThrough(tag: string): Promise<void> {
    const before = serving;
    tiny.startProbes();
    await tiny.released(tag);
    serving = tag;
    await tiny.answered(before, tag);
    const { data } = was;
    was = await tiny.look();
    assert.deepEqual(was.data, data);
    tiny.assertNoRemains();
  }

  function takesPort(ended: Ended, port: number): void {
    assert.equal(ended.exitCode, 2, ended.all);
    assert.match(ended.lastLine, new RegExp(`^REFUSED, nothing touched \\(exit 2\\): pbjrag:proxy\\.port: 127\\.0\\.0\\.1:${port} is taken by another program\\. Next: stop it, or choose another port`));
  }

  it("row 33: another server has the port of a first release", async () => {
    const server = await listen(tiny.project.port);
    const ended = await tiny.deploy(serving);
    await close(server);
    takesPort(ended, tiny.project.port);
    assert.deepEqual(await keptFor(tiny.project.stack), { containers: [], volumes: [], networks: [], images: [] });
    tiny.assertNoRemains();
    await tiny.released(serving);
    await tiny.fill();
    was = await tiny.look();
  });

  it("row 33: another server has the port that the front door is to move to", async () => {
    const port = await freePort();
    const server = await listen(port);
    tiny.startProbes();
    await tiny.configure({ proxy: { port, allowInterruption: true } });
    const ended = await tiny.deploy(nextTag());
    await close(server);
    await tiny.configure({});
    takesPort(ended, port);
    await untouched();
  });

  it("row 32: HAProxy refuses the config of a new release", async () => {
    const tag = nextTag();
    const mend = breakTemplate(`\${revision.startsWith(${JSON.stringify(tag)}) ? "rond" : balance}`);
    tiny.startProbes();
    const ended = await tiny.deploy(tag);
    mend();
    assert.equal(ended.exitCode, 3, ended.all);
    assert.match(ended.lastLine, new RegExp(
      `^FAILED AND ROLLED BACK, the former release serves \\(exit 3\\): Traffic was not moved to ${tag}-[0-9a-f]{8}: HAProxy refuses the new config: .*balance only supports.+`
      + `; ${serving} \\(${serving}-[0-9a-f]{8}\\) serves; ${serving} serves\\. Next: run again`,
    ));
    await untouched();
    if (suite === "full") await goesThrough(tag);
  });

  it("its process is killed under traffic: Docker starts it again, with the routes that it had", async () => {
    const live = await readLive(tiny.project.stack);
    const users = await Promise.all([1, 2, 3].map(() => connect(tiny.project.url)));
    const { State: state } = await inspect(tiny.names.proxyContainer);
    process.kill(state.Pid, "SIGKILL");
    await waitFor("the sessions to be cut", () => users.every((user) => user.closed));
    await back(tiny.names.proxyContainer, state.StartedAt);
    assert.deepEqual(await readLive(tiny.project.stack), live);
    tiny.startProbes();
    assert.deepEqual((await tiny.look()).data, was.data);
    await untouched();
  });

  it("docker restart of each container: it is found again, nothing is lost, and the next release goes through", async () => {
    for (const { name } of await containersOf(tiny.project.stack, "app")) {
      tiny.startProbes({ uploads: false });
      const { State: state } = await inspect(name);
      await docker().getContainer(name).restart();
      await back(name, state.StartedAt);
      await tiny.answered(serving);
    }
    for (const name of [tiny.names.qdrantContainer("0"), tiny.names.proxyContainer]) {
      const { State: state } = await inspect(name);
      await docker().getContainer(name).restart();
      await back(name, state.StartedAt);
    }
    tiny.startProbes();
    const status = await tiny.project.script("status", ["--json"]);
    assert.equal(status.exitCode, 0, status.all);
    await untouched();
    await goesThrough(nextTag());
  });

  fullOnly(() => {
    it("addresses that change hands with a restart do not lead to another release", async () => {
      const apps = await containersOf(tiny.project.stack, "app");
      const addresses = (): Promise<string[]> => Promise.all(apps.map(async ({ id }) => Object.values((await inspect(id)).NetworkSettings.Networks)[0]?.IPAddress ?? ""));
      const before = await addresses();
      await Promise.all(apps.map(({ id }) => docker().getContainer(id).stop()));
      for (const { id } of [...apps].reverse()) await docker().getContainer(id).start();
      assert.notDeepEqual(await addresses(), before);
      const former = apps.find(({ revision }) => !revision.startsWith(serving))?.revision ?? "";
      const asked = async (headers: Record<string, string>): Promise<string> => (await ask(`${tiny.project.url}/_stcore/media`, { headers })).by;
      for (const [headers, by] of [[PAGE, serving], [{ Cookie: `pbjrag_release=${former}~1` }, former.replace(/-[0-9a-f]{8}$/, "")]] as const) {
        let inARow = 0;
        await waitFor(`${by} to answer those who are on it`, async () => (inARow = (await asked(headers)) === by ? inARow + 1 : 0) >= 30);
      }
      tiny.startProbes();
      await untouched();
    });

    it("row 33: another server takes the port after it was looked at", async () => {
      const port = await freePort();
      await tiny.configure({ proxy: { port, allowInterruption: true } });
      const tag = nextTag();
      const running = await tiny.deployUntil(tag, ({ phase, event }) => phase === "backup" && event === "start");
      const server = await listen(port);
      const ended = await running.ended;
      await close(server);
      await tiny.configure({});
      assert.equal(ended.exitCode, 3, ended.all);
      assert.match(ended.lastLine, new RegExp(`^FAILED AND ROLLED BACK, the former release serves \\(exit 3\\): .*${port}.*; ${serving} serves\\. Next: .+`));
      tiny.startProbes();
      await untouched();
      await goesThrough(tag);
    });

    it("row 32: HAProxy refuses whatever the template makes", async () => {
      const tag = nextTag();
      const mend = breakTemplate("rond");
      tiny.startProbes();
      const ended = await tiny.deploy(tag);
      mend();
      assert.equal(ended.exitCode, 4, ended.all);
      assert.match(ended.lastLine, new RegExp(
        `^FAILED, NOT ROLLED BACK \\(exit 4\\): The front door could not be prepared, what serves is untouched: HAProxy refuses the new config: .*balance only supports.+`
        + `; ${serving} serves and is healthy, but it could not be applied again: .+ Next: .+`,
      ));
      await untouched();
      await goesThrough(tag);
    });
  });

  /** Puts another word in the place of each way to balance in the program that the stack's clone runs; returns what mends it. */
  function breakTemplate(word: string): () => void {
    const file = path.join(tiny.project.dir, "dist/provider.code.cjs");
    const text = readFileSync(file, "utf8");
    const broken = text.replace("balance ${balance}", () => `balance ${word}`);
    assert.ok(broken !== text, "the template says otherwise how it balances");
    writeFileSync(file, broken);
    return () => writeFileSync(file, text);
  }

  /** Runs again since another start, and the front door answers. */
  async function back(container: string, startedBefore: string): Promise<void> {
    await waitFor(`${container} to run again`, async () => {
      const { State: state } = await inspect(container);
      return state.Running && state.StartedAt !== startedBefore;
    });
    await waitFor("the front door to answer", async () => (await ask(tiny.project.url, { headers: PAGE })).by === serving);
  }
});

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
