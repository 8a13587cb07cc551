import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { createServer, type Server } from "node:net";
import path from "node:path";
import { ledgerAfter, recordOf } from "../../components/release/ledger.js";
import type { Problem } from "../../components/release/model.js";
import { stackNames } from "../../components/release/names.js";
import { type Cleared, preflight } from "../../components/release/preflight.js";
import { docker } from "../../components/runtime/docker.js";
import { labels } from "../../components/runtime/labels.js";
import { Repository } from "../source/repository.js";

/** What is found out before the first resource, on real Docker and a real repository. Nothing is started. */
describe("preflight on this host", () => {
  const stack = `t${randomBytes(3).toString("hex")}`;
  const names = stackNames(stack);
  let repository: Repository;
  let port = 0;
  before(async () => {
    repository = new Repository();
    repository.write("Dockerfile", "FROM scratch\n");
    repository.release("v1.0.0");
    repository.write("Dockerfile", "FROM scratch\n# 2\n");
    repository.release("v2.0.0");
    const server = await listen();
    port = portOf(server);
    await close(server);
  });
  after(async () => {
    repository.remove();
    for (const name of [names.qdrantVolume("0"), names.uploadsVolume("0")]) {
      await docker().getVolume(name).remove().catch(() => undefined);
    }
  });

  const look = (version: string, more: Record<string, unknown> = {}, ledger: unknown = undefined): ReturnType<typeof preflight> =>
    preflight({
      stack,
      ledger,
      projectDir: repository.project,
      config: {
        "pbjrag:version": version,
        "pbjrag:source": "../app",
        "pbjrag:proxy": JSON.stringify({ port }),
        // Tests share the host with others: what it has is not theirs to judge.
        "pbjrag:app": JSON.stringify({ memory: "64MiB", cpus: 0.1 }),
        "pbjrag:qdrant": JSON.stringify({ memory: "64MiB", cpus: 0.1 }),
        "pbjrag:backup": JSON.stringify({ scratchMemory: "64MiB", scratchCpus: 0.1 }),
        ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`pbjrag:${key}`, typeof value === "string" ? value : JSON.stringify(value)])),
      },
    });
  async function cleared(version: string, more: Record<string, unknown> = {}, ledger: unknown = undefined): Promise<Cleared> {
    const result = await look(version, more, ledger);
    assert.ok("plan" in result, JSON.stringify(result));
    return result;
  }
  async function refused(version: string, more: Record<string, unknown> = {}, ledger: unknown = undefined): Promise<Problem[]> {
    const result = await look(version, more, ledger);
    assert.ok("problems" in result, "was taken");
    return result.problems;
  }

  it("clears a first release, with its table and build context, and touches nothing else", async () => {
    const { plan, table } = await cleared("v1.0.0");
    assert.equal(plan.step, "first");
    assert.match(table, /the host has/);
    assert.ok(plan.serving.image.origin === "built");
    assert.ok(existsSync(path.join(repository.project, plan.serving.image.context, "Dockerfile")));
    assert.deepEqual(readdirSync(repository.project), [".release"]);
    assert.deepEqual(readdirSync(path.join(repository.project, ".release")), ["cache"]);
    await assert.rejects(docker().getVolume(names.qdrantVolume("0")).inspect());
  });

  it("refuses a port that is taken, volumes of another stack, and limits that no host has, all at once", async () => {
    const server = await listen();
    await docker().createVolume({ Name: names.qdrantVolume("0"), Labels: labels({ stack: "somebody-else", role: "data" }) });
    await docker().createVolume({ Name: names.uploadsVolume("0") });
    try {
      const problems = await refused("v1.0.0", { proxy: { port: portOf(server) }, app: { cpus: 5000, memory: "100TiB" } });
      assert.deepEqual(problems.map(({ subject }) => subject), ["volume", "pbjrag:proxy.port", "capacity", "capacity", "capacity"]);
      assert.match(problems[0]?.what ?? "", /belongs to stack somebody-else/);
    } finally {
      await close(server);
      await docker().getVolume(names.qdrantVolume("0")).remove();
    }
  });

  it("refuses a moved tag, and uses what is cached while the source is away", async () => {
    const { plan } = await cleared("v1.0.0");
    const facts = { imageId: `sha256:${"0".repeat(64)}`, qdrantVersion: "", backup: "", noBackupReason: "nothing there", restoredFrom: "", switchedAt: "" };
    const ledger = ledgerAfter(plan, recordOf(plan, facts), []);
    const again = await cleared("v1.0.0", {}, ledger);
    assert.deepEqual([again.plan.step, again.table], ["unchanged", ""]);

    renameSync(repository.dir, `${repository.dir}.away`);
    try {
      const problems = await refused("v2.0.0", {}, ledger);
      assert.match(problems[0]?.what ?? "", /there is nothing at/);
      const kept = await cleared("v1.0.0", {}, ledger);
      assert.equal(kept.plan.step, "unchanged");
      assert.match(kept.plan.notices.join(), /cannot be read.*v1\.0\.0 is taken to be what was released/);
      const reapplied = await cleared("v2.0.0", { reapply: "true" }, ledger);
      assert.equal(reapplied.plan.serving.tag, "v1.0.0");
    } finally {
      renameSync(`${repository.dir}.away`, repository.dir);
    }
    repository.git("tag", "-f", "v1.0.0", "v2.0.0");
    assert.deepEqual((await refused("v1.0.0", {}, ledger)).map(({ subject }) => subject), ["tag"]);
    const { revision, commit } = plan.serving;
    assert.equal((await cleared("v1.0.0", { asReleased: revision }, ledger)).plan.serving.commit, commit);
    repository.git("tag", "-d", "v1.0.0");
    assert.equal((await cleared("v1.0.0", { asReleased: revision }, ledger)).plan.step, "unchanged");
  });

  it("does not mind that others look at the same time", async () => {
    repository.write("version", "3\n");
    repository.release("v3.0.0");
    const plans = await Promise.all(["v2.0.0", "v3.0.0", "v2.0.0", "v3.0.0"].map((version) => cleared(version)));
    assert.deepEqual(plans.map(({ plan }) => plan.step), ["first", "first", "first", "first"]);
  });

  it("wants the Dockerfile that is named", async () => {
    const problems = await refused("v2.0.0", { app: { dockerfile: "docker/Dockerfile" } });
    assert.match(problems[0]?.what ?? "", /has no docker\/Dockerfile/);
  });
});

async function listen(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
