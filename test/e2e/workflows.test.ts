/** The jobs of .github/workflows for real: each in a fresh clone, as a runner's checkout is, and all that lasts outside of it. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Repository } from "../source/repository.js";
import { removeStack } from "../support/docker.js";
import { freePort, stackName } from "../support/names.js";
import { type Ended, mustRun, run } from "../support/processes.js";
import { createProject, type Project } from "../support/project.js";
import { TINY } from "../support/tiny-stack.js";
import { TINY_APP } from "../support/tiny-app.js";
import { stepOf } from "../support/workflow.js";
import { ask, PAGE } from "./traffic/client.js";

type Stage = "staging" | "prod";

describe("e2e: the workflows' jobs", function () {
  this.timeout(600_000);
  const source = new Repository();
  const dataDir = mkdtempSync(path.join(tmpdir(), "workflows-data-"));
  const stacks: Record<Stage, string> = { staging: stackName("ghs"), prod: stackName("ghp") };
  const ports: Record<Stage, number> = { staging: 0, prod: 0 };

  before(async () => {
    for (const stage of ["staging", "prod"] as const) ports[stage] = await freePort();
    commit("v1.0.0");
  });
  after(async () => {
    for (const stack of Object.values(stacks)) await removeStack(stack);
    source.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  function commit(tag: string): void {
    source.write("CHANGELOG.md", `## ${tag.slice(1)}\n`);
    source.write("app.py", TINY_APP);
    source.write("Dockerfile", `FROM python:3.11-slim\nENV NAME=${tag} PORT=8501\nRUN mkdir -p /app/uploads\nCOPY app.py /app/\nSTOPSIGNAL SIGKILL\nLABEL stack=${stacks.prod}\nCMD ["python3", "/app/app.py"]\n`);
    source.release(tag);
  }
  /** A checkout with both stack files, as git has them; and the ticks, which are committed. */
  async function checkout(ticked: string | null): Promise<Project> {
    const config = {
      source: source.dir, dataDir, app: TINY, qdrant: { cpus: 1, memory: "256MiB" }, backup: { scratchCpus: 1, scratchMemory: "256MiB" },
      gate: { passes: 2, interval: "100ms", deadline: "30s", requestTimeout: "5s" }, drain: { deadline: "1s", onRollback: "0ms" }, docker: { cpuOvercommit: 100 },
      watch: { for: "3s", interval: "500ms" },
    };
    const of = (stage: Stage): Record<string, unknown> => ({ ...config, environment: stage, proxy: { bind: "127.0.0.1", port: ports[stage] }, ...(stage === "prod" ? { checklist: { staging: stacks.staging } } : {}) });
    const project = await createProject("workflows", { stack: stacks.prod, port: ports.prod, config: of("prod") });
    const prod = readFileSync(path.join(project.dir, `Pulumi.${stacks.prod}.yaml`));
    await project.configure(of("staging"));
    copyFileSync(path.join(project.dir, `Pulumi.${stacks.prod}.yaml`), path.join(project.dir, `Pulumi.${stacks.staging}.yaml`));
    writeFileSync(path.join(project.dir, `Pulumi.${stacks.prod}.yaml`), prod);
    if (ticked !== null) await tick(project, ticked);
    return project;
  }
  async function tick(project: Project, tag: string): Promise<void> {
    const file = path.join("checklists", `${tag}.md`);
    mkdirSync(path.join(project.dir, "checklists"), { recursive: true });
    const open = await run(path.join(project.dir, "scripts", "checklist.sh"), ["--stack", stacks.prod, "--version", tag, "--write"], { cwd: project.dir, env: environment(project) });
    assert.equal(open.exitCode, 2, open.all);
    writeFileSync(path.join(project.dir, file), readFileSync(path.join(project.dir, file), "utf8").replaceAll("[ ]", "[x]"));
    const git = (...args: string[]): Promise<unknown> => mustRun("git", ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", ...args], { cwd: project.dir });
    await git("add", "--force", file);
    await git("commit", "--quiet", "-m", `Tick ${tag}`);
  }
  const environment = (project: Project): Record<string, string> => ({ ...project.env, GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: project.dir, npm_config_registry: "http://127.0.0.1:9/", npm_config_fetch_retries: "0" });

  /** One job's steps in order, as a runner does them; the stacks that it names are the test's. */
  async function job(file: string, name: string, steps: readonly string[], { ticked = null, env = {} }: { ticked?: string | null; env?: Record<string, string> } = {}): Promise<Ended[]> {
    const project = await checkout(ticked);
    const ended: Ended[] = [];
    try {
      for (const step of steps) {
        const script = stepOf(file, name, step).run.replaceAll(/--stack (staging|prod)\b/g, (_all, stage: Stage) => `--stack ${stacks[stage]}`);
        const one = await run("bash", ["-e", "-o", "pipefail", "-c", script], { cwd: project.dir, timeoutMs: 300_000, env: { ...environment(project), GITHUB_OUTPUT: path.join(project.dir, "output"), ...env } });
        assert.equal(one.exitCode, 0, `${name}, ${step}:\n${one.all}`);
        ended.push(one);
      }
      return ended;
    } finally {
      await project.forget();
    }
  }
  const serving = async (stage: Stage): Promise<string> => (await ask(`http://127.0.0.1:${ports[stage]}`, { headers: PAGE })).by;

  it("release a tag on staging and then, with its checklist, on prod, and watch it", async () => {
    const [deployed, status] = await job("deploy.yml", "staging", ["Deploy", "What runs now"], { env: { VERSION: "v1.0.0" } });
    assert.match(deployed?.lastLine ?? "", /^DONE \(exit 0\): v1\.0\.0 was watched for 3s/);
    assert.match(status?.stdout ?? "", /health {6}healthy/);
    const [passed] = await job("deploy.yml", "prod", ["Checklist", "Deploy", "What runs now"], { ticked: "v1.0.0", env: { VERSION: "v1.0.0" } });
    assert.match(passed?.all ?? "", /ok +staging/);
    assert.deepEqual([await serving("staging"), await serving("prod")], ["v1.0.0", "v1.0.0"]);
  });

  it("preview and release the next one from clones that know nothing of the last", async () => {
    commit("v2.0.0");
    const [preview] = await job("deploy.yml", "preview", ["Preview"]);
    assert.match(preview?.all ?? "", /v2\.0\.0/);
    await job("deploy.yml", "staging", ["Deploy"], { env: { VERSION: "v2.0.0" } });
    await job("deploy.yml", "prod", ["Checklist", "Deploy"], { ticked: "v2.0.0", env: { VERSION: "v2.0.0" } });
    assert.deepEqual([await serving("staging"), await serving("prod")], ["v2.0.0", "v2.0.0"]);
  });

  it("go back", async () => {
    const [back, status] = await job("rollback.yml", "rollback", ["Roll back", "What runs now"], { env: { STACK: stacks.prod, VERSION: "", WITH_DATA: "false" } });
    assert.match(back?.all ?? "", /v1\.0\.0 serves again/);
    assert.match(status?.stdout ?? "", /v1\.0\.0 \(v1\.0\.0-[0-9a-f]{8}\)/);
    assert.deepEqual([await serving("staging"), await serving("prod")], ["v2.0.0", "v1.0.0"]);
  });
});
