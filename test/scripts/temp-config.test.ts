import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startTimeOf } from "../../components/runtime/liveness.js";
import { dataPaths } from "../../components/runtime/paths.js";
import { replaceFile, sweepReplaced } from "../../scripts/cli/replace-file.js";
import { sweepConfigs, TempConfig } from "../../scripts/cli/temp-config.js";
import type { Workspace } from "../../scripts/cli/workspace.js";

describe("files that a command makes for itself", () => {
  let dir: string;
  let ws: Workspace;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "temp-config-"));
    const paths = dataPaths(".", "dev", dir);
    ws = { projectDir: dir, stack: "dev", stackFile: path.join(dir, "Pulumi.dev.yaml"), paths, env: {} };
    mkdirSync(paths.run, { recursive: true });
    writeFileSync(ws.stackFile, "config:\n  pbjrag:source: app\n");
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("is a copy of the stack's file with other values, readable by its owner alone, and goes with the command", () => {
    const config = new TempConfig(ws, { version: "v2" });
    assert.equal(readFileSync(config.file, "utf8"), "config:\n  pbjrag:source: app\n  pbjrag:version: v2\n");
    sweepConfigs(ws.paths);
    assert.ok(existsSync(config.file), "a live command's is not swept");
    config.remove();
    assert.deepEqual(readdirSync(ws.paths.run), []);
  });

  it("goes when the process is ended by its own exit, and is swept when it was killed", () => {
    const script = (end: string): string => `
      const { TempConfig } = require(${JSON.stringify(require.resolve("../../scripts/cli/temp-config.js"))});
      new TempConfig(${JSON.stringify(ws)}, { version: "v2" });
      ${end}`;
    spawnSync(process.execPath, ["-e", script("process.exit(130)")]);
    assert.deepEqual(readdirSync(ws.paths.run), []);
    spawnSync(process.execPath, ["-e", script('process.kill(process.pid, "SIGKILL")')]);
    assert.equal(readdirSync(ws.paths.run).length, 1);
    sweepConfigs(ws.paths);
    assert.deepEqual(readdirSync(ws.paths.run), []);
  });

  it("is not taken for another process's that got the number since", () => {
    const start = startTimeOf(process.pid) ?? assert.fail("no /proc");
    mkdirSync(path.join(ws.paths.run, `config-${process.pid}-${start - 1}-abcdef`));
    sweepConfigs(ws.paths);
    assert.deepEqual(readdirSync(ws.paths.run), []);
  });

  it("replaces a file whole, and sweeps what a kill left beside it", () => {
    replaceFile(ws.stackFile, "config: {}\n", 0o644);
    assert.equal(readFileSync(ws.stackFile, "utf8"), "config: {}\n");
    assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith("Pulumi")), ["Pulumi.dev.yaml"]);
    writeFileSync(`${ws.stackFile}.new`, "conf");
    sweepReplaced(ws.stackFile);
    assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith("Pulumi")), ["Pulumi.dev.yaml"]);
  });
});
