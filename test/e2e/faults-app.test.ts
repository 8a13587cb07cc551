/** An app that cannot run, and an image that is gone, seen from `scripts/deploy.sh` and `scripts/rollback.sh`. */
import assert from "node:assert/strict";
import { renameSync, rmSync } from "node:fs";
import path from "node:path";
import { docker } from "../../components/runtime/docker.js";
import { containersOf, dockerAnswers } from "../support/docker.js";
import { engine } from "../support/engine.js";
import type { Ended } from "../support/processes.js";
import { fullOnly, suite } from "../support/suite.js";
import { type Before, TinyStack } from "../support/tiny-stack.js";

/** Takes three times the memory that the container may have, in a child of the shell's. */
const EATER = `python3 -c 'x = bytearray(200_000_000); x[::4096] = b"1" * len(x[::4096])'`;

describe("e2e: an app that cannot run", function () {
  this.timeout(300_000);
  let tiny: TinyStack;
  let was: Before;
  let serving = "v1.0.0";
  let last = 1;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    tiny = await TinyStack.open("app", { config: { keepWarm: false } });
    tiny.commit(serving);
    await tiny.released(serving);
    await tiny.fill();
    was = await tiny.look();
  });

  after(() => tiny?.remove());

  beforeEach(() => tiny.startProbes());

  /** Releases a new tag whose container runs this instead of the app. */
  function deploy(command: readonly string[]): Promise<Ended> {
    last += 1;
    tiny.commit(`v${last}.0.0`, { command });
    return tiny.deploy(`v${last}.0.0`);
  }

  /** Exit code 3 with the reason; the old release answered all the time, its data is as it was, and nothing of the new one is left. */
  async function undone(ended: Ended, why: RegExp): Promise<void> {
    const tag = `v${last}\\.0\\.0`;
    assert.equal(ended.exitCode, 3, ended.all);
    assert.match(ended.lastLine, new RegExp(
      `^FAILED AND ROLLED BACK, the former release serves \\(exit 3\\): ${tag} \\(${tag}-[0-9a-f]{8}\\) did not pass the gate, no user was sent to it: `
      + `container pbjrag-${tiny.project.stack}-app-${tag}-[0-9a-f]{8}-1 .+; ${serving} serves\\. Next: read logs/app-${tag}-.+\\.log, correct the release at a new tag`,
    ));
    assert.match(ended.lastLine, why);
    await tiny.answered(serving);
    await tiny.assertAsBefore(was);
    const preview = await tiny.project.pulumi(["preview", "--expect-no-changes", "--non-interactive"]);
    assert.equal(preview.exitCode, 0, preview.all);
  }

  /** A release that is well goes through. */
  async function goesThrough(once: "now" | "in the full suite" = "in the full suite"): Promise<void> {
    if (once === "in the full suite" && suite === "quick") return;
    last += 1;
    serving = `v${last}.0.0`;
    tiny.commit(serving);
    await tiny.released(serving);
    const { data } = was;
    was = await tiny.look();
    assert.deepEqual(was.data, data);
    tiny.assertNoRemains();
  }

  it("row 27: it ends again and again", async () => {
    const ended = await deploy(["python3", "-c", "print('no configuration found', flush=True); raise SystemExit(7)"]);
    await undone(ended, /crashes again and again: (its last exit code was 7|Docker restarted it)|has ended with exit code 7/);
    assert.match(ended.lastLine, /its log ends with: no configuration found/);
    await goesThrough();
  });

  const memory: [what: string, command: string[]][] = [
    ["in a child, and the container goes on", ["sh", "-c", `${EATER}; exec python3 /app/app.py`]],
    ["in a child, and the container ends with exit code 0", ["sh", "-c", `${EATER}; exit 0`]],
    ["in the container's first process", ["sh", "-c", `exec ${EATER}`]],
  ];
  for (const [what, command] of suite === "quick" ? memory.slice(0, 1) : memory) {
    it(`row 34: it runs out of memory ${what}`, async () => {
      await undone(await deploy(command), /ran out of memory: the kernel killed a process in it \(OOMKilled\)/);
      await goesThrough();
    });
  }

  describe("row 35: the image to go back to is gone", () => {
    /** Removes the image that a release ran as, which no container uses any more. */
    async function removeImage(tag: string): Promise<void> {
      const images = (await docker().listImages()).filter(({ RepoTags }) => RepoTags?.some((name) => name.startsWith(`pbjrag-${tiny.project.stack}:${tag}-`)));
      assert.equal(images.length, 1);
      await docker().getImage(images[0]?.Id ?? "").remove({ force: true });
    }

    before(() => goesThrough("now"));

    it("it is built again from its commit, and that is said before anything else", async () => {
      const left = serving;
      await removeImage("v1.0.0");
      const ended = await tiny.project.script("rollback", ["v1.0.0"]);
      serving = "v1.0.0";
      assert.equal(ended.exitCode, 0, ended.all);
      // BuildKit, which the real plugin builds with, keeps its cache when an image goes, and may make the very same one from it.
      const other = /, as an image that was built again: sha256:[0-9a-f]{12} is gone, sha256:[0-9a-f]{12} runs\.$/;
      assert.match(ended.lastLine, /^DONE \(exit 0\): v1\.0\.0 serves at http.+, backup pre-rollback-\d{8}-\d{6}/);
      if (engine === "stand-in") assert.match(ended.lastLine, other);
      const said = /the image that v1\.0\.0 ran as \(sha256:[0-9a-f]+\) is gone: it is built again from commit [0-9a-f]{12}; base images and packages may be newer than they were/.exec(ended.all);
      assert.ok(said !== null && said.index < ended.all.indexOf("backup: backup before v1.0.0"), ended.all);
      await tiny.answered(left, "v1.0.0");
      const { data } = was;
      was = await tiny.look();
      assert.deepEqual(was.data, data);
      tiny.assertNoRemains();
    });

    fullOnly(() => {
      it("and so is its commit: refused before anything is touched, and it works when the repository is back", async () => {
        const target = `v${last}.0.0`;
        await removeImage(target);
        renameSync(tiny.source.dir, `${tiny.source.dir}.away`);
        rmSync(path.join(tiny.project.dir, ".release", "cache"), { recursive: true });
        const ended = await tiny.project.script("rollback", [target]);
        renameSync(`${tiny.source.dir}.away`, tiny.source.dir);
        assert.equal(ended.exitCode, 2, ended.all);
        assert.match(ended.lastLine, /^REFUSED, nothing touched \(exit 2\): .+ Next: .+/);
        await tiny.answered(serving);
        await tiny.assertAsBefore(was);
        assert.equal((await tiny.project.script("rollback", [target])).exitCode, 0);
        assert.deepEqual((await containersOf(tiny.project.stack, "app")).map(({ state }) => state), ["running"]);
        assert.deepEqual((await tiny.look()).data, was.data);
      });
    });
  });
});
