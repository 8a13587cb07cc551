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

  for (const step of STEPS) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      for (const times of [1, 2] as const) {
        it(`${signal} ${times === 1 ? "once" : "twice"} at ${step.name}`, () => stopped(world, step, signal, times));
      }
    }
  }
}));
