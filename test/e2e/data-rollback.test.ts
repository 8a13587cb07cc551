import assert from "node:assert/strict";
import { cpSync, truncateSync } from "node:fs";
import path from "node:path";
import { pauseWrites } from "../../components/traffic/freeze.js";
import type { Status } from "../../scripts/cli/status-model.js";
import { keptFor } from "../support/docker.js";
import type { Ended } from "../support/processes.js";
import { type Data, TinyStack } from "../support/tiny-stack.js";
import { ask } from "./traffic/client.js";

/** What users do after a backup: points and files that are new, changed and gone. */
async function write(tiny: TinyStack, generation: string): Promise<void> {
  const qdrant = await tiny.qdrant(generation);
  await qdrant.upsert("code", [{ id: 0, vector: [9, 9, 9, 9], payload: { file: "changed.py" } }, { id: 1000, vector: [1, 0, 0, 0], payload: { file: "new.py" } }]);
  await qdrant.send("POST", "/collections/code/points/delete?wait=true", { points: [1, 2, 3] });
  await tiny.inApp("cd /app/uploads && printf later > later && printf changed >> d/file", generation);
}

describe("e2e: rollback with data, and forward again", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  let backup: string;
  let then: Data;
  let now: Data;

  before(async () => {
    tiny = await TinyStack.open("data");
    ["v1.0.0", "v2.0.0"].forEach((tag) => tiny.commit(tag));
    await tiny.released("v1.0.0");
    await tiny.fill();
    then = await tiny.data();
    await tiny.released("v2.0.0");
    [backup = ""] = tiny.backups();
    await write(tiny, "0");
    now = await tiny.data();
  });
  after(() => tiny.remove());

  const rollback = (...args: string[]): Promise<Ended> => tiny.project.script("rollback", args);
  const status = async (): Promise<Status> => JSON.parse((await tiny.project.script("status", ["--json"])).stdout) as Status;
  const LOST = [/collection code: 1 point added, 1 changed, 3 deleted since the backup/, /uploads: 1 file added, 1 changed, 0 deleted since the backup/];

  it("shows what would be missing, and touches nothing", async () => {
    const before = await keptFor(tiny.project.stack);
    const ended = await rollback("--with-data", "--dry-run");
    assert.equal(ended.exitCode, 0, ended.all);
    for (const lost of LOST) assert.match(ended.stdout, lost);
    assert.match(ended.stdout, new RegExp(`DATA from backup ${backup}, as generation ${backup}; generation 0 stays`));
    assert.deepEqual(await keptFor(tiny.project.stack), before);
  });

  it("wants a word where nobody can be asked and data would be missing", async () => {
    const ended = await rollback("--with-data");
    assert.equal(ended.exitCode, 2, ended.all);
    for (const lost of LOST) assert.match(ended.stdout, lost);
    assert.match(ended.lastLine, /nobody to ask\. Next: .*--yes/);
    assert.deepEqual(await tiny.data(), now);
    assert.equal((await status()).version, "v2.0.0");
  });

  it("goes back to code, settings and data of the release before, and every page is served", async () => {
    tiny.startProbes({ uploads: false });
    const ended = await rollback("--with-data", "--yes");
    assert.equal(ended.exitCode, 0, ended.all);
    await tiny.answered("v1.0.0", "v2.0.0");
    assert.match(ended.stdout, /writes were paused for \d+ ms: \d+ websockets? closed, (?:no request|at least \d+ requests?) refused/);
    assert.match(ended.stdout, /data generation 0 has as many points as its backup pre-rollback-/);
    assert.deepEqual(await tiny.data(backup), then);
    const { version, data, releases } = await status();
    assert.deepEqual([version, data, releases.at(-1)?.kind, releases.at(-2)?.outcome], ["v1.0.0", { generation: backup, restoredFrom: backup }, "rollback", "abandoned"]);
  });

  it("a plain deploy and a plain rollback keep the data that serves, warm or not", async () => {
    await tiny.released("v2.0.0");
    assert.equal((await status()).data?.generation, backup);
    const ended = await rollback("--yes");
    assert.equal(ended.exitCode, 0, ended.all);
    const { version, data } = await status();
    assert.deepEqual([version, data?.generation], ["v1.0.0", backup]);
    assert.deepEqual((await tiny.data(backup)).uploads, then.uploads);
  });

  it("goes forward again to the data as it was left, and says what was written meanwhile", async () => {
    await tiny.inApp("printf meanwhile > /app/uploads/meanwhile", backup);
    const refused = await rollback("v2.0.0", "--generation", "0");
    assert.equal(refused.exitCode, 2, refused.all);
    assert.match(refused.stdout, /uploads: 1 file added, 1 changed, 1 deleted since the backup/);
    tiny.startProbes({ uploads: false });
    const ended = await rollback("v2.0.0", "--generation", "0", "--yes");
    assert.equal(ended.exitCode, 0, ended.all);
    await tiny.answered("v1.0.0", "v2.0.0");
    assert.deepEqual(await tiny.data("0"), now);
    assert.deepEqual((await status()).data, { generation: "0", restoredFrom: "" });
  });

  it("restores a backup under the release that serves, into another generation each time", async () => {
    const ended = await tiny.project.script("restore", [backup, "--yes"]);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.deepEqual(await tiny.data(`${backup}b`), then);
    assert.deepEqual([(await status()).version, (await status()).data?.generation], ["v2.0.0", `${backup}b`]);
  });

  it("lets users write at once where a run was killed that had paused it", async () => {
    const hour = 3_600_000;
    await pauseWrites(tiny.project.stack, { leaseMs: hour, assertHolds: () => undefined });
    const upload = (): Promise<number> => ask(`${tiny.project.url}/x`, { method: "PUT", body: "x" }).then(({ status: code }) => code);
    assert.equal(await upload(), 503);
    const ended = await tiny.deploy("v2.0.0");
    assert.match(ended.stdout, /users can write again, which a run that ended early had paused/);
    assert.equal(await upload(), 200);
  });

  it("refuses what is no backup, what is damaged, what nobody ran on: nothing touched", async () => {
    const before = await keptFor(tiny.project.stack);
    const cut = "pre-deploy-20200101-000000";
    const directory = path.join(tiny.project.paths.backups, cut);
    cpSync(path.join(tiny.project.paths.backups, backup), directory, { recursive: true });
    truncateSync(path.join(directory, "qdrant-data.tar.gz"), 100);
    for (const [script, args, words] of [
      ["restore", ["../other"], /is no backup of stack/],
      ["restore", ["pre-deploy-20190101-000000"], /cannot be used/],
      ["restore", [cut, "--yes"], /cannot be used/],
      ["rollback", ["--generation", "r9"], /no release has run on the data generation r9/],
      ["rollback", ["v9.9.9", "--with-data"], /v9\.9\.9 was never released here/],
      ["rollback", ["--with-data=pre-deploy-20190101-000000"], /there is no backup/],
      ["rollback", ["--with-data", "--generation", "0"], /only one can be meant/],
    ] as const) {
      const ended = await tiny.project.script(script, args);
      assert.equal(ended.exitCode, 2, ended.all);
      assert.match(ended.lastLine, words);
    }
    assert.deepEqual(await keptFor(tiny.project.stack), before);
  });
});
