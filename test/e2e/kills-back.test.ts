/** Kills on the way back: of a rollback while the former release is warm, of what undoes a failed deploy, and of a recovery. */
import assert from "node:assert/strict";
import { fullOnly } from "../support/suite.js";
import { containerRemoved, journalled, recorded, served, type Moment } from "./kills/moments.js";
import { KillWorld, VICTIMS, type Victim } from "./kills/world.js";

/** Where the route has moved, and Pulumi's state does not know it yet, each victim; else one after the other. */
const ROLLBACK: readonly [Moment, Victim][] = [
  [journalled("warm", "start"), "tree"],
  [served, "tree"], [served, "CLI"], [journalled("backup", "start"), "engine"], [journalled("backup", "done"), "CLI"],
  [journalled("gate", "start"), "engine"], [journalled("route", "start"), "tree"], [recorded, "CLI"],
];
const REAPPLY: readonly Moment[] = [journalled("reapply", "start"), containerRemoved];

fullOnly(() => describe("on the way back", function () {
  this.timeout(900_000);
  let world: KillWorld;
  before(async () => {
    world = await KillWorld.open("back");
    await world.populate();
  });
  after(() => world.close());

  for (const [moment, victim] of ROLLBACK) {
    it(`a warm rollback: ${victim} killed at ${moment.name}`, async () => {
      const good = await world.serving();
      await world.stack.released(world.tag());
      const { hit, ended } = await world.strike(() => world.start("rollback"), good, moment, (running) => world.kill(running, victim));
      assert.ok(hit, `the run was over before: ${ended.lastLine}`);
      world.assertServed();
      const next = await world.start("rollback", [good]).ended;
      assert.equal(next.exitCode, 0, `first:\n${ended.all}\nthen:\n${next.all}`);
      assert.equal(await world.serving(), good);
      await world.verify();
      world.assertServed();
    });
  }

  for (const moment of REAPPLY) {
    for (const victim of VICTIMS) {
      it(`undoing a deploy that failed in its gate: ${victim} killed at ${moment.name}`, async () => {
        const good = await world.serving();
        const broken = world.tag({ broken: true });
        const { hit, ended } = await world.strike(() => world.startDeploy(broken), broken, moment, (running) => world.kill(running, victim));
        assert.ok(hit, `the run was over before: ${ended.lastLine}`);
        assert.equal(await world.serving(), good);
        world.assertServed();
        await world.converge(world.tag(), ended);
        world.assertServed();
      });
    }
  }

  it("a run that is killed while it recovers from one that was killed", async () => {
    const tag = world.tag();
    const kill = (moment: Moment, victim: Victim) => world.strike(() => world.startDeploy(tag), tag, moment, (running) => world.kill(running, victim));
    const first = await kill(journalled("gate", "start"), "CLI");
    const second = await kill(journalled("recover", "info"), "tree");
    assert.ok(first.hit && second.hit);
    world.assertServed();
    await world.converge(tag, second.ended);
    world.assertServed();
  });
}));
