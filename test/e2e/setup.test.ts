import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { dockerAnswers } from "../support/docker.js";
import { type Ended, mustRun, run } from "../support/processes.js";
import { fullOnly } from "../support/suite.js";

const PROJECT = path.resolve(__dirname, "../../..");
const setup = (args: string[], env: Record<string, string> = {}): Promise<Ended> => run("scripts/setup.sh", args, { cwd: PROJECT, env });

describe("e2e: the set-up", function () {
  this.timeout(300_000);

  it("explains itself", async () => {
    const { exitCode, stdout } = await setup(["--help"]);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^Usage: scripts\/setup\.sh/);
    assert.match(stdout, /Examples:\n {2}scripts\/setup\.sh/);
  });

  it("refuses what it does not know, in one line", async () => {
    const { exitCode, stderr } = await setup(["--ofline"]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /^setup: unknown argument --ofline; see scripts\/setup\.sh --help\n$/);
  });

  it("refuses another Docker than the local one", async () => {
    const { exitCode, stderr, stdout } = await setup([], { DOCKER_HOST: "tcp://192.0.2.1:2375" });
    assert.equal(exitCode, 2);
    assert.match(stderr, /DOCKER_HOST is tcp:\/\/192\.0\.2\.1:2375, and only a local socket \(unix:\/\/\) is supported/);
    assert.match(stderr, /-> unset DOCKER_HOST/);
    assert.equal(stdout, "");
  });

  it("refuses a socket on which nothing answers, and starts no daemon for it", async () => {
    const { exitCode, stderr } = await setup([], { DOCKER_HOST: "unix:///nowhere/docker.sock" });
    assert.equal(exitCode, 2);
    assert.match(stderr, /nothing answers on unix:\/\/\/nowhere\/docker\.sock \(DOCKER_HOST\)\n.+-> start the daemon that listens there, or unset DOCKER_HOST/);
  });

  it("refuses Podman by name, with what is missing", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "setup-podman-"));
    // What Podman 5.8.6 answers, as far as the docker command looks at it.
    const server = createServer((request, response) => {
      response.setHeader("Api-Version", "1.44").setHeader("Content-Type", "application/json");
      if (request.url?.endsWith("/version") === true) response.end(JSON.stringify({ Version: "5.8.6", ApiVersion: "1.44", Components: [{ Name: "Podman Engine", Version: "5.8.6" }, { Name: "Conmon", Version: "2.1.13" }] }));
      else response.end(request.method === "HEAD" ? undefined : "OK");
    });
    const socket = path.join(directory, "podman.sock");
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const { exitCode, stderr } = await setup([], { DOCKER_HOST: `unix://${socket}` });
      assert.equal(exitCode, 2);
      assert.match(stderr, /Podman 5\.8\.6 answers on unix:.+podman\.sock, and only Docker is supported: it sends no oom event.*\n.+-> install Docker Engine/);
    } finally {
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true });
    }
  });

  fullOnly(() => {
    it("uses another socket where a daemon answers", async function () {
      if (!(await dockerAnswers())) this.skip();
      const directory = mkdtempSync(path.join(tmpdir(), "setup-socket-"));
      const socket = { DOCKER_HOST: `unix://${directory}/docker.sock` };
      symlinkSync("/var/run/docker.sock", path.join(directory, "docker.sock"));
      try {
        const first = await setup([], socket);
        assert.equal(first.exitCode, 0, first.all);
        assert.deepEqual(await setup([], socket).then(({ exitCode, all }) => [exitCode, all]), [0, ""]);
        assert.equal((await setup([])).exitCode, 0);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });

    it("takes the stand-in where the pulumi on PATH lacks its plugins, and they are out of reach", async function () {
      if (!(await dockerAnswers())) this.skip();
      const directory = mkdtempSync(path.join(tmpdir(), "setup-pulumi-"));
      writeFileSync(path.join(directory, "pulumi"), "#!/bin/sh\necho no network >&2\nexit 1\n", { mode: 0o755 });
      const lacking = { PATH: `${directory}:${process.env["PATH"] ?? ""}`, PULUMI_HOME: directory };
      try {
        const { exitCode, stderr } = await setup([], lacking);
        assert.equal(exitCode, 0, stderr);
        assert.match(stderr, /the stand-in offline\/engine is used \(the one on PATH lacks plugins, and they are out of reach\)/);
        assert.equal((await setup([], lacking)).all, "");
        const online = await setup(["--online"], lacking);
        assert.equal(online.exitCode, 2);
        assert.match(online.stderr, /setup-pulumi-\w+\/pulumi lacks plugins, and their download failed/);
      } finally {
        rmSync(directory, { recursive: true });
        assert.equal((await setup([])).exitCode, 0);
      }
    });
  });

  it("has nothing to do the second time, and says nothing; two at once are no trouble", async function () {
    if (!(await dockerAnswers())) this.skip();
    const first = await Promise.all([setup([]), setup([])]);
    assert.deepEqual(first.map(({ exitCode }) => exitCode), [0, 0], first.map(({ all }) => all).join("\n"));
    const again = await setup([]);
    assert.deepEqual([again.exitCode, again.all], [0, ""]);
    // 30 ms on an idle machine; the bound leaves room for a busy one.
    assert.ok(again.tookMs < 500, `it took ${again.tookMs} ms`);
  });

  it("compiles again after a change", async function () {
    if (!(await dockerAnswers())) this.skip();
    const now = new Date();
    utimesSync(path.join(PROJECT, "test/e2e/setup.test.ts"), now, now);
    const { exitCode, stderr } = await setup([]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /compiling to dist/);
    assert.equal((await setup([])).all, "");
  });

  it("refuses an image that is neither in reach nor has a stand-in", async function () {
    if (!(await dockerAnswers())) this.skip();
    const { exitCode, stderr } = await setup(["--image", "registry.invalid/pbjrag/nothing:1"]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /registry\.invalid\/pbjrag\/nothing:1 is out of reach, and there is no stand-in for it/);
    assert.equal((await setup([])).exitCode, 0);
  });
});

describe("e2e: the sample app's repository", function () {
  this.timeout(60_000);
  let directory: string;
  const git = async (repo: string, ...args: string[]): Promise<string> => (await mustRun("git", ["-C", repo, ...args], { cwd: PROJECT })).stdout.trim();
  const make = (repo: string): Promise<Ended> => mustRun("offline/sample-app/make-repo.sh", [repo], { cwd: PROJECT });

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "sample-app-"));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it("is the same wherever it is made, with an annotated tag per release", async () => {
    const repos = [path.join(directory, "one"), path.join(directory, "two")] as const;
    await Promise.all(repos.map(make));
    const [one, two] = await Promise.all(repos.map((repo) => git(repo, "for-each-ref", "--format=%(refname) %(objectname) %(objecttype)")));
    assert.equal(one, two);
    assert.deepEqual((await git(repos[0], "tag")).split("\n"), ["v2.9.0", "v3.0.0", "v3.1.0", "v3.2.0", "v3.3.0"]);
    assert.equal(one?.match(/refs\/tags\/v[\d.]+ [0-9a-f]+ tag/g)?.length, 5);
    assert.equal(await git(repos[0], "status", "--porcelain"), "");
    assert.match(await git(repos[0], "show", "v3.0.0:webui/version.py"), /v3\.0\.0/);
  });

  it("is left as it is while its sources are the same", async () => {
    const repo = path.join(directory, "repo");
    await make(repo);
    writeFileSync(path.join(repo, "own.txt"), "a user's");
    await make(repo);
    assert.equal(await git(repo, "status", "--porcelain"), "?? own.txt");
  });
});
