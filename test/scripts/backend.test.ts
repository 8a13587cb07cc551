import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dataPaths } from "../../components/runtime/paths.js";
import { askedBackend, otherBackend, rememberBackend } from "../../scripts/cli/backend.js";
import { stateLost } from "../../scripts/cli/state-copy.js";
import type { Workspace } from "../../scripts/cli/workspace.js";

describe("which backend has a stack", () => {
  let dir: string;
  let ws: Workspace;
  const before = process.env["PULUMI_BACKEND_URL"];
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "backend-"));
    const paths = dataPaths(".", "s", dir);
    mkdirSync(paths.run, { recursive: true });
    ws = { projectDir: dir, stack: "s", stackFile: path.join(dir, "Pulumi.s.yaml"), paths, env: { PULUMI_BACKEND_URL: `file://${paths.state}` } };
    delete process.env["PULUMI_BACKEND_URL"];
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
    if (before === undefined) delete process.env["PULUMI_BACKEND_URL"];
    else process.env["PULUMI_BACKEND_URL"] = before;
  });

  it("is that of the environment, of a login, or the stack's own directory", () => {
    assert.deepEqual(askedBackend(ws, { PULUMI_BACKEND_URL: "s3://me:word@bucket/x/" }), { url: "s3://bucket/x", by: "environment" });
    assert.deepEqual(askedBackend(ws, {}), { url: `file://${ws.paths.state}`, by: "default" });
    writeFileSync(path.join(dir, "credentials.json"), '{"current":"https://example.org"}');
    assert.deepEqual(askedBackend({ env: {} }, { PULUMI_CREDENTIALS_PATH: dir }), { url: "https://example.org", by: "login" });
  });

  it("a variable left from another project is told, with the way back, and no state is imported", () => {
    rememberBackend(ws);
    assert.equal(otherBackend(ws, "nothing is known"), null);
    process.env["PULUMI_BACKEND_URL"] = "file:///elsewhere";
    const refused = stateLost(ws, "no such stack is known");
    assert.equal(refused.code, "otherBackend");
    assert.equal(refused.exitCode, 2);
    assert.equal(refused.why, `PULUMI_BACKEND_URL names file:///elsewhere, where no such stack is known; its releases were recorded in file://${ws.paths.state}`);
    assert.equal(refused.next, "unset PULUMI_BACKEND_URL, then run again");
  });

  it("so is one that is missing now", () => {
    process.env["PULUMI_BACKEND_URL"] = "s3://bucket";
    rememberBackend(ws);
    delete process.env["PULUMI_BACKEND_URL"];
    assert.equal(stateLost(ws, "x").next, "export PULUMI_BACKEND_URL=s3://bucket, then run again");
  });

  it("a stack from before that was written down is known by its state file", () => {
    process.env["PULUMI_BACKEND_URL"] = "file:///elsewhere";
    assert.equal(stateLost(ws, "x").code, "stateLost");
    const stacks = path.join(ws.paths.state, ".pulumi", "stacks", "pbjrag");
    mkdirSync(stacks, { recursive: true });
    writeFileSync(path.join(stacks, "s.json"), JSON.stringify({ version: 3, checkpoint: { stack: "s" } }));
    assert.equal(stateLost(ws, "x").code, "otherBackend");
  });

  it("a state that is lost where it always was is lost", () => {
    rememberBackend(ws);
    assert.equal(stateLost(ws, "x").code, "stateLost");
  });
});
