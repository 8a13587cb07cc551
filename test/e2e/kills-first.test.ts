/** Kills of a stack's first deploy, when there is nothing to go back to. */
import assert from "node:assert/strict";
import { fullOnly } from "../support/suite.js";
import { containerCreated, containersStarted, docked, imageBuilt, journalled, locked, recorded, served, type Moment } from "./kills/moments.js";
import { KillWorld, VICTIMS } from "./kills/world.js";

const MOMENTS: readonly Moment[] = [
  locked, journalled("backup", "start"), docked("network created", { type: "network", action: "create" }),
  docked("Qdrant's container created", { type: "container", action: "create", role: "qdrant" }), docked("proxy started", { type: "container", action: "start", role: "proxy" }),
  imageBuilt, journalled("front", "start"), containerCreated, containersStarted, journalled("gate", "start"), journalled("route", "start"), served, recorded,
];

fullOnly(() => describe("a first deploy that is killed", function () {
  this.timeout(900_000);

  MOMENTS.forEach((moment, at) => {
    const victim = VICTIMS[at % VICTIMS.length] ?? "tree";
    it(`${victim} killed at ${moment.name}`, async () => {
      const world = await KillWorld.open("first");
      try {
        const tag = world.tag();
        const { hit, ended } = await world.strike(() => world.startDeploy(tag), tag, moment, (running) => world.kill(running, victim));
        assert.ok(hit, `the run was over before: ${ended.lastLine}`);
        if (victim === "engine") assert.ok([0, 3, 4].includes(ended.exitCode), ended.all);
        // Whoever was served once is served on.
        const serves = moment === served || moment === recorded;
        if (serves) world.welcome();
        await world.converge(tag, ended);
        if (serves) world.assertServed();
      } finally {
        await world.close();
      }
    });
  });
}));
