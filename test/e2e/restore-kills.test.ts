/** Row 10 end to end: the scripts' restore is killed with everything that it started, and the next one works. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { dockerAnswers, keptFor } from "../support/docker.js";
import type { Ended } from "../support/processes.js";
import { seeded, type Random } from "../support/random.js";
import { fullOnly } from "../support/suite.js";
import { type Data, TinyStack } from "../support/tiny-stack.js";

const KILLS = 12;

fullOnly(() => describe("e2e: a restore that is killed", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  let backup: string;
  let then: Data;
  let random: Random;
  let usualMs = 0;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    random = seeded("kills of a restore, end to end");
    tiny = await TinyStack.open("rkill");
    ["v1.0.0", "v2.0.0"].forEach((tag) => tiny.commit(tag));
    await tiny.released("v1.0.0");
    await tiny.fill();
    await tiny.inApp("head -c 30000000 /dev/urandom > /app/uploads/large");
    then = await tiny.data();
    await tiny.released("v2.0.0");
    [backup = ""] = tiny.backups();
    usualMs = (await restored()).tookMs;
  });
  after(() => tiny.remove());

  /** A restore to its end. */
  async function restored(): Promise<Ended> {
    const ended = await tiny.project.script("restore", [backup, "--yes"]);
    assert.equal(ended.exitCode, 0, ended.all);
    const generation = /data generation (\S+?)\.?$/.exec(ended.lastLine)?.[1] ?? assert.fail(ended.lastLine);
    assert.deepEqual(await tiny.data(generation), then);
    return ended;
  }

  for (let at = 0; at < KILLS; at++) {
    it(`at ${at + 1} of ${KILLS} moments, spread over all of it`, async () => {
      tiny.startProbes({ uploads: false });
      const running = tiny.project.startScript("restore", [backup, "--yes"]);
      const part = usualMs / KILLS;
      await Promise.race([running.ended, delay(Math.round(at * part + random.int(0, Math.round(part))), undefined, { ref: false })]);
      running.killTree();
      const first = await running.ended;
      await tiny.answered("v2.0.0");
      tiny.startProbes({ uploads: false });
      const ended = await restored();
      await tiny.answered("v2.0.0");
      tiny.assertNoRemains();
      const preview = await tiny.project.pulumi(["preview", "--expect-no-changes"]);
      assert.equal(preview.exitCode, 0, `first:\n${first.all}\nthen:\n${ended.all}\n${preview.all}`);
      const { containers } = await keptFor(tiny.project.stack);
      assert.deepEqual(containers.filter((name) => /-(scratch|reader|space|sync)-/.test(name)), []);
    });
  }
}));
