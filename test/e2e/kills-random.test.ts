/** Kills at moments that nobody chose: the seed is printed and repeats them. */
import assert from "node:assert/strict";
import { seeded, type Random } from "../support/random.js";
import { fullOnly } from "../support/suite.js";
import { after as later } from "./kills/moments.js";
import { KillWorld, VICTIMS } from "./kills/world.js";

const ROUNDS = 10;

fullOnly(() => describe("a deploy that is killed at a random moment", function () {
  this.timeout(900_000);
  let world: KillWorld;
  let random: Random;
  let usualMs = 0;
  let wasBack = false;
  before(async () => {
    random = seeded("kills at random moments");
    world = await KillWorld.open("random");
    usualMs = await world.populate();
  });
  after(() => world.close());

  for (const victim of VICTIMS) {
    for (let round = 1; round <= ROUNDS; round++) {
      it(`${victim} killed, ${round} of ${ROUNDS}`, async () => {
        const moment = later(random.int(0, Math.round(usualMs)));
        // Twice in a row there may be nothing to go back to: what was left by the first is abandoned.
        const back = random.int(1, 3) === 1 && !wasBack;
        wasBack = back;
        const old = await world.serving();
        const tag = world.tag();
        const { hit, ended } = await world.strike(() => world.startDeploy(tag), tag, moment, (running) => world.kill(running, victim));
        process.stdout.write(`    ${hit ? "killed" : "ended before"} ${moment.name}, then ${back ? "rollback" : "deploy"}\n`);
        if (!hit) assert.equal(ended.exitCode, 0, ended.all);
        world.assertServed();
        if (back) await world.goBack(ended);
        else await world.converge(tag, ended);
        assert.notEqual(await world.serving(), back ? tag : old);
        world.assertServed();
      });
    }
  }
}));
