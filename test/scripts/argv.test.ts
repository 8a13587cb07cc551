import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readPassphraseFile } from "../../components/runtime/passphrase-file.js";
import { ordered } from "../../scripts/cli/argv.js";
import { ROOT } from "../support/project.js";

describe("how the scripts are called", () => {
  let dir: string;
  beforeEach(() => { dir = realpathSync(mkdtempSync(path.join(tmpdir(), "called-"))); });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("with the stack before a group's command, as well as after it", () => {
    assert.deepEqual(ordered(["backups", "--stack", "prod", "list", "--json"]), ["backups", "list", "--stack", "prod", "--json"]);
    assert.deepEqual(ordered(["backups", "--stack=prod", "verify"]), ["backups", "verify", "--stack=prod"]);
    for (const same of [["backups", "list"], ["backups", "--help"], ["backups", "--stack", "prod"], ["deploy", "--stack", "prod"], []]) assert.deepEqual(ordered(same), same);
  });

  it("through a symbolic link from anywhere", () => {
    const project = path.join(dir, "project");
    for (const part of ["scripts/deploy.sh", "scripts/lib/cli.sh", "scripts/lib/node.sh"]) cpSync(path.join(ROOT, part), path.join(project, part));
    writeFileSync(path.join(project, "scripts/setup.sh"), "#!/bin/sh\n");
    chmodSync(path.join(project, "scripts/setup.sh"), 0o755);
    mkdirSync(path.join(project, "dist"));
    writeFileSync(path.join(project, "dist/cli.cjs"), "console.log(JSON.stringify([process.cwd(), ...process.argv.slice(2)]))");
    symlinkSync("project/scripts/deploy.sh", path.join(dir, "release"));
    const said = execFileSync(path.join(dir, "release"), ["--dry-run"], { cwd: "/", encoding: "utf8" });
    assert.deepEqual(JSON.parse(said), [project, "deploy", "--dry-run"]);
  });

  it("with a passphrase in a file, read as Pulumi reads it", () => {
    const file = path.join(dir, "passphrase");
    for (const [text, read] of [["word\n", "word"], [" two words \r\n", "two words"], ["\uFEFFword\n", "\uFEFFword"], ["\u0085word\u00a0", "word"], ["\n", ""]] as const) {
      writeFileSync(file, text);
      assert.equal(readPassphraseFile(file), read);
    }
    assert.throws(() => readPassphraseFile(dir), /^Error: it is a directory$/);
    assert.throws(() => readPassphraseFile(path.join(dir, "none")), /^Error: there is no such file$/);
  });
});
