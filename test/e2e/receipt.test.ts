/** What releases leave: each has its receipt as data and as a page, whichever way it ended. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Receipt, receiptSchema } from "../../components/receipt/model.js";
import { pageBeside, type Stored, storedReceipts } from "../../scripts/cli/receipt/store.js";
import { leaksBelow, plantedSecret } from "../support/secrets.js";
import { TinyStack } from "../support/tiny-stack.js";

describe("e2e: receipts", function () {
  this.timeout(900_000);
  const secret = plantedSecret();
  let tiny: TinyStack;

  before(async () => {
    tiny = await TinyStack.open("rcpt", { config: { watch: { for: "3s", interval: "500ms" } } });
    const ended = await tiny.project.pulumi(["config", "set", "--secret", "--path", "pbjrag:app.secretEnv.TOKEN"], { input: secret });
    assert.equal(ended.exitCode, 0, ended.all);
  });
  after(async () => {
    await tiny?.remove();
  });

  const stored = (): Stored[] => storedReceipts(tiny.project.paths);
  /** The newest one, which is as its schema says, and its page. */
  function newest(): { receipt: Receipt; page: string } {
    const { json } = stored().at(-1) ?? { json: "" };
    return { receipt: receiptSchema.parse(JSON.parse(readFileSync(json, "utf8"))), page: readFileSync(pageBeside(json), "utf8") };
  }
  const sums = ({ costs, seconds }: Receipt): [number, number] => [Math.round(costs.reduce((sum, cost) => sum + cost.seconds, 0) * 100), Math.round(seconds * 100)];

  it("of a release: what served before, the gate, the backup and its proof, users, and what its watch has seen", async () => {
    tiny.commit("v1.0.0");
    await tiny.deploy("v1.0.0", ["--no-watch"]);
    await tiny.fill();
    tiny.startProbes();
    tiny.commit("v2.0.0");
    const ended = await tiny.deploy("v2.0.0");
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.all, /receipt reports\/.*-v2\.0\.0\.html, as data \.json/);
    await tiny.answered("v1.0.0", "v2.0.0");
    const { receipt, page } = newest();
    assert.deepEqual([receipt.tag, receipt.from?.tag, receipt.outcome.exitCode, receipt.seq, receipt.incident], ["v2.0.0", "v1.0.0", 0, 2, null]);
    assert.deepEqual(receipt.gates.map(({ tag, passed }) => [tag, passed]), [["v2.0.0", true]]);
    assert.deepEqual([receipt.backup?.of, receipt.backup?.proof], ["v1.0.0", { restored: true, counted: true, sampled: true, read: true }]);
    assert.deepEqual(sums(receipt)[0], sums(receipt)[1]);
    const { traffic, watch } = receipt;
    assert.ok(traffic.measured && traffic.failed === 0 && traffic.requests > 50, JSON.stringify({ ...traffic, steps: [] }));
    assert.deepEqual(traffic.byRevision.map(({ tag }) => tag).sort(), ["v1.0.0", "v2.0.0"]);
    assert.deepEqual([watch?.state, watch?.exitCode, watch?.triggered, watch?.met], ["ended", 0, null, []]);
    assert.ok(watch?.traffic.measured === true && watch.traffic.failed === 0 && watch.traffic.requests > 10);
    assert.ok((watch?.samples.length ?? 0) > 1 && (watch?.samples.at(-1)?.byRevision[receipt.revision]?.memory ?? 0) > 0);
    for (const text of ["v2.0.0 replaced v1.0.0 in", "and not one of", "No rule was met", "every point counted there"]) assert.ok(page.includes(text), text);
    assert.equal(stored().length, 2);
  });

  it("of one that failed: an incident report with the end of the app's log, masked", async () => {
    tiny.commit("v3.0.0", { command: ["python3", "-uc", "import os,sys; sys.exit('RuntimeError: <b>no</b> '+os.environ['TOKEN'])"] });
    const ended = await tiny.deploy("v3.0.0");
    assert.equal(ended.exitCode, 3, ended.all);
    const { receipt, page } = newest();
    assert.deepEqual([receipt.tag, receipt.from?.tag, receipt.outcome.exitCode, receipt.switched, receipt.incident?.phase, receipt.watch], ["v3.0.0", "v2.0.0", 3, null, "gate", null]);
    for (const text of ["v3.0.0 was not released; v2.0.0 serves", "Incident report", "RuntimeError: &lt;b&gt;no&lt;/b&gt; ***", "Root cause"]) assert.ok(page.includes(text), text);
  });

  it("of a rollback: how soon users were back, and a report to fill in", async () => {
    const ended = await tiny.project.script("rollback", ["--yes"]);
    assert.equal(ended.exitCode, 0, ended.all);
    const { receipt, page } = newest();
    assert.deepEqual([receipt.command, receipt.tag, receipt.from?.tag, receipt.switched?.warm, receipt.incident?.cause], ["rollback", "v1.0.0", "v2.0.0", true, ""]);
    for (const text of ["Users are back on v1.0.0 after", "A person went back: why, only they know."]) assert.ok(page.includes(text), text);
  });

  it("of one that was killed: from the next command, with how far it came", async () => {
    tiny.commit("v4.0.0");
    const running = await tiny.deployUntil("v4.0.0", ({ phase, event }) => phase === "gate" && event === "start");
    running.killTree();
    await running.ended;
    const before = stored().length;
    await tiny.released("v4.0.0", ["--no-watch"]);
    const [killed, done] = stored().slice(before);
    assert.deepEqual([killed, done].map((one) => [one?.receipt.tag, one?.receipt.outcome.exitCode]), [["v4.0.0", null], ["v4.0.0", 0]]);
    assert.deepEqual([killed?.receipt.switched, killed?.receipt.gates.map(({ passed }) => passed)], [null, [null]]);
    assert.ok(readFileSync(pageBeside(killed?.json ?? ""), "utf8").includes("The deploy of v4.0.0 was killed before it was done"));
  });

  it("are listed, the newest first, and opened by tag or time", async () => {
    const listed = await tiny.project.script("history", []);
    assert.equal(listed.exitCode, 0, listed.all);
    const rows = listed.stdout.split("\n").filter((line) => /^[* ] \d{4}-/.test(line));
    assert.deepEqual(rows.map((row) => /^(.).{22}(\S+) +(\S+) +(\S+)/.exec(row)?.slice(1).join(" ")), [
      "* deploy v4.0.0 Released", "  deploy v4.0.0 Killed", "  rollback v1.0.0 Rolled", "  deploy v3.0.0 Failed,", "  deploy v2.0.0 Released,", "  deploy v1.0.0 Released",
    ]);
    const json = await tiny.project.script("history", ["--json", "--limit", "2"]);
    assert.deepEqual((JSON.parse(json.stdout.slice(json.stdout.indexOf("["))) as { tag: string; serves: boolean }[]).map(({ tag, serves }) => [tag, serves]), [["v4.0.0", true], ["v4.0.0", false]]);
    const [{ json: first } = { json: "" }] = stored();
    const opened = await tiny.project.script("history", ["open", "v1.0.0"], { env: { DISPLAY: undefined, WAYLAND_DISPLAY: undefined } });
    assert.equal(opened.exitCode, 0, opened.all);
    assert.match(opened.stdout, /\n?\/.*-v1\.0\.0\.html\nfile:\/\/\/.*-v1\.0\.0\.html\n$/);
    const stamp = path.basename(first).slice(0, 15);
    assert.ok((await tiny.project.script("history", ["open", stamp], { env: { DISPLAY: undefined, WAYLAND_DISPLAY: undefined } })).stdout.includes(pageBeside(first)));
    const refused = await tiny.project.script("history", ["open", "v9.9.9"]);
    assert.equal(refused.exitCode, 2, refused.all);
  });

  it("of one that its watch took back: the rule, the outage and the failed requests on it, and the cause on that of the rollback", async () => {
    await tiny.configure({ watch: { for: "2m", interval: "500ms", health: { above: 2, within: "30s" } } });
    const before = stored().length;
    tiny.startProbes();
    // It serves, passes its gate, and is dead from then on.
    tiny.commit("v5.0.0", { command: ["sh", "-c", "timeout 20 python3 /app/app.py; exec sleep 600"] });
    const ended = await tiny.deploy("v5.0.0");
    assert.equal(ended.exitCode, 3, ended.all);
    const [deployed, back] = stored().slice(before);
    const { watch } = deployed?.receipt ?? {};
    assert.deepEqual([deployed?.receipt.outcome.exitCode, watch?.exitCode, watch?.state, watch?.triggered?.rule, watch?.triggered?.action], [0, 3, "ended", "health", "rollback"]);
    assert.ok(watch?.traffic.measured === true && watch.traffic.failed > 0 && (watch.traffic.gap?.seconds ?? 0) > 1, JSON.stringify({ ...watch?.traffic, steps: [] }));
    assert.ok(watch.samples.some(({ failed }) => failed > 0));
    assert.match(readFileSync(pageBeside(deployed?.json ?? ""), "utf8"), /v5\.0\.0 was released and taken back by the watch: \d+ health checks failed/);
    assert.deepEqual([back?.receipt.command, back?.receipt.tag, back?.receipt.outcome.exitCode], ["rollback", "v4.0.0", 0]);
    assert.match(back?.receipt.incident?.cause ?? "", /the watch of v5\.0\.0 saw: \d+ health checks failed/);
    assert.ok(back?.receipt.traffic.measured === true && back.receipt.traffic.failed > 0);
  });

  it("all of them: each has both files, for their owner alone, and no secret in either", () => {
    const names = readdirSync(tiny.project.paths.reports);
    assert.deepEqual([names.filter((name) => name.endsWith(".json")).length, names.length], [8, 16]);
    assert.ok(stored().every(({ json }) => existsSync(pageBeside(json))));
    assert.deepEqual(leaksBelow(tiny.project.paths.reports, secret), []);
  });
});
