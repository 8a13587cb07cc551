import assert from "node:assert/strict";
import fc from "fast-check";
import { readPulumiYaml } from "../../components/settings/pulumi-yaml.js";
import { withConfig } from "../../scripts/cli/stack-file.js";

/** As people leave it: forms that a writer would not choose. */
const byHand = `\uFEFF# head

encryptionsalt:   v1:abc
config:   # what is set
    other:umask:   010
    'pbjrag:version':  "v2.9.0"   # the tag
    pbjrag:app:
        env: {UMASK: 022,  A: 'x'}   # flow
        # about memory
        memory: 1GiB

    pbjrag:canary:
        version: v3.0.0  # tried
        steps:
        - 10
        - 25   # then
    # about the last one
    other:list: [1_000,
        2]
# foot
`;

describe("edits of a stack's file", () => {
  it("leave every neighbour as it is to the byte", () => {
    const set = withConfig(byHand, { version: "2026-11-30" });
    assert.equal(set, byHand.replace('"v2.9.0"', '"2026-11-30"'));
    assert.equal(withConfig(byHand, { app: { env: { UMASK: 18, A: "x" }, memory: "2GiB" } }), byHand.replace("1GiB", "2GiB"));
    assert.equal(withConfig(byHand, { canary: { steps: [10, 25] } }), byHand.replace("        version: v3.0.0  # tried\n", ""));
    assert.equal(withConfig(byHand, { canary: undefined }), byHand.replace(/ {4}pbjrag:canary:[^]*# then\n/, ""));
    assert.equal(withConfig(byHand, { source: "./app" }), byHand.replace("        2]\n", "        2]\n    pbjrag:source: ./app\n"));
    assert.equal(withConfig(byHand, { app: { env: { UMASK: 18, A: "x" }, memory: "1GiB", port: 80 } }), byHand.replace("1GiB\n", "1GiB\n        port: 80\n"));
    assert.equal(withConfig(byHand, {}), byHand);
    assert.equal(withConfig(byHand, { version: "v2.9.0", data: undefined }), byHand);
  });

  it("leave the ends of lines as they are", () => {
    const windows = byHand.replaceAll("\n", "\r\n");
    assert.equal(withConfig(windows, { version: "v3", source: "a" }), withConfig(byHand, { version: "v3", source: "a" }).replaceAll("\n", "\r\n"));
    assert.equal(withConfig("config:\n  a: 1", { version: "v1" }), "config:\n  a: 1\n  pbjrag:version: v1\n");
  });

  it("take a config without a value, and a file with comments alone", () => {
    assert.equal(withConfig("config:\n", { version: "v1" }), "config:\n  pbjrag:version: v1\n");
    assert.equal(withConfig("config: # none\nencryptionsalt: x\n", { version: "v1" }), "config: # none\n  pbjrag:version: v1\nencryptionsalt: x\n");
    assert.equal(withConfig("# head\n", { version: "v1" }), "# head\nconfig:\n  pbjrag:version: v1\n");
    assert.equal(withConfig("config:\n  pbjrag:version:\n", { version: "v1" }), "config:\n  pbjrag:version: v1\n");
    assert.equal(withConfig("config:\n  pbjrag:version: |\n    v1\n  a: 010\n", { version: "v2" }), "config:\n  pbjrag:version: v2\n  a: 010\n");
  });

  it("keep the content of forms that cannot be edited in place", () => {
    for (const text of ["config: {pbjrag:version: v1, b: 010}\n", "config:\n  pbjrag:version: &v v1\n  b: *v\n", "{config: {b: 010}}\n", "config:\n  pbjrag:version: v1\n"]) {
      const before = readPulumiYaml(text) as { config: Record<string, unknown> };
      const b = Object.hasOwn(before.config, "b") ? { b: before.config["b"] === "v1" ? "v2" : before.config["b"] } : {};
      assert.deepEqual(readPulumiYaml(withConfig(text, { version: "v2" })), { config: { "pbjrag:version": "v2", ...b } }, text);
    }
    assert.deepEqual(readPulumiYaml(withConfig("config:\n  pbjrag:version: v1\n", { version: undefined })), { config: {} });
  });

  it("read as meant, whatever is set (property)", () => {
    const text = fc.oneof(fc.constantFrom("2026-11-30", "010", "~", "", " x", "x ", "a: b", "# c", "- d", "a\nb", "{", "'", '"', "é", "yes", "1:30", "\t"), fc.string());
    const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null));
    const value = fc.oneof(leaf, fc.dictionary(text.filter((key) => key !== "__proto__"), fc.oneof(leaf, fc.array(leaf)), { minKeys: 1, noNullPrototype: true }));
    fc.assert(fc.property(fc.constantFrom("version", "app", "canary", "source"), value, (key, set) => {
      const before = readPulumiYaml(byHand) as { config: object };
      const after = readPulumiYaml(withConfig(byHand, { [key]: set }));
      assert.deepEqual(after, { ...before, config: { ...before.config, [`pbjrag:${key}`]: set } });
    }), { numRuns: 60 });
  });
});
