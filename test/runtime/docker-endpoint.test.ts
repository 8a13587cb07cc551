import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dockerEndpoint, settleDockerHost } from "../../components/runtime/docker-endpoint.js";
import { dockerSocket } from "../../components/runtime/docker.js";

describe("which Docker daemon is meant", () => {
  let home: string;
  const docker = (env: NodeJS.ProcessEnv, ...args: string[]): ReturnType<typeof spawnSync> => spawnSync("docker", args, { env: { PATH: process.env.PATH, HOME: home, ...env }, encoding: "utf8" });
  before(function () {
    home = mkdtempSync(path.join(tmpdir(), "docker-home-"));
    if (docker({}, "context", "create", "rootless", "--docker", "host=unix:///run/user/7/docker.sock").status !== 0) this.skip();
    docker({}, "context", "create", "far", "--docker", "host=ssh://there");
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  const host = (env: NodeJS.ProcessEnv): string => dockerEndpoint({ HOME: home, ...env }).host;
  const cli = (env: NodeJS.ProcessEnv): string => String(docker(env, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}").stdout).trim();

  it("is what Docker's own command line would ask", () => {
    for (const current of [null, "rootless", "far"]) {
      if (current !== null) assert.equal(docker({}, "context", "use", current).status, 0);
      for (const env of [{}, { DOCKER_CONTEXT: "rootless" }, { DOCKER_CONTEXT: "default" }, { DOCKER_CONTEXT: "far" }, { DOCKER_HOST: "", DOCKER_CONTEXT: "" }]) {
        assert.equal(host(env), cli(env), JSON.stringify({ current, env }));
      }
      // Its inspection shows a context whatever DOCKER_HOST says; what it asks is that.
      assert.deepEqual(dockerEndpoint({ HOME: home, DOCKER_HOST: "unix:///x.sock", DOCKER_CONTEXT: "rootless" }), { host: "unix:///x.sock", by: "DOCKER_HOST" });
    }
  });

  it("is told to all that is started from here", () => {
    const env: NodeJS.ProcessEnv = { HOME: home, DOCKER_CONTEXT: "rootless" };
    settleDockerHost(env);
    assert.equal(env["DOCKER_HOST"], "unix:///run/user/7/docker.sock");
    const plain: NodeJS.ProcessEnv = { HOME: home, DOCKER_CONTEXT: "default" };
    settleDockerHost(plain);
    assert.equal(plain["DOCKER_HOST"], undefined);
  });

  it("is refused in words where it is none, or on another machine", () => {
    const refused = (env: NodeJS.ProcessEnv): RegExp | string => {
      try {
        return dockerSocket({ HOME: home, ...env });
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
    };
    assert.match(String(refused({ DOCKER_CONTEXT: "gone" })), /Docker's context "gone" \(DOCKER_CONTEXT\) is not there; `docker context ls`/);
    assert.match(String(refused({ DOCKER_CONTEXT: "far" })), /Docker's context "far" is ssh:\/\/there; only a local socket .+ DOCKER_CONTEXT=default is this machine's/);
    const other = path.join(home, "other");
    mkdirSync(other);
    writeFileSync(path.join(other, "config.json"), "{");
    assert.match(String(refused({ DOCKER_CONFIG: other })), /config\.json, which says what Docker is used, cannot be read/);
    assert.equal(refused({ DOCKER_CONFIG: path.join(home, "none") }), "/var/run/docker.sock");
  });
});
