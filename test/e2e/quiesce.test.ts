/** `backup.quiesce: pause`: nobody writes between Qdrant's snapshot and the uploads, and users write on when both are read. */
import assert from "node:assert/strict";
import type { Ended } from "../support/processes.js";
import { assertCounted } from "../support/refused.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask } from "./traffic/client.js";

describe("e2e: a backup that pauses what users write", function () {
  this.timeout(300_000);
  let tiny: TinyStack;

  before(async () => {
    tiny = await TinyStack.open("quiet", { config: { backup: { scratchCpus: 1, scratchMemory: "256MiB", quiesce: "pause" } } });
    ["v1.0.0", "v2.0.0"].forEach((tag) => tiny.commit(tag));
    const first = await tiny.released("v1.0.0");
    assert.doesNotMatch(first.stdout, /paused/, "there was nobody yet");
    await tiny.fill();
  });
  after(() => tiny.remove());

  /** Uploads one after another while something runs. @returns how often each status was the answer */
  async function uploading(work: () => Promise<Ended>): Promise<{ ended: Ended; answers: Record<number, number> }> {
    const answers: Record<number, number> = {};
    let working = true;
    const users = (async () => {
      while (working) {
        const { status } = await ask(`${tiny.project.url}/x`, { method: "PUT", body: "x" });
        answers[status] = (answers[status] ?? 0) + 1;
      }
    })();
    await waitFor("the first upload", () => answers[200] !== undefined);
    const ended = await work().finally(() => (working = false));
    await users;
    return { ended, answers };
  }

  for (const [what, work] of [
    ["a release", () => tiny.deploy("v2.0.0")],
    ["a backup alone", () => tiny.project.script("rollback", ["--backup-only"])],
  ] as const) {
    it(`${what}: refuses uploads and no page meanwhile, tells for how long and how many, and takes them again`, async () => {
      tiny.startProbes({ uploads: false });
      const { ended, answers } = await uploading(work);
      assert.equal(ended.exitCode, 0, ended.all);
      await tiny.answered(...(what === "a release" ? ["v1.0.0", "v2.0.0"] : ["v2.0.0"]));
      const [, ms, refused] = /writes were paused for (\d+) ms: \d+ websockets? closed, at least (\d+) requests? refused/.exec(ended.stdout) ?? assert.fail(ended.stdout);
      assert.deepEqual(Object.keys(answers), ["200", "503"]);
      assertCounted(Number(refused), answers[503] ?? 0);
      assert.ok(Number(ms) > 0);
      const said = tiny.project.journal().map(({ message }) => message);
      const [over, packing] = [said.findLastIndex((text) => text.startsWith("writes were paused")), said.findLastIndex((text) => text.startsWith("compressing Qdrant"))];
      assert.ok(over !== -1 && over < packing, "users write on before what the scratch holds is compressed");
      assert.equal((await ask(`${tiny.project.url}/x`, { method: "PUT", body: "x" })).status, 200);
      assert.match(ended.stdout, /backup pre-(deploy|rollback)-/);
    });
  }
});
