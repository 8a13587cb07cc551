import assert from "node:assert/strict";
import { parse } from "yaml";
import { configValue, configValues, encryptionSalt, rawConfigOf, securePaths, skipping, stackFileProblem, staleValues, withConfig } from "../../scripts/cli/stack-file.js";

const file = `# head
encryptionsalt: v1:abc
config:
  pbjrag:version: v2.9.0 # the tag
  pbjrag:app:
    memory: 1GiB
    secretEnv:
      TOKEN:
        secure: v1:cipher
  other:key: x
`;

describe("stack file", () => {
  it("changes one value and keeps comments, order and everything else", () => {
    const changed = withConfig(file, { version: "v3.0.0" });
    assert.equal(changed, file.replace("v2.9.0", "v3.0.0"));
  });

  it("leaves a step out this once, beside what else is said of it, and says nothing without a reason", () => {
    assert.deepEqual(skipping(file, "backup", undefined), {});
    assert.deepEqual(skipping(file, "backup", "hurry"), { backup: { skipReason: "hurry" } });
    assert.deepEqual(skipping(withConfig(file, { backup: { quiesce: "pause" } }), "backup", "hurry"), { backup: { quiesce: "pause", skipReason: "hurry" } });
  });

  it("makes the config of an empty file, and removes a key that is undefined", () => {
    const made = withConfig("", { source: "./app", attempt: undefined });
    assert.deepEqual(parse(made), { config: { "pbjrag:source": "./app" } });
    assert.equal(configValue(withConfig(file, { version: undefined }), "version"), undefined);
  });

  it("reads the namespace's values only", () => {
    assert.deepEqual(Object.keys(configValues(file)), ["version", "app"]);
    assert.equal(configValue(file, "version"), "v2.9.0");
    assert.deepEqual(configValues(""), {});
  });

  it("writes values that Pulumi would read as something else as text, as `pulumi config set` does", () => {
    for (const value of ["0755", "1_000", "~", "2024-01-01", "true", "null", "1e3", "2026_11_30", "0b11"]) {
      const text = withConfig("", { version: value });
      assert.equal(text, `config:\n  pbjrag:version: ${JSON.stringify(value)}\n`);
      assert.equal(configValue(text, "version"), value);
    }
    assert.equal(withConfig(file, { version: "2026-11-30" }), file.replace("v2.9.0", '"2026-11-30"'));
  });

  it("gives a value as Pulumi gives it to the program", () => {
    const text = "config:\n  pbjrag:version: 2026_11_30\n  pbjrag:app: { env: { UMASK: 022 } }\n  pbjrag:source: 010\n  pbjrag:dataDir:\n";
    assert.deepEqual(configValues(text), { version: "20261130", app: { env: { UMASK: 18 } }, source: "8", dataDir: "" });
    assert.deepEqual(rawConfigOf(text), { "pbjrag:version": "20261130", "pbjrag:app": '{"env":{"UMASK":18}}', "pbjrag:source": "8", "pbjrag:dataDir": "" });
  });

  it("says what must be written down of a release: its version, and that data which it names was left", () => {
    const text = withConfig("", { version: "v1", data: { generation: "r1", restoreFrom: "x" } });
    assert.deepEqual(staleValues(text, "v1", "r1"), {});
    assert.deepEqual(staleValues(text, "v2", "r1"), { version: "v2" });
    assert.deepEqual(Object.keys(staleValues(text, "v1", "0")), ["data"]);
    assert.equal(configValue(withConfig(text, staleValues(text, "v1", "0")), "data"), undefined);
    assert.deepEqual(staleValues(withConfig("", { version: "v1" }), "v1", "r1"), {});
  });

  it("gives all config as Pulumi does, with a word for what is encrypted", () => {
    const config = rawConfigOf(`${file}  plain: 7\n  pbjrag:qdrant:\n    secure: v1:x\n`);
    assert.deepEqual(config, {
      "pbjrag:version": "v2.9.0", "pbjrag:app": '{"memory":"1GiB","secretEnv":{"TOKEN":"/encrypted"}}', "other:key": "x", "pbjrag:plain": "7",
    });
    assert.deepEqual([rawConfigOf(""), rawConfigOf("config:\n")], [{}, {}]);
    assert.deepEqual([encryptionSalt(file), encryptionSalt("")], ["v1:abc", null]);
  });

  it("finds what is encrypted", () => {
    const more = `${file}  secret:\n    secure: v1:x\n  pbjrag:list:\n    - plain\n    - { a: { secure: v1:y } }\n`;
    assert.deepEqual(securePaths(more), [["pbjrag:app", "secretEnv", "TOKEN"], ["pbjrag:secret"], ["pbjrag:list", "1", "a"]]);
    assert.deepEqual(securePaths(""), []);
  });

  it("says what is no stack file", () => {
    for (const text of ["", "# nothing\n", "config:\n", file]) assert.equal(stackFileProblem(text), null);
    assert.match(stackFileProblem("config:\n  a: [1\n  b: 2\n") ?? "", /^it is no YAML: .* at line 3, column 3$/);
    assert.match(stackFileProblem("config: 7\n") ?? "", /its config is no list of keys/);
    assert.match(stackFileProblem("text") ?? "", /it holds no keys/);
    assert.match(stackFileProblem("config:\n  pbjrag:app: { cpus: .inf }\n") ?? "", /config\.pbjrag:app\.cpus is Infinity, which Pulumi cannot store/);
  });
});
