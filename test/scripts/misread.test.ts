import assert from "node:assert/strict";
import { misread } from "../../scripts/cli/misread.js";

describe("values that Pulumi reads as others", () => {
  it("are told with their place, and nothing else is", () => {
    const text = `config:
  pbjrag:version: 2026-11-30
  pbjrag:source: "010"
  pbjrag:app:
    replicas: 2
    cpus: 0.5
    env: { UMASK: 022, LANG: C.UTF-8, N: ~, B: True, L: [1.10] }
`;
    assert.deepEqual(misread(text), [
      { place: "pbjrag:version", written: "2026-11-30", read: "2026-11-30 00:00:00 +0000 UTC" },
      { place: "pbjrag:app.env.UMASK", written: "022", read: "18" },
      { place: "pbjrag:app.env.L.0", written: "1.10", read: "1.1" },
    ]);
    assert.deepEqual([misread(""), misread("config:\n")], [[], []]);
  });
});
