/**
 * Rows 17 and 18. The stand-in is one and the same Qdrant under several names, so this shows our rules only: what is refused, and
 * which way back is offered and works. What a Qdrant does with another's data is for the real one to show.
 */
import assert from "node:assert/strict";
import { docker, inspect } from "../../components/runtime/docker.js";
import type { Status } from "../../scripts/cli/status-model.js";
import { keptFor } from "../support/docker.js";
import { type Data, TinyStack } from "../support/tiny-stack.js";

const HERE = "qdrant/qdrant:v1.19.0";

describe("e2e: Qdrant's versions (rows 17, 18)", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  let then: Data;
  let repository: string;

  before(async () => {
    tiny = await TinyStack.open("qver");
    ["v1.0.0", "v2.0.0"].forEach((tag) => tiny.commit(tag));
    repository = `${tiny.names.prefix}-qdrant`;
    await docker().getImage(HERE).tag({ repo: repository, tag: "v1.20.0" });
    await tiny.released("v1.0.0");
    await tiny.fill();
    then = await tiny.data();
  });
  after(async () => {
    await tiny.remove();
    await docker().getImage(`${repository}:v1.20.0`).remove();
  });

  const qdrant = (image: string): Promise<void> => tiny.configure({ qdrant: { image, cpus: 1, memory: "256MiB" } });
  const status = async (): Promise<Status> => JSON.parse((await tiny.project.script("status", ["--json"])).stdout) as Status;

  it("row 18: a skipped minor version is refused with the path to take, before anything is touched", async () => {
    const before = await keptFor(tiny.project.stack);
    await qdrant(`${repository}:v1.21.0`);
    const ended = await tiny.deploy("v2.0.0");
    assert.equal(ended.exitCode, 2, ended.all);
    assert.match(ended.lastLine, /from Qdrant 1\.19\.0 to 1\.21\.0 a minor version is skipped.*set pbjrag:qdrant\.image to a 1\.20 version, deploy, and so on up to 1\.21\.0/);
    assert.deepEqual(await keptFor(tiny.project.stack), before);
    assert.deepEqual(tiny.backups(), []);
  });

  it("row 17: the preview tells that an image-only rollback will not do, and why; the change itself is smooth", async () => {
    await qdrant(`${repository}:v1.20.0`);
    const dry = await tiny.deploy("v2.0.0", ["--dry-run"]);
    assert.match(dry.stdout, /POINT OF NO RETURN: Qdrant 1\.19\.0 -> 1\.20\.0\. An image-only rollback will not do.*same or the next minor version only.*rollback\.sh v1\.0\.0 --with-data/);
    tiny.startProbes({ uploads: false });
    await tiny.released("v2.0.0");
    await tiny.answered("v1.0.0", "v2.0.0");
    assert.equal((await inspect(tiny.names.qdrantContainer("g2"))).Config.Image, `${repository}:v1.20.0`);
    assert.deepEqual(await (await tiny.qdrant("g2")).dump(), then.points);
  });

  it("row 17: going back without the data is refused, with it goes", async () => {
    const before = await keptFor(tiny.project.stack);
    const refused = await tiny.project.script("rollback", ["--yes"]);
    assert.equal(refused.exitCode, 2, refused.all);
    assert.match(refused.lastLine, /an image-only rollback will not do: Qdrant 1\.19\.0 cannot read what Qdrant 1\.20\.0 wrote.*Next: take the data back with it: scripts\/rollback\.sh v1\.0\.0 --with-data/);
    assert.deepEqual(await keptFor(tiny.project.stack), before);
    assert.equal((await status()).version, "v2.0.0");
    await tiny.inApp("printf later > /app/uploads/later");
    tiny.startProbes({ uploads: false });
    const ended = await tiny.project.script("rollback", ["v1.0.0", "--with-data", "--yes"]);
    assert.equal(ended.exitCode, 0, ended.all);
    await tiny.answered("v1.0.0", "v2.0.0");
    const { version, data } = await status();
    const [backup = ""] = tiny.backups();
    assert.deepEqual([version, data], ["v1.0.0", { generation: backup, restoredFrom: backup }]);
    assert.equal((await inspect(tiny.names.qdrantContainer(backup))).Config.Image, HERE);
    assert.deepEqual(await tiny.data(backup), then, "points and uploads of one moment");
  });
});
