/** Row 28: releases that are well, and then turn bad. They are left without anybody's doing, and it is said why. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { receiptSchema, type Receipt } from "../../components/receipt/model.js";
import { acquire } from "../../components/runtime/lock.js";
import { isWatching, readWatch, type WatchState } from "../../components/watch/state.js";
import { storedReceipts } from "../../scripts/cli/receipt/store.js";
import { FAULTY_APP, type Fault, turn } from "../support/faulty-app.js";
import { assertNoChange } from "../support/preview.js";
import { run, type Ended, type Running } from "../support/processes.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, PAGE, type Stream, stream } from "./traffic/client.js";

/** The user's criteria, in spans that a test can wait for. */
const RULES = {
  for: "10m", interval: "500ms",
  errors: { above: 1, within: "6s" }, fewErrors: { above: 0.1, within: "6s" }, latency: { above: "600ms", within: "6s" },
  health: { above: 3, within: "20s" }, memory: { above: 90, within: "6s" },
};
/** Requests a second. */
const RATE = 50;

describe("e2e: the watch (row 28)", function () {
  this.timeout(900_000);
  let tiny: TinyStack;
  let users: Stream;
  let number = 1;

  before(async () => {
    tiny = await TinyStack.open("watch", { config: { watch: RULES } });
    tiny.commit("v1.0.0", { app: FAULTY_APP });
    await tiny.released("v1.0.0", ["--no-watch"]);
  });
  beforeEach(() => { users = stream(tiny.project.url, RATE, false); });
  afterEach(() => users?.stop());
  after(() => tiny?.remove());

  const state = (): WatchState | null => readWatch(tiny.project.paths);
  const serving = async (): Promise<string> => (await ask(tiny.project.url, { headers: PAGE })).by;
  /** What is released, also while it answers nobody. */
  const current = async (): Promise<unknown> => (JSON.parse((await tiny.project.script("status", ["--json"])).stdout) as { version: unknown }).version;
  const receipts = (): Receipt[] => storedReceipts(tiny.project.paths).map(({ receipt }) => receiptSchema.parse(receipt));
  function nextTag(): string {
    number += 1;
    const tag = `v${number}.0.0`;
    tiny.commit(tag, { app: FAULTY_APP });
    return tag;
  }
  /** Releases a tag without watching it. */
  async function released(): Promise<string> {
    const tag = nextTag();
    await tiny.released(tag, ["--no-watch"]);
    return tag;
  }
  /** Until a watch that a script has begun looks. */
  async function watching(script: Running, tag: string): Promise<void> {
    let over = false;
    void script.ended.then(() => { over = true; });
    await waitFor(`the watch of ${tag}`, () => over || new RegExp(`(watching|watch of) ${tag.replaceAll(".", "\\.")} until`).test(script.output()), { withinMs: 240_000 });
    assert.ok(!over, script.output());
  }
  function assertRolledBack(ended: Ended, tag: string, says: RegExp): void {
    assert.equal(ended.exitCode, 3, ended.all);
    const [, rule = "", former = ""] = /^FAILED AND ROLLED BACK, the former release serves \(exit 3\): (.*); (v[\d.]+) serves/.exec(ended.lastLine) ?? [];
    assert.ok(rule.startsWith(`${tag} was rolled back by the watch's rule `), ended.lastLine);
    assert.match(rule, says);
    assert.notEqual(former, tag);
  }

  for (const [fault, says] of [
    ["ill", /rule health: [4-9] health checks failed in 20s \(more than 3\): container \S+: GET \/health answered 500/],
    ["errors", /rule errors: [\d.]+ % of \d+ requests failed in 6s \(above 1 %\)/],
    ["slow", /rule latency: p99 [\d.]+ m?s of \d+ answers in 6s \(above 600ms\)/],
    ["leak", /rule memory: memory above 90 % of its limit for 6s, 9\d % now/],
  ] as const satisfies [Fault, RegExp][]) {
    it(`leaves a release that turns bad (${fault}), says which rule was met with its numbers, and writes down what users got`, async () => {
      const tag = nextTag();
      const deploy = tiny.project.startScript("deploy", ["--version", tag]);
      await watching(deploy, tag);
      const turned = Date.now();
      await turn(tiny.project.url, tag, fault);
      const ended = await deploy.ended;
      assertRolledBack(ended, tag, says);
      assert.match(ended.all, new RegExp(`!! ${tag.replaceAll(".", "\\.")}: .*; rolling back`));
      assert.equal(await serving(), "v1.0.0");

      const receipt = receipts().at(-1);
      assert.deepEqual([receipt?.command, receipt?.from?.tag, receipt?.tag, receipt?.outcome.exitCode], ["rollback", tag, "v1.0.0", 0]);
      assert.match(receipt?.incident?.cause ?? "", new RegExp(says.source.replace(/^rule \w+: /, "")));
      assert.ok(receipt?.traffic.measured);
      assert.ok(Date.parse(receipt.startedAt) >= turned, "the rollback began before there was a reason");
      const { requests, failed, gap, byRevision } = receipt.traffic;
      const of = byRevision.find((one) => one.tag === tag);
      assert.ok(requests > RATE && gap !== null && of !== undefined && of.requests > RATE, JSON.stringify(receipt.traffic));
      await users.stop();
      // Those before the span that the rule looked at are the watch's to tell, not the rollback's.
      assert.ok(failed <= users.failures.length, `${failed} failed, users had ${users.failures.join("; ")}`);
      // One that says it is ill is asked on where there is no other: it answers its users.
      assert.equal(failed > 0, fault === "errors", users.failures.join("; "));
    });
  }

  it("leaves the state as a rollback does, and the journal has the rule", async () => {
    await assertNoChange(tiny.project);
    const met = tiny.project.journal().filter(({ phase, event, data }) => phase === "watch" && event === "failed" && data?.["action"] === "rollback").map(({ data }) => data?.["rule"]);
    assert.deepEqual(met, ["health", "errors", "latency", "memory"]);
  });

  it("with --detach outlives its terminal, can be looked at, and rolls back all the same", async () => {
    const tag = nextTag();
    // A terminal of its own, which is gone when the command has ended.
    const command = `scripts/deploy.sh --version ${tag} --detach --yes --stack ${tiny.project.stack}`;
    const ended = await run("script", ["--quiet", "--return", "--command", command, "/dev/null"], { cwd: tiny.project.dir, env: tiny.project.env, timeoutMs: 240_000 });
    assert.equal(ended.exitCode, 0, ended.all);
    const [, pid = ""] = new RegExp(`watch running on ${tag.replaceAll(".", "\\.")} \\(pid (\\d+)\\), .* left`).exec(ended.all) ?? [];
    const found = state();
    assert.ok(found !== null && isWatching(found), ended.all);
    assert.equal(String(found.pid), pid);
    // Session, and terminal (0 is none): proc(5).
    const [, , , , , session, terminal] = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/\(.*\)/, "()").split(" ");
    assert.deepEqual([session, terminal], [pid, "0"]);
    assert.match((await tiny.project.script("status")).stdout, new RegExp(`watch {7}watch running on ${tag.replaceAll(".", "\\.")}`));
    const looking = tiny.project.startScript("watch");
    await waitFor("it to be shown", () => looking.output().includes(`${tag}: `));
    await turn(tiny.project.url, tag, "ill");
    const shown = await looking.ended;
    assert.equal(shown.exitCode, 3, shown.all);
    assert.match(shown.lastLine, /the watch has ended: .* was rolled back by the watch's rule health: .*; v1\.0\.0 serves/);
    assert.equal(state()?.exitCode, 3);
    assert.ok(Date.parse(receipts().at(-1)?.startedAt ?? "") > (state()?.startedAt ?? Infinity), "the rollback began with the watch");
    assert.equal(await serving(), "v1.0.0");
  });

  it("is interrupted, killed, and gone on with in the time that was left; another release ends it", async () => {
    const tag = await released();
    const first = tiny.project.startScript("watch", ["--for", "5m"]);
    await watching(first, tag);
    first.signal("SIGINT");
    const interrupted = await first.ended;
    assert.equal(interrupted.exitCode, 130, interrupted.all);
    assert.match(interrupted.lastLine, /^INTERRUPTED \(exit 130\): the watch of \S+, which serves, has 2\d\ds left\. Next: scripts\/watch\.sh goes on with it$/);
    const begun = state();
    assert.equal(begun?.state, "interrupted");

    const second = tiny.project.startScript("watch");
    await watching(second, tag);
    assert.match(second.output(), /going on with the watch of/);
    second.killTree();
    await second.ended;
    assert.match((await tiny.project.script("status")).stdout, /watch {7}was ended before its time; scripts\/watch\.sh goes on with it/);

    const third = tiny.project.startScript("watch");
    await watching(third, tag);
    assert.deepEqual([state()?.endsAt, state()?.startedAt], [begun?.endsAt, begun?.startedAt]);
    const next = await released();
    const ended = await third.ended;
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.lastLine, new RegExp(`the watch of ${tag} ended, as ${next} \\(${next}-[0-9a-f]{8}\\) serves now`));
  });

  it("waits with its rollback for whoever holds the lock", async () => {
    const tag = await released();
    const script = tiny.project.startScript("watch");
    await watching(script, tag);
    const lock = await acquire({ paths: tiny.project.paths, run: "test", command: "finish", wait: 0 });
    try {
      await turn(tiny.project.url, tag, "ill");
      await waitFor("it to wait", () => /is to be rolled back \(.*\), but finish, run test .* holds the lock since .*; looking again/.test(script.output()), { withinMs: 60_000 });
      assert.equal(await current(), tag);
    } finally {
      await lock.release();
    }
    const ended = await script.ended;
    // While it waits, what the health checks found fails users as well.
    assertRolledBack(ended, tag, /rule (?:health|errors): /);
    assert.notEqual(await serving(), tag);
  });

  it("freezes releases where config says so, until it is told that they may go on", async () => {
    await tiny.configure({ watch: { ...RULES, errors: { ...RULES.errors, action: "alert" }, health: { ...RULES.health, action: "freeze" } } });
    const tag = await released();
    const script = tiny.project.startScript("watch", ["--for", "30s"]);
    await watching(script, tag);
    await turn(tiny.project.url, tag, "ill");
    const ended = await script.ended;
    assert.equal(ended.exitCode, 5, ended.all);
    assert.match(ended.all, /health checks failed .*; no further release until scripts\/watch\.sh --thaw/);
    assert.equal(await current(), tag);
    const refused = await tiny.deploy(nextTag(), ["--no-watch"]);
    assert.equal(refused.exitCode, 2, refused.all);
    assert.match(refused.lastLine, /frozen.*--thaw/);
    const thawed = await tiny.project.script("watch", ["--thaw"]);
    assert.equal(thawed.exitCode, 0, thawed.all);
    await released();
  });
});
