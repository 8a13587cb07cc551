/** Row 25 at every step. */
import { fullOnly } from "../support/suite.js";
import { containerRemoved, containersStarted, imageBuilt, journalled, locked, recorded, served, settingUp } from "./kills/moments.js";
import { stopped } from "./kills/stop.js";
import { KillWorld } from "./kills/world.js";

const STEPS = [
  settingUp, locked, journalled("plan", "info"), journalled("backup", "start"), imageBuilt, containersStarted, journalled("gate", "start"),
  journalled("route", "start"), served, recorded, containerRemoved,
];

fullOnly(() => describe("row 25: a deploy that is asked to stop", function () {
  this.timeout(900_000);
  let world: KillWorld;
  before(async () => {
    world = await KillWorld.open("stops");
    await world.populate();
  });
  after(() => world.close());

  // At each step either signal, one of them twice: which one takes turns.
  STEPS.forEach((step, at) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const twice = (signal === "SIGINT") === (at % 2 === 0);
      it(`${signal} ${twice ? "twice" : "once"} at ${step.name}`, () => stopped(world, step, signal, twice ? 2 : 1));
    }
  });
}));
