import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import axios from "axios";
import Docker from "dockerode";
import { shownRelease } from "../support/app.js";
import { dockerAnswers, removeStack } from "../support/docker.js";
import { freePort, stackName } from "../support/names.js";
import { mustRun } from "../support/processes.js";
import { waitFor } from "../support/wait.js";

const PROJECT = path.resolve(__dirname, "../../..");

describe("e2e: the sample app", function () {
  this.timeout(240_000);
  const docker = new Docker();
  const stack = stackName("sample");
  const labels = { "pbjrag.stack": stack };
  const directory = mkdtempSync(path.join(tmpdir(), "sample-app-"));
  const made: { container: Docker.Container; image: string }[] = [];

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    await mustRun("offline/sample-app/make-repo.sh", [path.join(directory, "repo")], { cwd: PROJECT });
    await docker.createNetwork({ Name: stack, Labels: labels });
    const qdrant = await docker.createContainer({
      Image: "qdrant/qdrant:v1.19.0", Labels: labels, HostConfig: { NetworkMode: stack }, NetworkingConfig: { EndpointsConfig: { [stack]: { Aliases: ["qdrant"] } } },
    });
    await qdrant.start();
  });

  after(async () => {
    // The images share layers: Docker trips over removing them side by side.
    for (const { container, image } of made) {
      await container.remove({ force: true });
      await docker.getImage(image).remove();
    }
    await removeStack(stack);
    rmSync(directory, { recursive: true });
  });

  /** A tag's container, from an image that its own Dockerfile makes. */
  async function started(tag: string): Promise<{ url: string; container: Docker.Container }> {
    const image = `pbjrag-${stack}:${tag}`;
    await mustRun("sh", ["-c", `git -C repo archive ${tag} | docker build -q -t ${image} -`], { cwd: directory, env: { DOCKER_BUILDKIT: "0" } });
    const port = await freePort();
    const container = await docker.createContainer({
      Image: image, Labels: labels, Env: ["QDRANT_HOST=qdrant", "QDRANT_PORT=6333", "STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED=true"],
      ExposedPorts: { "8501/tcp": {} }, HostConfig: { NetworkMode: stack, PortBindings: { "8501/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }] } },
    });
    made.push({ container, image });
    await container.start();
    return { url: `http://127.0.0.1:${port}`, container };
  }

  const status = async (url: string): Promise<number> => (await axios.get(url, { proxy: false, validateStatus: () => true })).status;
  const healthy = (url: string): Promise<boolean> => waitFor(`${url} is healthy`, async () => (await status(`${url}/_stcore/health`)) === 200);

  for (const tag of ["v2.9.0", "v3.0.0", "v3.3.0"]) {
    it(`${tag} works: its server is healthy, its script runs, its page tells the release`, async () => {
      const { url } = await started(tag);
      await healthy(url);
      assert.equal(await status(`${url}/_stcore/script-health-check`), 200);
      await waitFor("the page's release", async () => (await shownRelease(url)).marker === tag);
    });
  }

  it("v3.1.0 has a healthy server and a script that raises", async () => {
    const { url, container } = await started("v3.1.0");
    await healthy(url);
    assert.ok((await status(`${url}/_stcore/script-health-check`)) >= 500);
    const log = await container.logs({ stdout: true, stderr: true });
    assert.match(log.toString(), /ModuleNotFoundError: No module named 'pbjrag_store_v4'/);
  });

  it("v3.2.0 ends at once and says why", async () => {
    const { container } = await started("v3.2.0");
    const { State } = await waitFor("its end", async () => {
      const seen = await container.inspect();
      return seen.State.Status === "exited" && seen;
    });
    assert.equal(State.ExitCode, 7);
    const log = await container.logs({ stdout: true, stderr: true });
    assert.match(log.toString(), /ERROR: PBJRAG_LICENSE is not set, cannot start/);
  });
});
