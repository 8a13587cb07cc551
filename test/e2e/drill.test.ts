import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { DrillReport } from "../../scripts/cli/drill/report.js";
import type { Status } from "../../scripts/cli/status-model.js";
import { keptFor } from "../support/docker.js";
import { TinyStack } from "../support/tiny-stack.js";

describe("e2e: a drill", function () {
  this.timeout(600_000);
  let tiny: TinyStack;

  before(async () => {
    tiny = await TinyStack.open("drill");
    ["v1.0.0", "v2.0.0"].forEach((tag) => tiny.commit(tag));
    await tiny.released("v1.0.0");
    await tiny.fill();
  });
  after(() => tiny.remove());

  const reports = (): string[] => (existsSync(tiny.project.paths.logs) ? readdirSync(tiny.project.paths.logs).filter((name) => name.startsWith(`drill-${tiny.project.stack}-`)).sort() : []);

  it("refuses where there is nothing to go back to, and touches nothing", async () => {
    const before = await keptFor(tiny.project.stack);
    const ended = await tiny.project.script("drill", []);
    assert.equal(ended.exitCode, 2, ended.all);
    assert.match(ended.lastLine, /there is no earlier release to go back to/);
    assert.deepEqual([await keptFor(tiny.project.stack), reports()], [before, []]);
  });

  it("goes back with data and forward again, every page request answered, and writes down what it found", async () => {
    const then = await tiny.data();
    await tiny.released("v2.0.0");
    const [backup = ""] = tiny.backups();
    const qdrant = await tiny.qdrant();
    await qdrant.upsert("code", [{ id: 1000, vector: [1, 0, 0, 0], payload: { file: "new.py" } }]);
    await tiny.inApp("printf later > /app/uploads/later");
    const now = await tiny.data();

    tiny.startProbes({ uploads: false });
    const ended = await tiny.project.script("drill", []);
    assert.equal(ended.exitCode, 0, ended.all);
    await tiny.answered("v1.0.0", "v2.0.0");
    assert.equal(ended.stdout.match(/writes were paused for \d+ ms/g)?.length, 2);
    assert.deepEqual(await tiny.data("0"), now);
    const { version, data } = JSON.parse((await tiny.project.script("status", ["--json"])).stdout) as Status;
    assert.deepEqual([version, data?.generation], ["v2.0.0", "0"]);
    assert.match(ended.lastLine, /^DONE \(exit 0\): the drill passed: back in [\d.]+ s, forward in [\d.]+ s, all data agreed/);

    const [json = "", text = ""] = reports();
    assert.match(json, /\.json$/);
    const report = JSON.parse(readFileSync(path.join(tiny.project.paths.logs, json), "utf8")) as DrillReport;
    assert.deepEqual([report.passed, report.from, report.recoveryPoint.backup, report.compared], [true, { tag: "v2.0.0", generation: "0" }, backup, { code: "vectors" }]);
    assert.deepEqual(report.recoveryPoint.missing, ["collection code: 1 point added, 0 changed, 0 deleted since the backup", "uploads: 1 file added, 0 changed, 0 deleted since the backup"]);
    assert.ok(report.recoveryPoint.seconds > 0);
    for (const [move, tag, generation] of [[report.back, "v1.0.0", backup], [report.forward, "v2.0.0", "0"]] as const) {
      assert.ok(move !== null);
      const { recoverySeconds, commandSeconds } = move;
      assert.deepEqual([move.tag, move.generation, move.exitCode, move.different], [tag, generation, 0, []]);
      assert.ok(recoverySeconds !== null && recoverySeconds > 0 && recoverySeconds <= commandSeconds, JSON.stringify(move));
    }
    const readable = readFileSync(path.join(tiny.project.paths.logs, text), "utf8");
    assert.ok(ended.stdout.includes(readable), "what is printed is what is written");
    assert.match(readable, /: PASSED\n/);
    for (const name of [json, text]) assert.equal(statSync(path.join(tiny.project.paths.logs, name)).mode & 0o777, 0o600);
    assert.notDeepEqual(then, now);
  });
});
