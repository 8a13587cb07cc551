/** Whatever the program fails by is shown, soon, and ends the update: Pulumi's SDK alone may format such an error without end. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { engineEnv } from "../support/engine.js";
import { run } from "../support/processes.js";
import { ROOT } from "../support/project.js";

const SAID: Readonly<Record<string, RegExp>> = {
  thrown: /thrown at once/, rejected: /rejected later/, text: /a text alone/, nothing: /undefined/, hostile: /something that is no error was thrown/,
  bottomless: /bottomless/, applied: /in an apply/, appliedBottomless: /bottomless/, timer: /in a timer/, unhandled: /nobody waits for it/, refused: /said by Pulumi/,
};

describe("errors that nobody caught", function () {
  this.timeout(300_000);
  let dir: string;
  let env: NodeJS.ProcessEnv;
  before(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "uncaught-"));
    mkdirSync(path.join(dir, "state"));
    symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
    for (const part of ["components", "test/support"]) cpSync(path.join(ROOT, "dist", part), path.join(dir, "dist", part), { recursive: true });
    cpSync(path.join(ROOT, "dist", "offline"), path.join(dir, "dist", "offline"), { recursive: true });
    writeFileSync(path.join(dir, "Pulumi.yaml"), "name: failing\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
    writeFileSync(path.join(dir, "package.json"), JSON.stringify({ main: "dist/test/support/failing-program.js" }));
    env = { ...process.env, ...engineEnv(dir), PULUMI_BACKEND_URL: `file://${dir}/state`, PULUMI_HOME: path.join(dir, "home"), PULUMI_CONFIG_PASSPHRASE: "pass", PULUMI_SKIP_UPDATE_CHECK: "true" };
    assert.equal((await pulumi("stack", "init", "dev")).exitCode, 0);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const pulumi = (...args: string[]): ReturnType<typeof run> => run(env["PULUMI_BIN"] ?? "", args, { cwd: dir, env, timeoutMs: 120_000 });

  for (const [kind, said] of Object.entries(SAID)) {
    it(`${kind}: is shown, and fails the update`, async () => {
      assert.equal((await pulumi("config", "set", "kind", kind)).exitCode, 0);
      const { exitCode, all } = await pulumi("up", "--yes", "--skip-preview", "--non-interactive", "--color", "never");
      assert.notEqual(exitCode, 0, all);
      assert.match(all, said);
      assert.match(all, /failed by a fault of its own: .+ Next: report it/);
    });
  }
});
