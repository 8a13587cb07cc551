import assert from "node:assert/strict";
import { DEPLOY_BOUNDARIES, type Moment } from "./kills/moments.js";
import { KillWorld, VICTIMS, type Victim } from "./kills/world.js";
import { suite } from "../support/suite.js";

/** Rows 24 and 25 beyond a single process: whole runs are killed, and the next command has to just work. */
describe("kill -9 of a deploy", function () {
  this.timeout(600_000);
  let world: KillWorld;
  before(async () => {
    world = await KillWorld.open("kills");
    await world.populate();
  });
  after(() => world.close());

  async function round(moment: Moment, victim: Victim): Promise<void> {
    const tag = world.tag();
    const { hit, ended } = await world.strike(() => world.startDeploy(tag), tag, moment, (running) => world.kill(running, victim));
    assert.ok(hit, `the run was over before: ${ended.lastLine}`);
    world.assertServed();
    if (victim === "engine") assert.ok([0, 3].includes(ended.exitCode), ended.all);
    const next = await world.stack.deploy(tag);
    assert.equal(next.exitCode, 0, `killed:\n${ended.all}\nnext:\n${next.all}`);
    assert.equal(await world.serving(), tag);
    await world.verify();
    world.assertServed();
  }

  const telling: readonly [string, Victim][] = [["scratch Qdrant started", "CLI"], ["the live table moved", "tree"], ["gate start", "engine"]];
  for (const moment of DEPLOY_BOUNDARIES) {
    for (const victim of VICTIMS) {
      if (suite === "full" || telling.some(([name, whom]) => name === moment.name && whom === victim)) {
        it(`${moment.name}: ${victim}`, () => round(moment, victim));
      }
    }
  }
});
