import assert from "node:assert/strict";
import { toRecorded } from "../../components/settings/recorded.js";
import { settingsLeft, withSettingsLeft } from "../../scripts/cli/settings-left.js";
import { settingsOf } from "../settings/sample.js";

const recorded = (app: object, more: Record<string, string> = {}): ReturnType<typeof toRecorded> => toRecorded(settingsOf({ "pbjrag:app": JSON.stringify(app), ...more }));

describe("settings that a rollback leaves in the stack's file", () => {
  it("are told key by key, each with the command that writes what serves", () => {
    const left = settingsLeft("prod", recorded({ memory: "2GiB", env: { NEW: "1", MODE: "it's" } }), recorded({ memory: "1GiB", env: { MODE: "it's so" } }));
    assert.deepEqual(left, [
      { words: "app.env.MODE: it's -> it's so", command: "scripts/pulumi.sh --stack prod config set --path pbjrag:app.env.MODE 'it'\\''s so'" },
      { words: "app.env.NEW: 1 -> (unset)", command: "scripts/pulumi.sh --stack prod config rm --path pbjrag:app.env.NEW" },
      { words: "app.memory: 2GiB -> 1GiB", command: "scripts/pulumi.sh --stack prod config set --path pbjrag:app.memory 1GiB" },
    ]);
  });

  it("are those of a release alone: the operator's own keys stay as they are", () => {
    assert.deepEqual(settingsLeft("s", recorded({}, { "pbjrag:keepWarm": "false" }), recorded({}, { "pbjrag:keepWarm": "true" })), []);
  });

  it("stand above the last line, which counts them; without any, nothing is said", () => {
    const done = { exitCode: 0 as const, summary: "v1 serves", next: "" };
    assert.equal(withSettingsLeft(done, "/x/Pulumi.s.yaml", []), done);
    const told = withSettingsLeft(done, "/x/Pulumi.s.yaml", [{ words: "a: 1 -> 2", command: "c" }]);
    assert.match(told.summary, /^v1 serves; Pulumi\.s\.yaml still has a setting of the release that was left/);
    assert.deepEqual(told.lines, ["a: 1 -> 2: c"]);
  });
});
