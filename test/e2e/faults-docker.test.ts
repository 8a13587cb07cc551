/** What a dying Docker daemon and its full disk do to a release. The daemon is the test's own, in a network of its own. */
import assert from "node:assert/strict";
import type { JournalEvent } from "../../components/runtime/journal.js";
import { docker } from "../../components/runtime/docker.js";
import { containersOf, dockerAnswers } from "../support/docker.js";
import { OwnDocker } from "../support/own-docker.js";
import { run } from "../support/processes.js";
import { type Before, TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, PAGE } from "./traffic/client.js";

const MiB = 1024 * 1024;
/** Set for the second run of this file, which is alone in a network namespace. */
const INSIDE = "PBJRAG_TEST_OWN_NETWORK";
const IMAGES = ["python:3.11-slim", "haproxy:2.6-bookworm", "qdrant/qdrant:v1.19.0"];

if (process.env[INSIDE] === undefined) {
  describe("e2e: Docker itself fails", function () {
    this.timeout(3_000_000);

    it("rows 3 and 26, with a daemon and a network of their own", async function () {
      if (process.getuid?.() !== 0 || !(await dockerAnswers())) this.skip();
      const mocha = ["node_modules/mocha/bin/mocha.js", __filename];
      const ended = await run("unshare", ["--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"', process.execPath, ...mocha], {
        cwd: process.cwd(), env: { [INSIDE]: "1", PBJRAG_TEST_COUNTS: undefined }, timeoutMs: 2_900_000, onOutput: (text) => process.stdout.write(text),
      });
      assert.equal(ended.exitCode, 0);
      assert.match(ended.stdout, / passing/);
      assert.doesNotMatch(ended.stdout, / pending/);
    });
  });
} else {
  describe("inside", function () {
    this.timeout(900_000);
    let own: OwnDocker;
    let tiny: TinyStack;
    let was: Before;
    let number = 1;
    const version = (n: number): string => `v${n}.0.0`;

    before(async () => {
      own = (await OwnDocker.start(4096 * MiB)) ?? assert.fail("no file system can be mounted here");
      const { stdout } = await run("docker", ["images", "-q", "pbjrag-offline/debian:bookworm"], { cwd: "/" });
      await own.load([...IMAGES, ...(stdout === "" ? [] : ["pbjrag-offline/debian:bookworm"])]);
      process.env.DOCKER_HOST = own.host;
      tiny = await TinyStack.open("docker");
      tiny.commit(version(1));
      await tiny.released(version(1));
      await tiny.fill();
      was = await tiny.look();
    });

    after(async () => {
      await own?.launch();
      await tiny?.remove();
      await own?.dispose();
    });

    async function goesThrough(): Promise<void> {
      number += 1;
      tiny.startProbes();
      await tiny.released(version(number));
      await tiny.answered(version(number - 1), version(number));
      const { data } = was;
      was = await tiny.look();
      assert.deepEqual(was.data, data);
      assert.deepEqual((await containersOf(tiny.project.stack, "app")).map(({ state, revision }) => [state, revision.replace(/-[0-9a-f]{8}$/, "")]), [
        ["running", version(number - 1)], ["running", version(number)],
      ]);
      assert.equal(was.containers.length, 4, was.containers.join());
      tiny.assertNoRemains();
    }

    it("row 3: Docker's disk, with Qdrant's data on it, has no room for a backup", async () => {
      await own.disk.fill(200 * MiB);
      tiny.commit(version(number + 1));
      tiny.startProbes();
      const ended = await tiny.deploy(version(number + 1));
      assert.equal(ended.exitCode, 2, ended.all);
      assert.match(ended.lastLine, /^REFUSED, nothing touched \(exit 2\): .*image and snapshot \(on Docker's disk\) need .+, and .+ is free\. Next: make room/);
      await tiny.answered(version(number));
      await tiny.assertAsBefore(was);
      own.disk.empty();
      await goesThrough();
    });

    it("row 3: nor for a restore", async () => {
      const taken = await tiny.project.script("rollback", ["--backup-only"]);
      assert.equal(taken.exitCode, 0, taken.all);
      const backup = tiny.backups().at(-1) ?? assert.fail("there is no backup");
      await own.disk.fill(24 * MiB);
      tiny.startProbes();
      const ended = await tiny.project.script("restore", [backup, "--yes"]);
      assert.equal(ended.exitCode, 2, ended.all);
      assert.match(ended.lastLine, /^REFUSED, nothing touched \(exit 2\): .*on Docker's disk.*Next: /);
      await tiny.answered(version(number));
      await tiny.assertAsBefore(was);
      own.disk.empty();
      tiny.commit(version(number + 1));
      await goesThrough();
    });

    const moments: [string, exitCode: number, (event: JournalEvent) => boolean][] = [
      ["while the backup is made", 2, ({ phase, message }) => phase === "backup" && message.startsWith("to save:")],
      ["while the candidate is proven", 4, ({ phase, event }) => phase === "gate" && event === "start"],
      ["while the route moves", 4, ({ phase, event }) => phase === "route" && event === "start"],
    ];
    for (const [when, exitCode, moment] of moments) {
      it(`row 26: the daemon is killed ${when}`, async () => {
        tiny.commit(version(number + 1));
        const running = await tiny.deployUntil(version(number + 1), moment);
        await own.kill();
        const ended = await running.ended;
        assert.equal(ended.exitCode, exitCode, ended.all);
        assert.match(ended.lastLine, /Docker .+ Next: .+/);
        assert.doesNotMatch(ended.all, /^\s+at .+:\d+:\d+\)?$/m, "a stack trace");

        await own.launch();
        // Containers start one after the other, at new addresses: it is over when the health checks could have said otherwise.
        let inARow = 0;
        const answers = async (): Promise<boolean> => (await ask(tiny.project.url, { headers: PAGE }).catch(() => null))?.by === version(number);
        await waitFor("the front door to answer again for 4 s", async () => (inARow = (await answers()) ? inARow + 1 : 0) >= 80, { withinMs: 120_000 });
        assert.deepEqual((await tiny.look()).data, was.data);
        assert.equal((await docker().getContainer(tiny.names.proxyContainer).inspect()).State.Running, true);
        await goesThrough();
      });
    }
  });
}
