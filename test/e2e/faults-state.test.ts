/** Rows 37 and 38: a clock that jumps, and a state that is lost, cut or old. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ReleaseRecord } from "../../components/release/model.js";
import type { Status } from "../../scripts/cli/status-model.js";
import { footprint, stateFile } from "../support/footprint.js";
import { run } from "../support/processes.js";
import { rounds } from "../support/suite.js";
import { TinyStack } from "../support/tiny-stack.js";

const YEAR = 365 * 24 * 3_600_000;
const SHIFT = path.resolve(__dirname, "../support/shifted-clock.js");

describe("faults: clock and state (rows 37, 38)", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  let dir: string;
  before(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "faults-state-"));
    tiny = await TinyStack.open("state");
    tiny.commit("v1.0.0");
    await tiny.released("v1.0.0");
    await tiny.fill();
  });
  after(async () => {
    await tiny.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const releases = async (): Promise<ReleaseRecord[]> => JSON.parse((await tiny.project.pulumi(["stack", "output", "releases", "--json"])).stdout) as ReleaseRecord[];
  const status = async (): Promise<Status> => JSON.parse((await tiny.project.script("status", ["--json"])).stdout) as Status;

  describe("row 37: the clock jumps a year", () => {
    let clock: string;
    before(() => {
      clock = path.join(dir, "clock");
      writeFileSync(clock, "0");
    });
    const env = (): Record<string, string> => ({ PBJRAG_TEST_CLOCK: clock, NODE_OPTIONS: `--require ${SHIFT}` });

    it("forward in the middle of a release, and back before the next: nothing waits, nothing is taken for old", async () => {
      tiny.commit("v2.0.0");
      const jump = (text: string): void => {
        if (text.includes("backup: backup before v2.0.0")) writeFileSync(clock, String(YEAR));
      };
      const forward = await tiny.deploy("v2.0.0", [], { env: env(), onOutput: jump });
      assert.equal(forward.exitCode, 0, forward.all);
      assert.equal(readFileSync(clock, "utf8"), String(YEAR), "it never came to the backup");
      writeFileSync(clock, String(-YEAR));
      tiny.commit("v3.0.0");
      const back = await tiny.deploy("v3.0.0", [], { env: env() });
      assert.equal(back.exitCode, 0, back.all);
    });

    it("releases and backups are in the order in which they were made", async () => {
      const all = await releases();
      assert.deepEqual(all.map(({ seq, tag }) => `${seq} ${tag}`), ["1 v1.0.0", "2 v2.0.0", "3 v3.0.0"]);
      // A round of something just below nothing is -0, which is not 0 here.
      const years = all.map(({ switchedAt }) => Math.round((Date.parse(switchedAt) - Date.now()) / YEAR) + 0);
      assert.deepEqual(years, [0, 1, -1], "the clocks did not jump");
      const found = await status();
      assert.deepEqual([found.outcome, found.version, found.previous], ["healthy", "v3.0.0", "v2.0.0"]);
      assert.deepEqual(found.backups.map(({ name }) => name), [all[2]?.backup, all[1]?.backup]);
    });

    it("and a rollback goes to the release before, not to the newest by the clock", async () => {
      const ended = await tiny.project.script("rollback");
      assert.equal(ended.exitCode, 0, ended.all);
      assert.match(ended.lastLine, /^DONE \(exit 0\): v2\.0\.0 serves/);
      assert.equal((await releases()).at(-1)?.seq, 4);
    });
  });

  describe("row 38: the state is lost", () => {
    /** Damages the state; says what the refusal is to say. */
    const faults: [what: string, damage: (file: string) => void, why: RegExp][] = [
      ["cut", (file) => truncateSync(file, 2000), /stacks\/pbjrag\/t-state-\w+\.json: it is cut or overwritten \(2000 bytes\)/],
      ["an old copy", (file) => copyFileSync(path.join(dir, "old"), file), /carry traffic, and Pulumi's state does not know them/],
      ["removed", (file) => rmSync(file), /are here, and the backend knows no such stack/],
    ];
    before(() => writeFileSync(path.join(dir, "old"), oldState()));

    /** The state file as it was after the first release, from the copy that was kept of it. */
    function oldState(): string {
      const now = JSON.parse(readFileSync(stateFile(tiny.project), "utf8")) as { version: number; checkpoint: { stack: string } };
      const copy = JSON.parse(readFileSync(path.join(tiny.project.dir, "states", tiny.project.stack, "release-1.json"), "utf8")) as { deployment: unknown };
      return JSON.stringify({ ...now, checkpoint: { ...now.checkpoint, latest: copy.deployment } });
    }

    /** Runs the command that a message names, as it is written there. */
    async function asWritten(message: string): Promise<void> {
      const [, command] = /Next: put a copy of the state back: (scripts\/\S+ .+?) \(/.exec(message) ?? [];
      assert.ok(command !== undefined, message);
      const ended = await run("bash", ["-c", command], { cwd: tiny.project.dir, env: tiny.project.env });
      assert.equal(ended.exitCode, 0, ended.all);
    }

    for (const [index, [what, damage, why]] of faults.entries()) {
      it(`${what}: refused, what serves is untouched${index < faults.length - rounds(1, 3) ? "" : "; the way back that it names works as written"}`, async () => {
        damage(stateFile(tiny.project));
        const before = await footprint(tiny.project);
        assert.ok(before.route !== null && before.containers.length >= 4);
        const data = await tiny.data();
        for (const script of ["deploy", "finish"].slice(0, rounds(1, 2))) {
          const ended = await tiny.project.script(script, script === "deploy" ? ["--version", "v3.0.0"] : []);
          assert.equal(ended.exitCode, 2, ended.all);
          assert.match(ended.lastLine, /^REFUSED, nothing touched \(exit 2\): The state of stack t-state-\w+ is lost, damaged or old, nothing was touched: /);
          assert.match(ended.lastLine, why);
          assert.deepEqual(await footprint(tiny.project), before);
        }
        const ended = await tiny.project.script("status");
        if (what !== "an old copy") assert.equal(ended.exitCode, 2, ended.all);
        assert.deepEqual(await tiny.data(), data);
        if (index < faults.length - rounds(1, 3)) return;
        await asWritten((await tiny.deploy("v2.0.0")).lastLine);
        const good = await tiny.released("v2.0.0");
        assert.match(good.lastLine, /v2\.0\.0 runs already and is healthy/);
      });
    }
  });
});
