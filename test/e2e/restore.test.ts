import assert from "node:assert/strict";
import path from "node:path";
import { parseLedger } from "../../components/release/ledger.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { dockerAnswers, keptFor } from "../support/docker.js";
import type { Ended } from "../support/processes.js";
import type { Data } from "../support/tiny-stack.js";
import { flip } from "../support/flip.js";
import { TinyStack } from "../support/tiny-stack.js";

describe("e2e: data generations, by plain pulumi", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  /** With the data as v1.0.0 left it. */
  let backup: string;
  let then: Data;
  let now: Data;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    tiny = await TinyStack.open("gen");
    ["v1.0.0", "v2.0.0"].forEach((tag) => tiny.commit(tag));
    await tiny.released("v1.0.0");
    await tiny.fill();
    then = await tiny.data();
    await tiny.released("v2.0.0");
    [backup = ""] = tiny.backups();
    await write();
    now = await tiny.data();
    assert.notDeepEqual(now, then);
  });
  after(() => tiny.remove());

  /** What users do after the backup: points and files that are new, changed and gone. */
  async function write(): Promise<void> {
    const qdrant = await tiny.qdrant();
    await qdrant.upsert("code", [{ id: 0, vector: [9, 9, 9, 9], payload: { file: "changed.py" } }, { id: 1000, vector: [1, 0, 0, 0], payload: { file: "new.py" } }]);
    await qdrant.send("POST", "/collections/code/points/delete?wait=true", { points: [1, 2, 3] });
    await qdrant.create("later", { size: 2, distance: "Dot" });
    await tiny.inApp("cd /app/uploads && printf later > later && printf changed >> d/file && mkdir e && printf x > e/x");
  }

  const config = (data: Record<string, string> | null): Promise<void> => tiny.configure({ version: "v2.0.0", ...(data === null ? {} : { data }) });
  const up = (): Promise<Ended> => tiny.project.pulumi(["up", "--yes", "--skip-preview"]);
  const assertNoChange = async (): Promise<void> => {
    const preview = await tiny.project.pulumi(["preview", "--expect-no-changes"]);
    assert.equal(preview.exitCode, 0, preview.all);
  };
  async function ledger(): Promise<ReleaseRecord[]> {
    const { stdout } = await tiny.project.pulumi(["stack", "output", "releases", "--json"]);
    const parsed = parseLedger(JSON.parse(stdout));
    assert.ok("ledger" in parsed);
    return parsed.ledger;
  }

  it("makes a generation that equals the backup, and leaves the old one as it is, while every page is served", async () => {
    await config({ generation: "r1", restoreFrom: backup });
    tiny.startProbes({ uploads: false });
    const ended = await up();
    assert.equal(ended.exitCode, 0, ended.all);
    await tiny.answered("v2.0.0");
    assert.deepEqual(await tiny.data("r1"), then);
    assert.deepEqual(await tiny.data("0"), now);
    const record = (await ledger()).at(-1);
    assert.deepEqual([record?.generation, record?.storage, record?.restoredFrom, record?.tag], ["r1", { qdrant: "r1", uploads: "r1" }, backup, "v2.0.0"]);
  });

  it("changes nothing when asked again, nor when the config no longer says which data", async () => {
    await assertNoChange();
    await config(null);
    await assertNoChange();
  });

  it("goes back to the data that was left, without a page that is not served, and every later write is there", async () => {
    const restored = await tiny.data("r1");
    await config({ generation: "0" });
    tiny.startProbes({ uploads: false });
    const ended = await up();
    assert.equal(ended.exitCode, 0, ended.all);
    await tiny.answered("v2.0.0");
    assert.deepEqual(await tiny.data("0"), now);
    assert.deepEqual(await tiny.data("r1"), restored);
    const record = (await ledger()).at(-1);
    assert.deepEqual([record?.generation, record?.restoredFrom], ["0", ""]);
    await assertNoChange();
  });

  it("restores the uploads alone, on the Qdrant that serves", async () => {
    await config({ generation: "r2", restoreFrom: backup, only: "uploads" });
    const ended = await up();
    assert.equal(ended.exitCode, 0, ended.all);
    assert.equal(await tiny.inApp("cd /app/uploads && find . -type f -exec sha256sum {} + | sort", "r2"), then.uploads);
    assert.deepEqual((await tiny.data("0")).points, now.points);
    assert.deepEqual((await ledger()).at(-1)?.storage, { qdrant: "0", uploads: "r2" });
    await assertNoChange();
  });

  it("row 5: refuses a damaged backup whole, before a volume is made", async () => {
    const before = await keptFor(tiny.project.stack);
    flip(path.join(tiny.project.paths.backups, backup, "uploads.tar.gz"), 100);
    await config({ generation: "r3", restoreFrom: backup });
    tiny.startProbes();
    const ended = await up();
    assert.notEqual(ended.exitCode, 0);
    assert.match(ended.all, /uploads\.tar\.gz is damaged/);
    await tiny.answered("v2.0.0");
    assert.deepEqual((await keptFor(tiny.project.stack)).volumes, before.volumes);
    assert.equal((await ledger()).at(-1)?.generation, "r2");
  });

  it("refuses in the preview what cannot be: no such backup, a generation that nobody ran on", async () => {
    for (const [data, words] of [
      [{ generation: "r4", restoreFrom: "pre-deploy-20200101-000000" }, /there is no .*pre-deploy-20200101-000000/],
      [{ generation: "r4" }, /no release has run on the data generation r4/],
    ] as const) {
      await config(data);
      const preview = await tiny.project.pulumi(["preview"]);
      assert.notEqual(preview.exitCode, 0);
      assert.match(preview.all, words);
    }
  });
});
