import assert from "node:assert/strict";
import { editState } from "../../../scripts/cli/drift/edit.js";
import { readKnown } from "../../../scripts/cli/drift/known.js";

const label = (role: string): object[] => [{ label: "pbjrag.stack", value: "s" }, { label: "pbjrag.role", value: role }];
const proxy = {
  urn: "proxy", type: "docker:index/container:Container", custom: true, id: "old", parent: "stack",
  inputs: { name: "pbjrag-s-proxy", labels: label("proxy"), volumes: [{ volumeName: "live", containerPath: "/live" }], networksAdvanced: [{ name: "pbjrag-s" }], envs: { ciphertext: "x" } },
  outputs: { id: "old", name: "pbjrag-s-proxy", image: "haproxy" },
};
const state = {
  version: 3,
  deployment: {
    secrets_providers: { type: "passphrase", state: { salt: "v1:x" } },
    resources: [
      { urn: "stack", type: "pulumi:pulumi:Stack", custom: false, outputs: { releases: [] } },
      { urn: "live", type: "docker:index/volume:Volume", custom: true, id: "live", inputs: { name: "live", labels: label("proxy") } },
      proxy,
      { urn: "front", type: "pulumi-nodejs:dynamic:Resource", custom: true, id: "f", dependencies: ["proxy", "live"], propertyDependencies: { proxyContainer: ["proxy"], stack: [] }, deletedWith: "proxy" },
      { ...proxy, urn: "leaving", id: "x", delete: true },
    ],
    pending_operations: [{ type: "creating", resource: { ...proxy, urn: "app", inputs: { name: "pbjrag-s-app-v2-1" } } }, { type: "updating", resource: proxy }],
  },
};
const text = JSON.stringify(state);

describe("drift: the state", () => {
  it("tells Docker's objects, and what a killed update was making", () => {
    const { objects, beingMade } = readKnown(text);
    assert.deepEqual(objects.map(({ kind, id, name, role }) => [kind, id, name, role]), [["volume", "live", "live", "proxy"], ["container", "old", "pbjrag-s-proxy", "proxy"]]);
    assert.deepEqual(objects[1]?.volumes, [{ volume: "live", path: "/live" }]);
    assert.deepEqual(objects[1]?.networks, ["pbjrag-s"]);
    assert.deepEqual([...beingMade], ["pbjrag-s-app-v2-1"]);
  });

  it("of a stack that has none yet is empty", () => {
    assert.deepEqual(readKnown("").objects, []);
    assert.deepEqual(readKnown('{"version":3,"deployment":{}}').objects, []);
  });

  it("gets the ID of what was made anew, and nothing else changes", () => {
    const edited = JSON.parse(editState(text, { adopted: [{ urn: "proxy", from: "old", to: "new" }], forgotten: [] })) as typeof state;
    const expected = JSON.parse(text) as typeof state;
    const entry = expected.deployment.resources.find(({ urn }) => urn === "proxy") as typeof proxy;
    entry.id = "new";
    entry.outputs.id = "new";
    assert.deepEqual(edited, expected);
  });

  it("forgets that something was to be made in the place of what is there", () => {
    const half = { deployment: { resources: [{ ...proxy, pendingReplacement: true }] } };
    const adopt = (id: string): object[] => (JSON.parse(editState(JSON.stringify(half), { adopted: [{ urn: "proxy", from: id, to: "new" }], forgotten: [] })) as typeof half).deployment.resources;
    assert.deepEqual(adopt("old"), [{ ...proxy, id: "new", outputs: { ...proxy.outputs, id: "new" } }]);
    assert.deepEqual(adopt("other"), half.deployment.resources);
  });

  it("loses what is gone, from what others depend on as well", () => {
    const { resources } = (JSON.parse(editState(text, { adopted: [], forgotten: ["proxy"] })) as typeof state).deployment;
    assert.deepEqual(resources.map(({ urn }) => urn), ["stack", "live", "front", "leaving"]);
    const front = resources.find(({ urn }) => urn === "front");
    assert.deepEqual(front, { urn: "front", type: "pulumi-nodejs:dynamic:Resource", custom: true, id: "f", dependencies: ["live"], propertyDependencies: { proxyContainer: [], stack: [] } });
  });
});
