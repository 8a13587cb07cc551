import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { assertDocker } from "../../components/runtime/docker.js";
import { otherEngine } from "../../components/runtime/engine.js";
import { EXIT, ReleaseError } from "../../components/runtime/errors.js";

describe("runtime: which engine answers", () => {
  it("knows Docker of any version, as the daemons of Debian and of Docker name themselves", () => {
    for (const server of ["Docker/20.10.24+dfsg1 (linux)", "Docker/28.5.2+dfsg4 (linux)", "Docker/26.1.5 (linux)", ""]) assert.equal(otherEngine(server), null, server);
  });

  it("knows Podman by its answer to a ping, and says what is missing", () => {
    const podman = otherEngine("Libpod/5.8.6 (linux)");
    assert.equal(podman?.name, "Podman 5.8.6");
    assert.match(podman.lacks, /no oom event.*HEALTHCHECK/);
  });
});

/** A daemon that answers a ping alone, with headers as they were seen on the socket of the engine named. */
describe("runtime: the engine is asked before anything else", () => {
  const host = process.env.DOCKER_HOST;
  let dir: string;
  let server: Server;
  let answer: { status: number; server: string };

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "pbjrag-engine-"));
    server = createServer((request, response) => {
      response.writeHead(request.url === "/_ping" ? answer.status : 404, answer.server === "" ? {} : { Server: answer.server }).end("OK");
    });
    await new Promise<void>((resolve) => server.listen(path.join(dir, "d.sock"), resolve));
    process.env.DOCKER_HOST = `unix://${dir}/d.sock`;
  });
  afterEach(() => {
    if (host === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = host;
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const refusal = async (): Promise<ReleaseError> => {
    const error: unknown = await assertDocker(5_000).then(() => null, (reason: unknown) => reason);
    assert.ok(error instanceof ReleaseError, String(error));
    return error;
  };

  it("takes Docker", async () => {
    answer = { status: 200, server: "Docker/28.5.2+dfsg4 (linux)" };
    await assertDocker(5_000);
  });

  it("refuses Podman by name, with what is missing and what to do", async () => {
    answer = { status: 200, server: "Libpod/5.8.6 (linux)" };
    const error = await refusal();
    assert.equal(error.code, "engineUnsupported");
    assert.equal(error.exitCode, EXIT.refused);
    assert.match(error.message, /^Podman 5\.8\.6 answers on .+d\.sock, and only Docker is supported.*no oom event.*Next: install Docker Engine 20\.10 or newer.*DOCKER_HOST/s);
  });

  it("does not take an answer that is an error for a Docker", async () => {
    answer = { status: 500, server: "Docker/28.5.2 (linux)" };
    assert.match((await refusal()).message, /HTTP 500/);
  });
});
