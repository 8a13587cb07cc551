import assert from "node:assert/strict";
import fc from "fast-check";
import { fromRecorded, parseRecorded, rollbackConfig, settingsDiff, toConfig, toRecorded } from "../../components/settings/recorded.js";
import { loadSettings } from "../../components/settings/load.js";
import { SAMPLE, settingsOf } from "./sample.js";

const mebibytes = fc.integer({ min: 6, max: 100_000 }).map((count) => `${count}MiB`);
const cores = fc.integer({ min: 1, max: 64_000 }).map((milli) => Math.max(0.01, milli / 1000));
const word = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/).filter((name) => !name.startsWith("QDRANT") && !name.startsWith("STREAMLIT"));
const config = fc.record({
  version: fc.constantFrom("v1.0.0", "release/2", "übung"),
  keepWarm: fc.boolean().map(String),
  app: fc.record({ replicas: fc.integer({ min: 1, max: 9 }), cpus: cores, memory: mebibytes, env: fc.dictionary(word, fc.string().map((text) => text.replaceAll("\0", ""))) }, { requiredKeys: [] }),
  qdrant: fc.record({ cpus: cores, memory: mebibytes }, { requiredKeys: [] }),
  gate: fc.record({ interval: fc.integer({ min: 50, max: 1999 }).map((ms) => `${ms}ms`) }, { requiredKeys: [] }),
  drain: fc.record({ onRollback: fc.integer({ min: 0, max: 86_400 }).map((s) => `${s}s`) }, { requiredKeys: [] }),
  volumes: fc.record({ qdrant: fc.constant("qdrant_storage") }, { requiredKeys: [] }),
});
const raw = config.map((values) => Object.fromEntries(Object.entries(values).map(([key, value]) => [`pbjrag:${key}`, typeof value === "string" ? value : JSON.stringify(value)])));
const stacks = fc.constantFrom("dev", "staging", "prod");

describe("settings/recorded", () => {
  it("leads back to config that loads to the same, for any settings", () => {
    fc.assert(
      fc.property(raw, stacks, stacks, (values, stack, elsewhere) => {
        const recorded = toRecorded(settingsOf(values, stack));
        const again = loadSettings({ stack: elsewhere, config: toConfig(recorded) });
        assert.ok("settings" in again, JSON.stringify(again));
        assert.deepEqual(toRecorded(again.settings), recorded);
        assert.deepEqual(settingsDiff(recorded, toRecorded(again.settings)), []);
      }),
    );
  });
  it("survives the ledger, which is JSON", () => {
    fc.assert(
      fc.property(raw, stacks, (values, stack) => {
        const recorded = toRecorded(settingsOf(values, stack));
        assert.deepEqual(parseRecorded(JSON.parse(JSON.stringify(recorded))), { settings: recorded });
      }),
    );
  });
  it("holds no secret and no one-run key", () => {
    const settings = settingsOf({
      "pbjrag:app": '{"secretEnv":{"TOKEN":"hunter2"}}', "pbjrag:qdrant": '{"apiKey":"hunter3"}', "pbjrag:proxy": '{"allowInterruption":true}', "pbjrag:attempt": "a1",
      "pbjrag:backup": '{"repository":"rest:https://u:hunter4@host","repositoryPassword":"hunter5","repositoryEnv":{"KEY":"hunter6"}}', "pbjrag:finish": "v1-00000000", "pbjrag:reapply": "true",
    });
    const text = JSON.stringify([toRecorded(settings), toConfig(toRecorded(settings))]);
    assert.doesNotMatch(text, /hunter|TOKEN|apiKey|allowInterruption|attempt|finish|reapply|repository/);
    assert.deepEqual(fromRecorded(toRecorded(settings), settings), settings);
  });
  it("gives a field that is younger than the record its default, and refuses what it does not know", () => {
    const recorded = toRecorded(settingsOf({}, "prod"));
    const old: Record<string, unknown> = JSON.parse(JSON.stringify(recorded)) as Record<string, unknown>;
    delete old["drain"];
    assert.deepEqual(parseRecorded(old), { settings: recorded });
    assert.deepEqual(Object.keys(parseRecorded({ ...old, canary: 1 })), ["why"]);
    assert.deepEqual(Object.keys(parseRecorded({ ...old, version: undefined })), ["why"]);
    assert.deepEqual(Object.keys(parseRecorded("x")), ["why"]);
  });
  it("rolls back what a release is made of, and keeps secrets and the operator's keys", () => {
    const recorded = toRecorded(settingsOf({ "pbjrag:app": '{"memory":"1GiB","secretEnv":{"OLD":"1"}}', "pbjrag:drain": '{"deadline":"1m"}' }));
    const present = {
      ...SAMPLE, "pbjrag:version": "v4.0.0", "pbjrag:app": '{"memory":"2GiB","env":{"NEW":"1"},"secretEnv":{"TOKEN":"now"}}', "pbjrag:qdrant": '{"apiKey":"key","memory":"3GiB"}',
      "pbjrag:drain": '{"deadline":"2m"}', "docker:registryAuth": "x",
    };
    const config = rollbackConfig(present, recorded);
    const settings = settingsOf(config);
    assert.equal(settings.version, "v3.0.0");
    assert.equal(settings.app.memory, 1024 ** 3);
    assert.deepEqual([settings.app.env, settings.app.secretEnv], [{}, { TOKEN: "now" }]);
    assert.deepEqual([settings.qdrant.apiKey, settings.qdrant.memory], ["key", recorded.qdrant.memory]);
    assert.equal(settings.drain.deadline, 120_000);
    assert.equal(config["docker:registryAuth"], "x");
  });
  it("says differences with units", () => {
    const a = toRecorded(settingsOf({ "pbjrag:app": '{"memory":"4GiB","env":{"A":"1"}}' }));
    const b = toRecorded(settingsOf({ "pbjrag:app": '{"memory":"2GiB","env":{"B":""}}', "pbjrag:version": "v2.9.0" }));
    assert.deepEqual(settingsDiff(a, b), ["app.env.A: 1 -> (unset)", 'app.env.B: (unset) -> ""', "app.memory: 4GiB -> 2GiB", "version: v3.0.0 -> v2.9.0"]);
  });
});
