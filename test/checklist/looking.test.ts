import assert from "node:assert/strict";
import { checkByCommand, runCommand } from "../../components/checklist/run-command.js";
import { checkSecrets } from "../../components/checklist/secrets.js";
import { withTree } from "./tree.js";

/** Made here, so that no scan of this repository finds it. */
const GITHUB_TOKEN = `ghp_${"aB3dE5gH7jK9mN1pQ3sT5vW7yZ0cD2fG4hJ6"}`;

describe("checklist: looking at files", function () {
  this.timeout(60_000);

  it("finds a planted secret, says where and not what, also in a hidden file and where the tree says not to look", async () => {
    const files = { "app.py": "x = 1\n", "deep/.env": `a=1\nTOKEN=${GITHUB_TOKEN}\n`, ".secretlintignore": "**\n", ".secretlintrc.json": '{"rules":[]}', ".gitignore": "deep\n" };
    const answer = await withTree(files, (tree) => checkSecrets(tree, 30_000));
    assert.deepEqual([answer.status, answer.lines], ["fail", ["deep/.env:2: GITHUB_TOKEN"]]);
    assert.doesNotMatch(JSON.stringify(answer), /aB3dE5gH7/);
  });
  it("finds nothing in a tree that has none", async () => {
    const answer = await withTree({ "app.py": 'password = input("password: ")\n', "README.md": "# x\n" }, (tree) => checkSecrets(tree, 30_000));
    assert.deepEqual([answer.status, answer.what], ["pass", "none in 2 files"]);
  });
  it("does not take a scan that did not end for a pass", async () => {
    assert.equal((await withTree({ a: "" }, (tree) => checkSecrets(tree, 1))).status, "unknown");
  });
  it("tells a failing test from one that passes, and from a tool that is not there", async () => {
    const tests = (script: string): Promise<{ status: string; lines: string[] }> => withTree({ "package.json": JSON.stringify({ scripts: { test: script } }) }, (tree) => checkByCommand("tests", tree, { deadline: 30_000, command: undefined }));
    assert.equal((await tests("exit 0")).status, "pass");
    const failing = await tests("echo 1 of 7 failed; exit 3");
    assert.deepEqual([failing.status, failing.lines], ["fail", ["1 of 7 failed"]]);
    assert.equal((await withTree({ "package.json": "{}", "tsconfig.json": "{}" }, (tree) => checkByCommand("types", tree, { deadline: 30_000, command: undefined }))).status, "unknown");
    assert.equal((await withTree({ a: "" }, (tree) => checkByCommand("tests", tree, { deadline: 30_000, command: undefined }))).status, "unknown");
  });
  it("runs the operator's command where the files are, without secrets, and ends one that hangs", async () => {
    process.env["PULUMI_CONFIG_PASSPHRASE"] = "hunter2";
    process.env["SOME_TOKEN"] = "hunter3";
    try {
      const ended = await withTree({ here: "" }, ({ root }) => runCommand(["bash", "-c", "ls; env"], root, 30_000));
      assert.match(ended.stdout, /^here$/m);
      assert.doesNotMatch(ended.stdout, /hunter/);
    } finally {
      delete process.env["PULUMI_CONFIG_PASSPHRASE"];
      delete process.env["SOME_TOKEN"];
    }
    const began = performance.now();
    const hung = await withTree({ a: "" }, (tree) => checkByCommand("tests", tree, { deadline: 300, command: "sleep 600 & wait" }));
    assert.deepEqual([hung.status, hung.what], ["fail", "bash -c sleep 600 & wait ended with it did not end within 0.3 s"]);
    assert.ok(performance.now() - began < 10_000);
  });
});
