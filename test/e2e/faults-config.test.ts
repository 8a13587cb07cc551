/** Wrong config, no passphrase, no Docker: one clear message each, exit 2, nothing touched, and the next good command works. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { footprint, type Footprint } from "../support/footprint.js";
import { muteSocket } from "../support/mute-socket.js";
import { type Ended, run } from "../support/processes.js";
import { fullOnly, rounds } from "../support/suite.js";
import { TinyStack } from "../support/tiny-stack.js";

/** One of each kind: bad units, a wrong type, unknown keys at two depths, values out of range, rules across keys, a secret that is none. */
const WRONG = {
  app: { memory: "512MB", replicas: 0, helth: { path: "/x" }, env: { A: "1" }, secretEnv: { A: "2" } },
  gate: { deadline: "soon" }, proxy: { port: 70000 }, keepWarm: "maybe", versoin: "v1.0.0", volumes: { qdrant: "one", uploads: "one" },
};
const SUBJECTS = [
  "app.env.A", "app.helth", "app.memory", "app.replicas", "app.secretEnv.A", "gate.deadline", "keepWarm", "proxy.port", "version", "versoin", "volumes",
].map((key) => `pbjrag:${key}`);
const NOTHING: Omit<Footprint, "config"> = { containers: [], volumes: [], networks: [], images: [], route: null, backups: [], state: "" };

describe("faults: wrong config, passphrase, Docker", function () {
  this.timeout(300_000);
  let tiny: TinyStack;
  let file: string;
  before(async () => {
    tiny = await TinyStack.open("cfg");
    file = path.join(tiny.project.dir, `Pulumi.${tiny.project.stack}.yaml`);
    tiny.commit("v1.0.0");
    tiny.commit("v2.0.0");
  });
  after(() => tiny.remove());

  /** Exit 2; the last line says why and, once, what to do; nothing at all is touched. */
  async function assertRefused(why: RegExp, command: () => Promise<Ended>): Promise<Ended> {
    const before = await footprint(tiny.project);
    const ended = await command();
    assert.equal(ended.exitCode, 2, ended.all);
    assert.match(ended.lastLine, /^REFUSED, nothing touched \(exit 2\): .+ Next: .+$/);
    assert.match(ended.lastLine, why);
    assert.equal(ended.lastLine.match(/Next:/g)?.length, 1, ended.lastLine);
    assert.doesNotMatch(ended.all, /^\s+at .+:\d+:\d+\)?$/m, "a stack trace");
    assert.deepEqual(await footprint(tiny.project), before);
    return ended;
  }
  const deploy = (env: Record<string, string | undefined> = {}): Promise<Ended> => tiny.deploy("v1.0.0", [], { env });
  /** A script on another stack than the test's. */
  const onStack = (stack: string): Promise<Ended> =>
    run("scripts/deploy.sh", ["--version", "v1.0.0", "--stack", stack], { cwd: tiny.project.dir, env: tiny.project.env });
  /** The CLI itself: the set-up, which comes before it in the scripts, wants a Docker of its own. */
  const cli = (command: string, env: Record<string, string>): Promise<Ended> =>
    run(process.execPath, ["dist/cli.cjs", command, "--stack", tiny.project.stack], { cwd: tiny.project.dir, env: { ...tiny.project.env, ...env } });

  describe("before the first release", () => {
    it("tells all problems at once, and makes not even the stack", async () => {
      await tiny.configure(WRONG);
      const { config } = await footprint(tiny.project);
      assert.deepEqual(await footprint(tiny.project), { ...NOTHING, config });
      const { all } = await assertRefused(/: 11 problems: pbjrag:/, () => tiny.deploy("$(id)"));
      const told = [...all.matchAll(/^ {2}\| (pbjrag:[\w.]+): .+ Next: .+$/gm)].map(([, subject]) => subject);
      assert.deepEqual(told.sort(), SUBJECTS);
      assert.match(all, /app\.memory: .*did you mean 512MiB/);
      assert.match(all, /app\.helth: is not known.*known here: .*health/);
    });

    it("shows what the first release would do, and makes not even the stack", async () => {
      await tiny.configure({});
      const before = await footprint(tiny.project);
      const { exitCode, all } = await tiny.deploy("v1.0.0", ["--dry-run"]);
      assert.equal(exitCode, 0, all);
      assert.match(all, /this is what deploy would change; nothing was touched/);
      assert.deepEqual(await footprint(tiny.project), before);
    });

    it("says so where the stack that a preview needed cannot be removed again, and leaves its file as it was", async () => {
      const bin = path.join(tiny.project.dir, ".release", "no-rm");
      writeFileSync(bin, `#!/bin/sh\n[ "$1 $2" != "stack rm" ] || { echo "error: not today" >&2; exit 1; }\nexec "${tiny.project.env.PULUMI_BIN}" "$@"\n`, { mode: 0o755 });
      const { config } = await footprint(tiny.project);
      const { exitCode, all } = await tiny.deploy("v1.0.0", ["--dry-run"], { env: { PULUMI_BIN: bin } });
      assert.equal(exitCode, 0, all);
      assert.match(all, /the stack that this preview needed is still there: .*not today.*; remove it with: scripts\/pulumi\.sh --stack /);
      assert.deepEqual((await footprint(tiny.project)).config, config);
      assert.equal((await tiny.project.pulumi(["stack", "rm", "--yes", "--preserve-config"])).exitCode, 0);
      assert.deepEqual(await footprint(tiny.project), { ...NOTHING, config });
    });

    it("tells a plain pulumi preview and up the same", async () => {
      await tiny.configure({ ...WRONG, version: "$(id)" });
      for (const args of [["preview"], ["up", "--yes", "--skip-preview"]].slice(0, rounds(1, 2))) {
        const { exitCode, all } = await tiny.project.pulumi([...args, "--non-interactive"]);
        assert.notEqual(exitCode, 0);
        for (const subject of SUBJECTS) assert.ok(all.includes(`- ${subject}: `), `${subject} in\n${all}`);
      }
      const now = await footprint(tiny.project);
      assert.notEqual(now.state, "", "a plain pulumi needs a stack");
      assert.match(now.config, /encryptionsalt/);
      assert.deepEqual({ ...now, state: "", config: "" }, { ...NOTHING, config: "" });
    });

    it("refuses a stack file that is none", async () => {
      writeFileSync(file, "config:\n  pbjrag:app: {memory: 1GiB\n");
      await assertRefused(/Pulumi\.t-cfg-\w+\.yaml cannot be read: it is no YAML: .+ at line \d+/, deploy);
      writeFileSync(file, "config: v1.0.0\n");
      await assertRefused(/its config is no list of keys/, deploy);
    });

    it("refuses names that are none, and stacks that nobody knows", async () => {
      await tiny.configure({});
      await assertRefused(/"\.\.\/x" is no stack name: it must be made of letters and digits/, () => onStack("../x"));
      await assertRefused(/is no stack name: it is \d+ characters too long/, () => onStack("a-stack-with-a-name-that-is-long"));
      await assertRefused(/there is no stack nobody: Pulumi\.nobody\.yaml does not exist\. Next: copy Pulumi\.staging\.yaml/, () => onStack("nobody"));
    });

    it("refuses arguments that it does not know", async () => {
      await assertRefused(/unknown option '--versoin'/, () => tiny.project.script("deploy", ["--versoin", "v1.0.0"]));
      await assertRefused(/--wait <duration>.+'soon' is invalid\. Say a whole number with ms, s, m or h/, () => tiny.project.script("deploy", ["--wait", "soon"]));
      await assertRefused(/--no-backup needs a reason/, () => tiny.project.script("deploy", ["--no-backup"]));
      await assertRefused(/too many arguments/, () => tiny.project.script("rollback", ["v1.0.0", "v2.0.0"]));
    });

    it("refuses a dataDir in which nothing can be kept", async () => {
      await tiny.configure({ dataDir: "README.md" });
      await assertRefused(/dataDir .+\/README\.md.+ is no directory\. Next: make it a directory/, deploy);
      const { exitCode, all } = await tiny.project.pulumi(["stack", "ls"]);
      assert.equal(exitCode, 2);
      assert.match(all, /README\.md is no directory/);
    });

    it("refuses to go on without a passphrase", async () => {
      await tiny.configure({});
      const none = { PULUMI_CONFIG_PASSPHRASE: undefined };
      await assertRefused(/no passphrase is set.+Next: set PULUMI_CONFIG_PASSPHRASE/, () => deploy(none));
      await assertRefused(/PULUMI_CONFIG_PASSPHRASE_FILE names a file that cannot be read/, () => deploy({ ...none, PULUMI_CONFIG_PASSPHRASE_FILE: "/nowhere" }));
    });

    it("refuses without a Docker that answers, or with another than this machine's", async () => {
      await assertRefused(/this machine is not ready/, () => deploy({ DOCKER_HOST: "tcp://192.0.2.1:2375" }));
      for (const command of ["deploy", "rollback", "status"]) {
        await assertRefused(/Docker does not answer on \/nowhere\/docker\.sock: there is no such socket.+Next: run scripts\/setup\.sh/, () =>
          cli(command, { DOCKER_HOST: "unix:///nowhere/docker.sock" }));
      }
      await assertRefused(/DOCKER_HOST is ssh:\/\/prod; only a local socket/, () => cli("deploy", { DOCKER_HOST: "ssh://prod" }));
    });

    it("then releases, when all is corrected", async () => {
      await tiny.released("v1.0.0");
    });
  });

  describe("while a release serves", () => {
    it("refuses wrong config as before, and what serves is not touched", async () => {
      await tiny.configure(WRONG);
      await assertRefused(/: 11 problems: /, () => tiny.deploy("-x"));
    });

    it("refuses to go back or to finish with wrong keys of the operator's", async () => {
      await tiny.configure({ drain: { onRolback: "1s" }, dockr: { host: "x" } });
      await assertRefused(/2 problems: pbjrag:drain\.onRolback, pbjrag:dockr/, () => tiny.project.script("rollback"));
      await assertRefused(/2 problems: /, () => tiny.project.script("finish"));
    });

    it("refuses an image that cannot be had, when everything else is told to be right", async () => {
      await tiny.configure({ proxy: { port: tiny.project.port, image: "registry.invalid/haproxy:9", allowInterruption: true }, keepwarm: true });
      await assertRefused(/pbjrag:keepwarm: is not known/, () => tiny.deploy("v2.0.0"));
      await tiny.configure({ proxy: { port: tiny.project.port, image: "registry.invalid/haproxy:9", allowInterruption: true } });
      await assertRefused(/pbjrag:proxy\.image: registry\.invalid\/haproxy:9 is not on this host and cannot be pulled/, () => tiny.deploy("v2.0.0"));
    });

    it("refuses a wrong passphrase by its name", async () => {
      await tiny.configure({});
      await assertRefused(/the passphrase is not the one that its secrets were encrypted with\. Next: set PULUMI_CONFIG_PASSPHRASE/, () =>
        tiny.deploy("v2.0.0", [], { env: { PULUMI_CONFIG_PASSPHRASE: "another" } }));
    });

    it("then has nothing to repair", async () => {
      const { exitCode, all } = await tiny.project.script("status");
      assert.equal(exitCode, 0, all);
      assert.match(all, /v1\.0\.0 .*\nhealth +healthy\n/);
    });
  });

  fullOnly(() => {
    it("does not wait for ever for a Docker that hangs", async () => {
      const mute = await muteSocket();
      try {
        for (const command of ["deploy", "rollback", "status"]) {
          await assertRefused(/Docker does not answer on .+mute\.sock: no answer within 10 s/, () => cli(command, { DOCKER_HOST: `unix://${mute.path}` }));
        }
      } finally {
        await mute.close();
      }
    });
  });
});
