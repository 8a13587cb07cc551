/** Whole runs are killed and stopped while users are served: the next command has to just work. Row 25, and the kills of row 24. */
import assert from "node:assert/strict";
import { suite } from "../support/suite.js";
import { DEPLOY_BOUNDARIES, journalled, scratchStarted, served, type Moment } from "./kills/moments.js";
import { stopped } from "./kills/stop.js";
import { KillWorld, VICTIMS, type Victim } from "./kills/world.js";

/** The most telling ones, for the quick suite. */
const TELLING: readonly [Moment, Victim][] = [[scratchStarted, "CLI"], [served, "tree"], [journalled("gate", "start"), "engine"]];

describe("a deploy beside a release that serves", function () {
  this.timeout(900_000);
  let world: KillWorld;
  before(async () => {
    world = await KillWorld.open("kills");
    await world.populate();
  });
  after(() => world.close());

  const all = DEPLOY_BOUNDARIES.flatMap((moment) => VICTIMS.map((victim): [Moment, Victim] => [moment, victim]));
  for (const [moment, victim] of suite === "full" ? all : TELLING) {
    it(`${victim} killed at ${moment.name}`, async () => {
      const tag = world.tag();
      const { hit, ended } = await world.strike(() => world.startDeploy(tag), tag, moment, (running) => world.kill(running, victim));
      assert.ok(hit, `the run was over before: ${ended.lastLine}`);
      // Where Pulumi alone was killed, the command itself puts things right; before the backup was done there is nothing to put right.
      if (victim === "engine") assert.ok([0, 2, 3].includes(ended.exitCode), ended.all);
      world.assertServed();
      await world.converge(tag, ended);
      world.assertServed();
    });
  }

  it("row 25: SIGINT in the backup ends it at once: nothing was made, and nothing is applied again", async () => {
    const before = world.stack.project.journal().length;
    await stopped(world, journalled("backup", "start"), "SIGINT", 1);
    const [own = assert.fail("no run")] = world.stack.project.journal().slice(before).map(({ run }) => run);
    assert.deepEqual(world.stack.project.journal(own).filter(({ phase }) => phase === "reapply"), []);
  });

  it("row 25: SIGTERM in the gate: the old release serves, the lock is free, the next command goes on", async () => {
    await stopped(world, journalled("gate", "start"), "SIGTERM", 1);
  });
});
