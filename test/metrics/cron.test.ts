import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ROOT } from "../support/project.js";

describe("the README's line for cron", () => {
  it("writes the file in the shell that cron uses, and has no character that cron reads itself", () => {
    const [, line = ""] = /```bash\n\* \* \* \* \* ([^\n]*--prometheus[^\n]*)\n```/.exec(readFileSync(path.join(ROOT, "README.md"), "utf8")) ?? [];
    assert.match(line, /status\.sh --stack prod --prometheus/);
    // cron(8) 3.0pl1 takes a percent sign for a line end.
    assert.equal(line.includes("%"), false);
    const root = mkdtempSync(path.join(tmpdir(), "pbjrag-cron-"));
    try {
      mkdirSync(path.join(root, "scripts"));
      writeFileSync(path.join(root, "scripts/status.sh"), "#!/bin/sh\necho \"metrics of $2\"\n", { mode: 0o755 });
      mkdirSync(path.join(root, "collector"));
      execFileSync("/bin/sh", ["-c", line.replaceAll("/opt/pbjrag-release", root).replaceAll("/var/lib/node_exporter", path.join(root, "collector"))]);
      assert.deepEqual(readdirSync(path.join(root, "collector")), ["pbjrag.prom"]);
      assert.equal(readFileSync(path.join(root, "collector/pbjrag.prom"), "utf8"), "metrics of prod\n");
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
