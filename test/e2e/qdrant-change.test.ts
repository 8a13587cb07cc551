/** A change of Qdrant, which makes a Qdrant of its own from the backup of that very update, while pages are served all the time. */
import assert from "node:assert/strict";
import { stackNames } from "../../components/release/names.js";
import { hostPort, inspect } from "../../components/runtime/docker.js";
import { readLive } from "../../components/traffic/live.js";
import type { Status } from "../../scripts/cli/status-model.js";
import { containersOf, dockerAnswers } from "../support/docker.js";
import { describeFailures, describeLoad, startLoad, type Load } from "../support/load.js";
import { createProject, type Project } from "../support/project.js";
import { assertNoChange } from "../support/preview.js";
import { seeded } from "../support/random.js";
import { type Dump, TestQdrant } from "../support/qdrant.js";
import { TinyStack } from "../support/tiny-stack.js";
import { bringMore } from "./story/users.js";
import { ask } from "./traffic/client.js";

const MEMORY = "256MiB";

describe("e2e: a change of Qdrant under the load", function () {
  this.timeout(600_000);
  let project: Project;
  let load: Load | null = null;
  let data: Dump;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    project = await createProject("qload", { config: { qdrant: { cpus: 1, memory: MEMORY }, backup: { scratchCpus: 1, scratchMemory: MEMORY }, docker: { cpuOvercommit: 100 } } });
    const ended = await project.script("deploy", ["--version", "v2.9.0"]);
    assert.equal(ended.exitCode, 0, ended.all);
    data = await bringMore(project, seeded("points"));
  });
  after(async () => {
    load?.kill();
    await project?.remove();
  });

  it("fails no page, refuses and counts what users write meanwhile, and brings every point along", async () => {
    const names = stackNames(project.stack);
    load = await startLoad({ url: project.url, rate: 40, sessions: 6, scriptHealth: false });
    await project.configure({ qdrant: { cpus: 2, memory: MEMORY } });
    const ended = await project.script("deploy", ["--version", "v2.9.0"]);
    const result = await load.stop();
    process.stdout.write(`    ${describeLoad(result)}\n`);
    assert.equal(ended.exitCode, 0, ended.all);
    for (const kind of ["page", "asset", "script-health"] as const) assert.equal(result.byKind[kind].failed, 0, describeFailures(result));
    const meant = /^(status 503|no answer in time: no session was open to upload into)/;
    assert.deepEqual(result.failures.filter(({ kind, reason }) => kind !== "upload" || !meant.test(reason)), []);
    assert.equal(result.sessions.down, 0, "everybody came back");
    const [, refused] = /writes were paused for \d+ ms: \d+ websockets? closed, at least (\d+) requests? refused/.exec(ended.stdout) ?? assert.fail(ended.stdout);
    assert.ok(Number(refused) > 0, "who was cut could not connect again at once");
    const port = await hostPort(names.qdrantContainer("g2"), 6333);
    assert.deepEqual(await new TestQdrant(`http://127.0.0.1:${port}`, "").dump(), data);
    const { HostConfig } = await inspect(names.qdrantContainer("g2"));
    assert.equal(HostConfig.CpuQuota, 200_000);
    await project.configure({ version: "v2.9.0", qdrant: { cpus: 2, memory: MEMORY } });
    await assertNoChange(project);
  });
});

describe("e2e: a change of Qdrant that does not go smoothly", function () {
  this.timeout(600_000);
  let tiny: TinyStack;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    tiny = await TinyStack.open("qchg");
    ["v1.0.0", "v2.0.0", "v4.0.0", "v5.0.0"].forEach((tag) => tiny.commit(tag));
    tiny.commit("v3.0.0", { command: ["sh", "-c", "echo broken on purpose; exit 7"] });
    await tiny.released("v1.0.0");
    await tiny.fill();
  });
  after(() => tiny?.remove());

  const cpus = (count: number, more: Record<string, unknown> = {}): Promise<void> => tiny.configure({ qdrant: { cpus: count, memory: MEMORY }, ...more });
  const upload = async (): Promise<number> => (await ask(`${tiny.project.url}/x`, { method: "PUT", body: "x" })).status;
  const status = async (): Promise<Status> => JSON.parse((await tiny.project.script("status", ["--json"])).stdout) as Status;
  const generation = async (): Promise<string> => (await status()).data?.generation ?? "";
  const add = async (id: number, where: string): Promise<void> => {
    await (await tiny.qdrant(where)).upsert("code", [{ id, vector: [1, 2, 3, 4], payload: { file: "late.py" } }]);
  };

  it("says beforehand what it does, and touches nothing then", async () => {
    await cpus(0.5);
    const ended = await tiny.deploy("v2.0.0", ["--dry-run"]);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.stdout, /DATA of Qdrant from the backup that this update takes, as generation g2; generation 0 stays/);
    assert.match(ended.stdout, /QDRANT changes \(qdrant\.cpus: 1 -> 0\.5\): pages are served all the time/);
    assert.equal(await upload(), 200);
  });

  it("a failed gate leaves everything as it was, and users write at once; the next attempt takes what they wrote along", async () => {
    tiny.startProbes({ uploads: false });
    const failed = await tiny.deploy("v3.0.0");
    assert.equal(failed.exitCode, 3, failed.all);
    const order = tiny.project.journal().map(({ phase, event }) => `${phase} ${event}`);
    assert.ok(order.lastIndexOf("image done") < order.lastIndexOf("backup start"), "nobody waits for an image");
    assert.equal(await upload(), 200);
    await tiny.answered("v1.0.0");
    assert.deepEqual((await containersOf(tiny.project.stack, "qdrant")).map(({ name }) => name), [tiny.names.qdrantContainer("0")]);
    await add(2000, "0");
    const then = await tiny.data();
    tiny.startProbes({ uploads: false });
    await tiny.released("v2.0.0");
    await tiny.answered("v1.0.0", "v2.0.0");
    const now = await generation();
    assert.equal(now, "g2-2");
    assert.deepEqual((await (await tiny.qdrant(now)).dump()), then.points);
    assert.equal(await tiny.inApp("cat /app/uploads/d/file | wc -c"), "100000\n", "the uploads stay where they are");
    assert.equal(await upload(), 200);
  });

  it("a kill leaves users without writes until its lease ends or the next command comes, which loses nothing", async () => {
    const before = await generation();
    await cpus(0.25);
    const running = await tiny.deployUntil("v4.0.0", ({ phase, event }) => phase === "gate" && event === "start");
    running.killTree();
    await running.ended;
    assert.equal(await upload(), 503);
    await add(3000, before);
    tiny.startProbes({ uploads: false });
    await tiny.released("v4.0.0");
    await tiny.answered("v2.0.0", "v4.0.0");
    assert.equal(await upload(), 200);
    const points = await (await tiny.qdrant(await generation())).points("code");
    assert.equal(points.length, 52);
    assert.notEqual(await generation(), before);
    tiny.assertNoRemains();
  });

  it("a run that was killed when users had moved already is gone on with: what they wrote there stays", async () => {
    await cpus(0.75);
    const running = await tiny.deployUntil("v5.0.0", ({ phase, event }) => phase === "route" && event === "progress");
    running.killTree();
    await running.ended;
    const moved = (await readLive(tiny.project.stack))?.table.serving?.generation ?? assert.fail();
    assert.equal(await upload(), 200);
    await add(4000, moved);
    tiny.startProbes({ uploads: false });
    await tiny.released("v5.0.0");
    await tiny.answered("v5.0.0");
    assert.equal(await generation(), moved);
    assert.equal((await (await tiny.qdrant(moved)).points("code")).length, 53);
    await tiny.configure({ version: "v5.0.0", qdrant: { cpus: 0.75, memory: MEMORY } });
    await assertNoChange(tiny.project);
  });

  it("goes by plain pulumi as well, changes nothing when asked again, and changes memory in place", async () => {
    const { releases } = await status();
    const next = `g${(releases.at(-1)?.seq ?? 0) + 1}`;
    await cpus(1, { version: "v5.0.0" });
    const up = await tiny.project.pulumi(["up", "--yes", "--skip-preview"]);
    assert.equal(up.exitCode, 0, up.all);
    assert.equal(await generation(), next);
    await assertNoChange(tiny.project);
    const { id } = (await containersOf(tiny.project.stack, "qdrant")).find(({ name }) => name === tiny.names.qdrantContainer(next)) ?? assert.fail();
    await tiny.configure({ version: "v5.0.0", qdrant: { cpus: 1, memory: "300MiB" } });
    const larger = await tiny.project.pulumi(["up", "--yes", "--skip-preview"]);
    assert.equal(larger.exitCode, 0, larger.all);
    assert.equal((await inspect(id)).HostConfig.Memory, 300 * 1024 ** 2);
    assert.equal(await generation(), next);
  });

  it("refuses what it cannot do: no backup to make it from, and a key that is not needed any more", async () => {
    await cpus(2);
    const hasty = await tiny.deploy("v5.0.0", ["--no-backup", "--reason", "in a hurry"]);
    assert.equal(hasty.exitCode, 2, hasty.all);
    assert.match(hasty.lastLine, /leaves no backup, and the change of Qdrant/);
    await tiny.configure({ qdrant: { cpus: 2, memory: MEMORY, allowInterruption: true } });
    const retired = await tiny.deploy("v5.0.0");
    assert.equal(retired.exitCode, 2, retired.all);
    assert.match(retired.lastLine, /a change of Qdrant interrupts nobody/);
  });
});
