import assert from "node:assert/strict";
import { canaryFaults, looksOf, stepsOf, thresholdsOf } from "../../components/canary/rules.js";
import { canaryKey, sharesOf, trialValues } from "../../scripts/cli/canary.js";
import { withoutTrial } from "../../scripts/cli/stack-file.js";
import { settingsOf } from "../settings/sample.js";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const canary = (more: object = {}) => settingsOf({ "pbjrag:canary": JSON.stringify(more) }).canary;

describe("a canary's settings", () => {
  it("have a tenth of the users and ten minutes by default, and no tag", () => {
    const { version, weight, steps, duration, onInsufficient } = canary();
    assert.deepEqual([version, weight, steps, duration, onInsufficient], [undefined, 10, undefined, 600_000, "hold"]);
    assert.deepEqual(thresholdsOf(canary()), { errors: 1, slower: 25, slack: 20, p50: null, p99: 10_000, memory: 90 });
    assert.deepEqual([stepsOf(canary()), stepsOf(canary({ steps: [10, 25, 50] }))], [[10], [10, 25, 50]]);
    assert.deepEqual([looksOf([10], "hold"), looksOf([10, 50], "hold"), looksOf([10], "extend")], [5, 10, 20]);
  });

  it("are refused where they mean nothing, each with its key", () => {
    const faults = (more: object): string[] => canaryFaults({ ...canary(), ...more }).map(([key]) => key);
    assert.deepEqual(faults({}), []);
    assert.deepEqual(faults({ weight: 0 }), ["weight"]);
    assert.deepEqual(faults({ weight: 51 }), ["weight"]);
    for (const steps of [[], [10, 10], [25, 10], [10, 60], Array.from({ length: 11 }, (_, at) => at + 1)]) assert.deepEqual(faults({ steps }), ["steps"]);
    assert.deepEqual(faults({ duration: 10 }), ["duration"]);
    assert.deepEqual([faults({ synthetic: 50 }), faults({ synthetic: 51 })], [[], ["synthetic"]]);
    assert.throws(() => settingsOf({ "pbjrag:canary": JSON.stringify({ synthetic: 5 }), "pbjrag:app": JSON.stringify({ health: { path: "/", script: "" } }) }), /canary\.synthetic/);
    assert.deepEqual(faults({ version: "--help" }), ["version"]);
    assert.deepEqual(faults({ thresholds: { ...canary().thresholds, errors: 0, slower: 0, memory: 100, p50: 0 } }), ["thresholds.errors", "thresholds.slower", "thresholds.p50", "thresholds.memory"]);
    assert.throws(() => canary({ onInsufficient: "wait" }), /onInsufficient/);
    assert.throws(() => canary({ share: 10 }), /share/);
  });
});

describe("--canary", () => {
  it("is one share, several steps, or what config says", () => {
    assert.deepEqual([sharesOf(true), sharesOf("10"), sharesOf("10, 25,50")], [[], [10], [10, 25, 50]]);
    for (const text of ["", "a", "10;20", "100", "1.5", "-1"]) assert.throws(() => sharesOf(text), /percent/);
  });

  it("keeps what the stack's file says of a canary but for its tag and shares, and takes out a tag that is tried no more", () => {
    const dir = mkdtempSync(join(tmpdir(), "canary-rules-"));
    const stackFile = join(dir, "Pulumi.dev.yaml");
    try {
      const text = "config:\n  pbjrag:version: v1.0.0\n  pbjrag:canary:\n    version: v1.5.0\n    duration: 1h\n    steps: [20]\n";
      writeFileSync(stackFile, text);
      assert.deepEqual(canaryKey({ stackFile }, "v2.0.0", []), { version: "v2.0.0", duration: "1h", steps: [20] });
      assert.deepEqual(canaryKey({ stackFile }, "v2.0.0", [5]), { version: "v2.0.0", duration: "1h", weight: 5 });
      assert.deepEqual(canaryKey({ stackFile }, "v2.0.0", [5, 9]), { version: "v2.0.0", duration: "1h", steps: [5, 9] });
      assert.deepEqual(withoutTrial(text), { canary: { duration: "1h", steps: [20] } });
      assert.deepEqual(withoutTrial("config:\n  pbjrag:canary:\n    version: v1.5.0\n"), { canary: undefined });
      assert.deepEqual(withoutTrial("config:\n  pbjrag:canary:\n    weight: 5\n"), {});
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("wants something that serves, and is another tag", () => {
    const ws = { stack: "dev", stackFile: "" } as Parameters<typeof trialValues>[0];
    assert.throws(() => trialValues(ws, { version: "v2.0.0" }, [10], undefined), /nothing is released on dev/);
  });
});
