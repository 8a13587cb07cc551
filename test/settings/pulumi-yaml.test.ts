import assert from "node:assert/strict";
import { isMisread } from "../../components/settings/pulumi-scalars.js";
import { programText, pulumiJson, pulumiYaml, type PulumiValue, readPulumiYaml, unreadable } from "../../components/settings/pulumi-yaml.js";
import { TABLE } from "./pulumi-scalars.table.js";

const fileWith = (text: string): string => `config:\n  pbjrag:own: ${text}\n  pbjrag:within:\n    k: ${text}\n`;
const configOf = (text: string): Record<string, PulumiValue> => (readPulumiYaml(text) as { config: Record<string, PulumiValue> }).config;

describe("Pulumi's reading of a stack's file", () => {
  it("is ours, value by value", () => {
    for (const [text, own, within] of TABLE) {
      const config = configOf(fileWith(text));
      if (own === null) {
        assert.match(unreadable(config) ?? "", /which Pulumi cannot store$/, text);
        continue;
      }
      assert.equal(unreadable(config), null, text);
      assert.equal(programText(config["pbjrag:own"] ?? null), own, text);
      assert.equal(pulumiJson(config["pbjrag:within"] ?? null), `{"k":${within}}`, text);
    }
  });

  it("gives every text back that was written for it", () => {
    for (const [text] of TABLE) {
      for (const written of [text, `${text} `, `${text}\n`, `- ${text}`]) {
        assert.equal(configOf(`config:\n  a: ${pulumiYaml(written)}\n`)["a"], written);
        assert.deepEqual(readPulumiYaml(pulumiYaml({ [written]: [written] })), { [written]: [written] });
      }
    }
  });

  it("quotes no more than must be where a tag is an ordinary one", () => {
    for (const tag of ["v2.9.0", "2026.11.30", "release-2026-11-30", "2026-11-30-rc1", "1.2.3"]) {
      assert.equal(pulumiYaml(tag), tag);
      assert.equal(isMisread(tag), false);
    }
    for (const tag of ["2026-11-30", "2026_11_30", "20261130", "1.10", "010"]) {
      assert.equal(pulumiYaml(tag), JSON.stringify(tag));
      assert.equal(isMisread(tag), true);
    }
  });

  it("tells what Pulumi cannot store", () => {
    assert.equal(unreadable(readPulumiYaml("config:\n  pbjrag:a:\n    - b: .inf\n")), "config.pbjrag:a.0.b is Infinity, which Pulumi cannot store");
    assert.equal(unreadable(readPulumiYaml("config:\n  a: !!binary aGk=\n")), "config.a is binary");
  });
});
