import assert from "node:assert/strict";
import { readDataSizes } from "../../components/release/facts.js";
import { docker } from "../../components/runtime/docker.js";
import { labels } from "../../components/runtime/labels.js";
import { dockerAnswers, removeStack } from "../support/docker.js";
import { stackName } from "../support/names.js";
import { mustRun } from "../support/processes.js";
import { ROOT } from "../support/project.js";

describe("facts of this host", function () {
  this.timeout(120_000);
  const stack = stackName("facts");
  const volumes = { qdrant: `${stack}_q`, uploads: `${stack}_u` };

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    for (const name of Object.values(volumes)) await docker().createVolume({ Name: name, Labels: labels({ stack, role: "data" }) });
    await mustRun("docker", ["run", "--rm", "-v", `${volumes.qdrant}:/data`, "python:3.11-slim", "dd", "if=/dev/zero", "of=/data/x", "bs=1M", "count=5"], { cwd: ROOT });
  });
  after(() => removeStack(stack));

  it("are measured for each of many who ask at once: Docker measures for one at a time, and refuses the others", async () => {
    const measured = await Promise.all(Array.from({ length: 12 }, () => readDataSizes(volumes, [])));
    assert.deepEqual(new Set(measured.map((one) => JSON.stringify(one))).size, 1);
    assert.ok((measured[0]?.qdrant ?? 0) >= 5 * 1024 ** 2);
    assert.equal(measured[0]?.uploads, 0);
  });
});
