import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openWorkspace } from "../../scripts/cli/workspace.js";

describe("scripts/workspace", () => {
  let dir: string;
  const before = { ...process.env };
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "workspace-"));
    Object.assign(process.env, { PULUMI_CONFIG_PASSPHRASE: "x", GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: dir });
  });
  afterEach(() => {
    for (const name of ["PULUMI_CONFIG_PASSPHRASE", "GITHUB_ACTIONS", "GITHUB_WORKSPACE"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    rmSync(dir, { recursive: true, force: true });
  });
  const open = (stack: string, dataDir: string): (() => unknown) => {
    writeFileSync(path.join(dir, `Pulumi.${stack}.yaml`), `config:\n  pbjrag:dataDir: ${dataDir}\n`);
    return () => openWorkspace(dir, stack).paths.dataDir;
  };

  it("keeps backups and state out of a CI job's checkout, which the next job cleans", () => {
    for (const inside of [".", "data", "x/../data", `${dir}/data`]) assert.throws(open("prod", inside), /cleaned before each job.*dataDir/s, inside);
    const outside = mkdtempSync(path.join(tmpdir(), "data-"));
    try {
      assert.equal(open("prod", outside)(), outside);
      process.env["GITHUB_WORKSPACE"] = path.join(outside, "work");
      assert.equal(open("prod", dir)(), dir);
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  });
  it("lets a stack for trying out keep them there, and everybody who is no CI job", () => {
    assert.equal(open("dev", ".")(), dir);
    delete process.env["GITHUB_ACTIONS"];
    assert.equal(open("prod", ".")(), dir);
  });
  it("lets who only reads do so where nothing can be written", () => {
    delete process.env["GITHUB_ACTIONS"];
    writeFileSync(path.join(dir, "file"), "");
    assert.throws(open("prod", path.join(dir, "file")), /dataDir/);
    const { paths } = openWorkspace(dir, "prod", "read");
    assert.equal(paths.dataDir, path.join(dir, "file"));
  });
});
