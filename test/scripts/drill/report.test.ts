import assert from "node:assert/strict";
import { assertNotProduction } from "../../../scripts/cli/drill/drill.js";
import { type DrillMove, type DrillReport, duration, passed, reportLines } from "../../../scripts/cli/drill/report.js";
import { ReleaseError } from "../../../components/runtime/errors.js";

const move = (change: Partial<DrillMove> = {}): DrillMove => ({
  tag: "v1", generation: "g", exitCode: 0, recoverySeconds: 4.2, commandSeconds: 9.9, comparedWith: "b", different: [], problem: "", ...change,
});
const report = (change: Partial<DrillReport> = {}): DrillReport => ({
  schema: 1, stack: "t", startedAt: "2026-01-01T00:00:00.000Z", from: { tag: "v2", generation: "0" },
  recoveryPoint: { backup: "b", takenAt: "2025-12-31T23:00:00.000Z", seconds: 3600, missing: ["uploads: 1 file added"] },
  compared: { code: "payload" }, back: move(), forward: move({ tag: "v2", generation: "0" }), passed: true, ...change,
});

describe("scripts/drill", () => {
  it("has passed when both ways were made and all data was compared and agreed", () => {
    assert.equal(passed([move(), move()]), true);
    for (const bad of [null, move({ exitCode: 5 }), move({ different: ["x"] }), move({ different: null })]) {
      assert.equal(passed([move(), bad]), false);
      assert.equal(passed([bad, move()]), false);
    }
  });

  it("says in words what it found", () => {
    const text = reportLines(report()).join("\n");
    assert.match(text, /^drill of stack t, .*: PASSED\nfrom +v2 on data generation 0\nrecovery point +1 h 0 min: backup b of 2025-12-31T23:00:00.000Z\n +uploads: 1 file added\n/);
    assert.match(text, /back +v1 on data generation g: exit 0, recovery time 4\.2 s, the whole command 9\.9 s\n +all data agrees with backup b\nforward +v2/);
    assert.match(text, /compared +names and contents of all files; code: the payload of every point$/);
  });

  it("says so where something differs, was never served, was not compared or not tried", () => {
    const text = reportLines(report({ passed: false, back: move({ exitCode: 3, recoverySeconds: null, different: null, problem: "no Qdrant" }), forward: null })).join("\n");
    assert.match(text, /NOT PASSED[^]*exit 3, users were never served by it[^]*data not compared: no Qdrant\nforward +not tried/);
    assert.match(reportLines(report({ forward: move({ different: ["collection code: 1 point added"] }) })).join("\n"), /DATA DIFFERS from backup b:\n +collection code: 1 point added/);
    const { recoveryPoint } = report();
    assert.match(reportLines(report({ recoveryPoint: { ...recoveryPoint, missing: null } })).join("\n"), /since could not be counted/);
    assert.match(reportLines(report({ recoveryPoint: { ...recoveryPoint, missing: [] } })).join("\n"), /nothing was written since/);
  });

  it("tells durations as people do", () => {
    assert.deepEqual([0, 12.34, 59.9, 60, 245, 3600, 10_930, 90_000].map(duration), ["0 s", "12.3 s", "59.9 s", "1 min 0 s", "4 min 5 s", "1 h 0 min", "3 h 2 min", "1 d 1 h"]);
  });

  it("refuses production, by the stack's name and by what its config says", () => {
    const refused = (error: unknown): boolean => error instanceof ReleaseError && error.exitCode === 2 && /production/.test(error.message);
    for (const stack of ["prod", "production", "prod-eu"]) assert.throws(() => assertNotProduction(stack, "config: {}\n"), refused);
    assert.throws(() => assertNotProduction("blue", "config:\n  pbjrag:environment: prod\n"), refused);
    for (const stack of ["dev", "staging", "t-drill-1"]) assert.doesNotThrow(() => assertNotProduction(stack, "config:\n  pbjrag:environment: staging\n"));
  });
});
