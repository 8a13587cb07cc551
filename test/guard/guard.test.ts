import assert from "node:assert/strict";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Guard, permittedBy } from "../../components/guard/guard.js";
import { CONTAINER } from "../../components/guard/rules.js";
import { Release } from "../../components/release/release.js";
import { noBackup } from "../../components/backup/model.js";
import { World } from "../release/world.js";

describe("guard/guard", () => {
  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: { ...(inputs as object), stdout: JSON.stringify(noBackup("mocked")) } }),
      call: ({ inputs }) => inputs as Record<string, unknown>,
    });
  });

  it("finds nothing to say of a whole release beside its former one", () => {
    const world = new World();
    world.up("v1.0.0", { more: { "pbjrag:app": '{"hardening":{"dropCapabilities":false}}' } });
    const settings = world.settings("v2.0.0");
    const plan = world.plan("v2.0.0");
    assert.notEqual(plan.former, null);
    const guard = new Guard(permittedBy(plan, settings));
    const declared: string[] = [];
    const note: pulumi.ResourceTransformation = ({ type }) => void declared.push(type);
    new Release("t", { plan, settings, ledger: world.ledger }, { transformations: [guard.look, note] });
    assert.deepEqual(guard.problems, []);
    // Two replicas of each release, Qdrant and the front door.
    assert.equal(declared.filter((type) => type === CONTAINER).length, 6);
  });

  it("finds nothing to say of a canary that keeps what config lets it keep", () => {
    const world = new World();
    world.up("v1.0.0");
    const ask = { canary: "v2.0.0", more: { "pbjrag:app": '{"hardening":{"dropCapabilities":false}}' } };
    const settings = world.settings("v1.0.0", ask);
    const plan = world.plan("v1.0.0", ask);
    assert.equal(plan.canary?.revision.tag, "v2.0.0");
    const guard = new Guard(permittedBy(plan, settings));
    new Release("t", { plan, settings, ledger: world.ledger }, { transformations: [guard.look] });
    assert.deepEqual(guard.problems, []);
  });

  it("finds what is declared in spite of it", () => {
    const world = new World();
    const plan = world.plan("v1.0.0");
    const guard = new Guard(permittedBy(plan, world.settings("v1.0.0")));
    new docker.Container("rogue", { image: pulumi.output("app:v1"), ports: [{ internal: 22, external: 2222 }] }, { transformations: [guard.look] });
    assert.deepEqual(guard.problems.map(({ subject, what }) => `${subject}: ${what}`), [
      "Container rogue: publishes port 22 on any:2222, which config does not say", "Container rogue: has no limit of its memory, swap included",
      "Container rogue: has no limit of its cpus", "Container rogue: can gain privileges", "Container rogue: keeps capabilities",
    ]);
  });
});
