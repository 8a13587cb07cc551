import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { helpTexts } from "../../scripts/cli/help-texts.js";
import { program } from "../../scripts/cli/program.js";

const PROJECT = path.join(__dirname, "../../..");
const DOCS = path.join(PROJECT, "docs/commands");

describe("scripts/help-texts", () => {
  it("is what docs/commands holds (npm run docs writes it)", () => {
    const kept = readdirSync(DOCS).sort().map((file) => ({ name: path.basename(file, ".txt"), text: readFileSync(path.join(DOCS, file), "utf8") }));
    const made = helpTexts(program()).sort((a, b) => (`${a.name}.txt` < `${b.name}.txt` ? -1 : 1));
    assert.deepEqual(kept, made);
  });

  describe("in a fresh clone", () => {
    let clone: string;
    const said = (script: string, args: string[]): Promise<{ stdout: string; exitCode?: number | undefined }> =>
      execa(path.join(clone, "scripts", script), args, { reject: false, env: { PATH: "/usr/bin:/bin" }, extendEnv: false });

    before(() => {
      clone = mkdtempSync(path.join(tmpdir(), "help-"));
      mkdirSync(path.join(clone, "docs"));
      cpSync(path.join(PROJECT, "scripts"), path.join(clone, "scripts"), { recursive: true });
      cpSync(DOCS, path.join(clone, "docs/commands"), { recursive: true });
    });
    after(() => rmSync(clone, { recursive: true, force: true }));

    for (const [script, args, title] of [
      ["deploy.sh", ["--help"], "scripts/deploy.sh"],
      ["deploy.sh", ["--stack", "prod", "-h"], "scripts/deploy.sh"],
      ["backups.sh", ["--stack", "prod", "list", "--help"], "scripts/backups.sh list"],
      ["backups.sh", ["--help"], "scripts/backups.sh"],
      ["rollback.sh", ["v2.9.0", "--help"], "scripts/rollback.sh"],
      ["pulumi.sh", ["--help"], "scripts/pulumi.sh"],
    ] as const) {
      it(`${script} ${args.join(" ")} needs nothing, and installs nothing`, async () => {
        const { stdout, exitCode } = await said(script, [...args]);
        assert.equal(exitCode, 0);
        assert.ok(stdout.startsWith(`Usage: ${title} `), stdout.slice(0, 80));
        assert.deepEqual(readdirSync(clone).sort(), ["docs", "scripts"]);
      });
    }
  });
});
