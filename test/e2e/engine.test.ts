import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Checkpoint } from "../../offline/engine/state/checkpoint.js";

const MAIN = resolve(__dirname, "../../offline/engine/main.js");
const MODULES = resolve(dirname(require.resolve("@pulumi/pulumi/package.json")), "../..");

/** A small program with one of everything: its gate can be told to fail, or to take its time. */
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const docker = require("@pulumi/docker");
const command = require("@pulumi/command");
const config = new pulumi.Config();
const prefix = config.require("prefix");
const version = config.require("version");
const gate = config.get("gate") ?? "pass";
const labels = [{ label: "test", value: prefix }, { label: "engine", value: "yes" }];
const own = new pulumi.StackReference("own", { name: \`organization/\${pulumi.getProject()}/\${pulumi.getStack()}\` });
class Gate extends pulumi.dynamic.Resource {
  constructor(name, args, opts) {
    super({
      async diff(id, olds, news) { return { changes: olds.version !== news.version || olds.gate !== news.gate, replaces: ["version"] }; },
      async create(inputs) {
        if (inputs.gate === "fail") throw new Error("the gate says no");
        if (inputs.gate === "slow") await new Promise((done) => setTimeout(done, 60000));
        return { id: inputs.version, outs: { ...inputs, verdict: "passed with " + inputs.token.length + " characters" } };
      },
    }, name, { verdict: undefined, ...args }, opts);
  }
}
class Room extends pulumi.ComponentResource {
  constructor(name) { super("test:index:Room", name); }
}
const parent = new Room("room");
const network = new docker.Network("network", { name: prefix, labels }, { parent });
const volume = new docker.Volume("volume", { name: prefix, labels }, { parent });
const image = new docker.Image("image", {
  imageName: prefix + ":" + version, skipPush: true,
  build: { context: "image", dockerfile: "image/Dockerfile", args: { VERSION: version }, platform: "linux/amd64" },
}, { parent, retainOnDelete: true });
const app = new docker.Container("app-" + version, {
  name: prefix + "-" + version, image: image.repoDigest, labels, memory: 64, memorySwap: 64, restart: "no",
  networksAdvanced: [{ name: network.name, aliases: ["app"] }], volumes: [{ volumeName: volume.name, containerPath: "/data" }],
  ports: [{ internal: 80, ip: "127.0.0.1" }], envs: [pulumi.interpolate\`TOKEN=\${config.requireSecret("token")}\`],
  destroyGraceSeconds: 1, init: true,
}, { parent });
const backup = new command.local.Command("backup", { create: "test -n \\"$RUN_ID\\"", triggers: [version] }, { dependsOn: [app] });
const verdict = new Gate("gate", { version, gate, token: config.requireSecret("token") }, { dependsOn: [backup] }).verdict;
exports.version = version;
exports.former = own.getOutput("version").apply((before) => before ?? "none");
exports.verdict = verdict;
exports.port = app.ports.apply((ports) => ports[0].external);
exports.token = config.requireSecret("token");
`;

describe("stand-in engine on real Docker", function () {
  this.timeout(180_000);
  const prefix = `t-engine-${randomBytes(3).toString("hex")}`;
  let directory: string;

  const environment = () => ({
    ...process.env,
    PULUMI_BACKEND_URL: `file://${directory}/state`,
    PULUMI_HOME: join(directory, "home"),
    PULUMI_CONFIG_PASSPHRASE: "pass",
    RUN_ID: prefix,
  });
  const pulumi = (...args: string[]) => {
    const result = spawnSync(process.execPath, [MAIN, ...args], { cwd: directory, encoding: "utf8", env: environment() });
    return { status: result.status, text: result.stdout + result.stderr };
  };
  const succeed = (...args: string[]): string => {
    const { status, text } = pulumi(...args);
    assert.equal(status, 0, `pulumi ${args.join(" ")}:\n${text}`);
    return text;
  };
  const docker = (...args: string[]): string => spawnSync("docker", args, { encoding: "utf8" }).stdout.trim();
  const containers = (): string[] => docker("ps", "-a", "--format", "{{.Names}}", "--filter", `label=test=${prefix}`).split("\n").filter(Boolean).sort();
  const state = () => (JSON.parse(readFileSync(join(directory, "state/.pulumi/stacks", prefix, "dev.json"), "utf8")) as Checkpoint).checkpoint.latest;
  const outputs = () => JSON.parse(succeed("stack", "output", "--json")) as Record<string, unknown>;
  const started = async (child: ChildProcess, text: string): Promise<void> => {
    let said = "";
    for await (const chunk of child.stdout ?? []) {
      said += String(chunk);
      if (said.includes(text)) return;
    }
    assert.fail(`it ended without '${text}':\n${said}`);
  };

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "engine-"));
    mkdirSync(join(directory, "image"));
    symlinkSync(MODULES, join(directory, "node_modules"));
    writeFileSync(join(directory, "Pulumi.yaml"), `name: ${prefix}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n`);
    writeFileSync(join(directory, "package.json"), JSON.stringify({ main: "index.js" }));
    writeFileSync(join(directory, "index.js"), PROGRAM);
    writeFileSync(join(directory, "image/Dockerfile"), 'FROM python:3.11-slim\nARG VERSION\nENV VERSION=$VERSION\nCMD ["sleep", "3600"]\n');
    succeed("stack", "init", "dev");
    succeed("config", "set", "prefix", prefix);
    succeed("config", "set", "version", "v1");
    succeed("config", "set", "--secret", "token", "hush-hush");
  });

  after(() => {
    for (const name of containers()) docker("rm", "-f", name);
    docker("network", "rm", prefix);
    docker("volume", "rm", prefix);
    for (const version of ["v1", "v2"]) docker("rmi", "-f", `${prefix}:${version}`);
    rmSync(directory, { recursive: true, force: true });
  });

  it("previews without touching anything, then makes everything", () => {
    const preview = JSON.parse(succeed("preview", "--json")) as { changeSummary: Record<string, number> };
    assert.equal(preview.changeSummary.create, 8);
    assert.deepEqual(containers(), []);
    const text = succeed("up", "--yes", "--skip-preview", "--non-interactive");
    assert.match(text, /\+ {2}docker:index:Container app-v1 creating/);
    assert.match(text, /\+ 8 created/);
    assert.deepEqual(containers(), [`${prefix}-v1`]);
    assert.equal(docker("inspect", "-f", "{{.State.Running}}", `${prefix}-v1`), "true");
    const { version, former, verdict, token, port } = outputs();
    assert.deepEqual([version, former, verdict, token], ["v1", "none", "passed with 9 characters", "[secret]"]);
    assert.ok(Number(port) > 0);
    assert.ok(!JSON.stringify(state()).includes("hush-hush"), "no secret in the clear");
  });

  it("finds nothing to do the second time, also after looking at what there is", () => {
    // The stack reference reads other outputs than the first time, which is no change of a resource.
    succeed("up", "--yes", "--skip-preview", "--expect-no-changes");
    succeed("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes");
    assert.equal(outputs().former, "v1");
  });

  it("deletes nothing when a gate fails, keeps the outputs, and resumes", () => {
    succeed("config", "set", "version", "v2");
    succeed("config", "set", "gate", "fail");
    const { status, text } = pulumi("up", "--yes", "--skip-preview");
    assert.equal(status, 1);
    assert.match(text, /the gate says no/);
    assert.deepEqual(containers(), [`${prefix}-v1`, `${prefix}-v2`]);
    assert.equal(outputs().version, "v1");
    succeed("config", "set", "gate", "pass");
    succeed("up", "--yes", "--skip-preview");
    assert.deepEqual(containers(), [`${prefix}-v2`]);
    assert.equal(outputs().former, "v1");
    assert.equal(docker("images", "-q", `${prefix}:v1`).length, 12, "an image is kept");
  });

  it("leaves its lock and what was under way when it is killed; cancel and refresh clear them", async () => {
    succeed("config", "set", "version", "v1");
    succeed("config", "set", "gate", "slow");
    const engine = spawn(process.execPath, [MAIN, "up", "--yes", "--skip-preview"], { cwd: directory, env: environment() });
    await started(engine, "gate creating");
    engine.kill("SIGKILL");
    assert.deepEqual(state()?.pending_operations?.map((each) => each.type), ["creating"]);
    const locks = join(directory, "state/.pulumi/locks/organization", prefix, "dev");
    const count = (): number => readdirSync(locks).filter((file) => file.endsWith(".json")).length;
    assert.equal(count(), 1);
    const locked = pulumi("up", "--yes", "--skip-preview");
    assert.equal(locked.status, 1);
    assert.match(locked.text, /currently locked by 1 lock/);
    succeed("cancel", "--yes");
    assert.equal(count(), 0);
    succeed("config", "set", "gate", "pass");
    assert.match(succeed("preview"), /to replace/);
    succeed("refresh", "--yes", "--skip-preview", "--clear-pending-creates");
    assert.equal(state()?.pending_operations, undefined);
    succeed("up", "--yes", "--skip-preview");
    assert.deepEqual(containers(), [`${prefix}-v1`]);
    endDynamicProviders(prefix);
  });

  it("repairs a container that has gone", () => {
    docker("rm", "-f", `${prefix}-v1`);
    assert.match(succeed("up", "--yes", "--skip-preview", "--refresh"), /\+ 1 created/);
    assert.deepEqual(containers(), [`${prefix}-v1`]);
  });

  it("destroys everything it has made", () => {
    succeed("destroy", "--yes", "--skip-preview");
    assert.deepEqual(containers(), []);
    assert.equal(docker("network", "ls", "-q", "--filter", `name=${prefix}`), "");
    assert.equal(docker("volume", "ls", "-q", "--filter", `name=${prefix}`), "");
    succeed("stack", "rm", "dev", "--yes");
  });
});

/** The killed engine's provider lives on, as the real one's does: it is found by the run id in its environment. */
function endDynamicProviders(run: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      if (command.includes("dynamic-provider") && environment.includes(`RUN_ID=${run}\0`)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended, or belongs to somebody else.
    }
  }
}
