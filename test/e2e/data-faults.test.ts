/** Qdrant's own ills at a release, and keys that changed between a backup and its restore. */
import assert from "node:assert/strict";
import { execIn } from "../../components/runtime/docker-exec.js";
import { docker, hostPort, inspect } from "../../components/runtime/docker.js";
import type { Ended } from "../support/processes.js";
import { plantedSecret } from "../support/secrets.js";
import { TestQdrant } from "../support/qdrant.js";
import { type Before, TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";

describe("e2e: Qdrant's data at a release", function () {
  this.timeout(600_000);
  let tiny: TinyStack;

  before(async () => {
    tiny = await TinyStack.open("dfault");
    ["v1.0.0", "v2.0.0", "v3.0.0"].forEach((tag) => tiny.commit(tag));
  });
  after(() => tiny.remove());

  describe("row 13: a dirty shard, while Qdrant says that it is ready", () => {
    let was: Before;
    let backup: string;
    const flag = "/qdrant/storage/collections/code/shard_0.initializing";

    before(async () => {
      await tiny.released("v1.0.0");
      await tiny.fill();
      was = await tiny.look();
      const saved = await tiny.project.script("rollback", ["--backup-only"]);
      assert.equal(saved.exitCode, 0, saved.all);
      backup = tiny.backups().find((name) => !was.backups.includes(name)) ?? assert.fail(saved.all);
      await fallIll();
    });

    /** As a restore leaves it that was killed while it moved the data. */
    async function fallIll(): Promise<void> {
      assert.equal((await execIn(tiny.names.qdrantContainer("0"), ["touch", flag], { timeoutMs: 10_000 })).exitCode, 0);
      await restart();
    }

    async function restart(): Promise<void> {
      const before = (await inspect(tiny.names.qdrantContainer("0"))).State.StartedAt;
      await docker().getContainer(tiny.names.qdrantContainer("0")).restart({ t: 0 });
      assert.notEqual((await inspect(tiny.names.qdrantContainer("0"))).State.StartedAt, before);
      const port = await waitFor("Qdrant's port", () => hostPort(tiny.names.qdrantContainer("0"), 6333));
      await waitFor("Qdrant says that it is ready", async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
    }

    async function refuses(ended: Ended, exitCode: number, words: RegExp): Promise<void> {
      assert.equal(ended.exitCode, exitCode, ended.all);
      assert.match(ended.lastLine, words);
      await tiny.answered("v1.0.0");
      assert.deepEqual((await tiny.project.script("status", ["--json"])).stdout.match(/"version": "([^"]+)"/)?.[1], "v1.0.0");
    }

    it("fails the backup, so that nothing is touched", async () => {
      tiny.startProbes();
      await refuses(await tiny.deploy("v2.0.0"), 2, /The backup before v2\.0\.0 failed, .+ collection `code` is dirty/);
    });

    it("fails the gate where there is no backup", async () => {
      tiny.startProbes();
      await refuses(await tiny.deploy("v2.0.0", ["--no-backup", "--reason", "Qdrant cannot make one"]), 4, /collection code cannot be counted.+dirty/);
    });

    it("is healed by what Qdrant's own documents say, and then the release goes through", async () => {
      assert.equal((await execIn(tiny.names.qdrantContainer("0"), ["rm", flag], { timeoutMs: 10_000 })).exitCode, 0);
      await restart();
      await tiny.released("v2.0.0");
      assert.deepEqual((await tiny.data()).points, was.data.points);
    });

    it("does not keep anybody from a restore, which overwrites nothing: without a backup of what is ill", async () => {
      await fallIll();
      const refused = await tiny.project.script("restore", [backup, "--yes"]);
      assert.equal(refused.exitCode, 2, refused.all);
      assert.match(refused.lastLine, /collection `code` is dirty.+ Next: .*--no-backup --reason/);
      // What users write is refused while the route moves.
      tiny.startProbes({ uploads: false });
      const restored = await tiny.project.script("restore", [backup, "--yes", "--no-backup", "--reason", "Qdrant is ill"]);
      assert.equal(restored.exitCode, 0, restored.all);
      assert.match(restored.lastLine, /no backup: Qdrant is ill/);
      await tiny.answered("v2.0.0");
      assert.deepEqual(await tiny.data(backup), was.data);
    });
  });

  // A suite of its own, as tests of the outer one would come before all inner suites.
  describe("row 9: another key", () => {
    it("data of a backup that was made with another key is served under today's", async () => {
      const [first, second] = [plantedSecret(), plantedSecret()];
      const set = async (key: string): Promise<void> => {
        const ended = await tiny.project.pulumi(["config", "set", "--secret", "--path", "pbjrag:qdrant.apiKey"], { input: key });
        assert.equal(ended.exitCode, 0, ended.all);
      };
      const qdrant = async (generation: string, key: string): Promise<TestQdrant> => {
        const port = await waitFor("Qdrant's port", () => hostPort(tiny.names.qdrantContainer(generation), 6333));
        const client = new TestQdrant(`http://127.0.0.1:${port}`, key);
        await waitFor("Qdrant to take the key", () => client.ready());
        return client;
      };
      await set(first);
      await tiny.released("v3.0.0");
      const old = tiny.backups();
      assert.equal((await tiny.project.script("rollback", ["--backup-only"])).exitCode, 0);
      const [backup = ""] = tiny.backups().filter((name) => !old.includes(name));
      await set(second);
      const ended = await tiny.project.script("restore", [backup, "--yes"]);
      assert.equal(ended.exitCode, 0, ended.all);
      const now = await qdrant(backup, second);
      assert.deepEqual(await now.collections(), ["code"]);
      await assert.rejects(new TestQdrant(now.baseUrl, first).ready(), /401/);
    });
  });
});
