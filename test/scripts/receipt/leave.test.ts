import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dataPaths } from "../../../components/runtime/paths.js";
import type { JournalEvent } from "../../../components/runtime/journal.js";
import type { LastRun } from "../../../scripts/cli/last-run.js";
import type { Outcome } from "../../../scripts/cli/outcome.js";
import { leaveReceipts, type Leaving } from "../../../scripts/cli/receipt/leave.js";
import { pageBeside, storedReceipts } from "../../../scripts/cli/receipt/store.js";
import { Terminal } from "../../../scripts/cli/terminal.js";
import type { Workspace } from "../../../scripts/cli/workspace.js";
import { plantedSecret, leaksBelow } from "../../support/secrets.js";
import { BEGAN, deployed, failedGate, warmRollback } from "../../receipt/journals.js";

const DONE: Outcome = { exitCode: 0, summary: "v3.0.0 serves at http://127.0.0.1:8503", next: "" };
const FAILED: Outcome = { exitCode: 3, summary: "v3.1.0 did not pass the gate; v3.0.0 serves", next: "read the log", lines: ["Traceback"] };

describe("scripts/receipt: leaving one", () => {
  const secret = plantedSecret();
  const dockerHost = process.env.DOCKER_HOST;
  let dir: string;
  let ws: Workspace;
  let said: string[];

  before(() => { process.env.DOCKER_HOST = "unix:///nonexistent/docker.sock"; });
  after(() => {
    if (dockerHost === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = dockerHost;
  });
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "pbjrag-receipt-"));
    ws = { projectDir: dir, stack: "dev", stackFile: path.join(dir, "Pulumi.dev.yaml"), paths: dataPaths(".", "dev", dir), env: {} };
    mkdirSync(ws.paths.run, { recursive: true });
    said = [];
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** A run as it is when its command has ended. */
  function run(events: JournalEvent[], more: { before?: LastRun | null; secretsUnknown?: boolean } = {}): Leaving {
    const terminal = new Terminal(ws, "deploy");
    return {
      ws, terminal, id: events[0]?.run ?? "", startedAt: BEGAN, before: more.before ?? null,
      events: () => events,
      say: (line) => void said.push(line),
      protectSecrets: () => {
        if (more.secretsUnknown === true) return Promise.reject(new Error("no passphrase"));
        terminal.protect([secret]);
        return Promise.resolve();
      },
    };
  }
  const written = (): string[] => (existsSync(ws.paths.reports) ? readdirSync(ws.paths.reports).sort() : []);

  it("writes it for the owner alone, named by time and tag, and says where in one line", async () => {
    await leaveReceipts(run(deployed), { command: "deploy" }, DONE);
    assert.deepEqual(said, ["receipt reports/dev/20261125-040958-v3.0.0.html, as data .json"]);
    assert.deepEqual(storedReceipts(ws.paths).map(({ receipt }) => [receipt.run, receipt.outcome.words, receipt.traffic.measured]), [[deployed[0]?.run, "DONE", false]]);
    assert.deepEqual([ws.paths.reports, path.dirname(ws.paths.reports), ...written().map((name) => path.join(ws.paths.reports, name))].map((file) => statSync(file).mode & 0o777), [0o700, 0o700, 0o600, 0o600]);
    assert.deepEqual(written(), ["20261125-040958-v3.0.0.html", "20261125-040958-v3.0.0.json"]);
  });

  it("writes none for a command that releases nothing, was refused, or found nothing to do", async () => {
    await leaveReceipts(run(deployed), { command: "finish" }, DONE);
    await leaveReceipts(run(deployed.slice(0, 5)), { command: "deploy" }, { ...DONE, exitCode: 2 });
    await leaveReceipts(run([]), { command: "deploy" }, DONE);
    assert.deepEqual([written(), said], [[], []]);
  });

  it("says that nothing was released before by the run's first plan, not by the one that put the first release back", async () => {
    const why = async (events: JournalEvent[]): Promise<string> => {
      await leaveReceipts(run(events), { command: "deploy" }, FAILED);
      const { traffic } = storedReceipts(ws.paths).at(-1)?.receipt ?? {};
      return traffic?.measured === false ? traffic.why : "";
    };
    const noneBefore = (event: JournalEvent): JournalEvent => ({ ...event, data: { ...event.data, step: event.data?.["step"] === "unchanged" ? "unchanged" : "first", presentTag: null, presentRevision: null } });
    const isLastPlan = ({ data }: JournalEvent): boolean => data?.["step"] === "unchanged";
    assert.match(await why(failedGate.map((event) => (isLastPlan(event) ? noneBefore(event) : event))), /^the proxy's log could not be read/);
    assert.equal(await why(failedGate.map((event) => (event.phase === "plan" ? noneBefore(event) : event))), "nothing was released before");
  });

  it("keeps two of the same second apart, and replaces that of the same run", async () => {
    await leaveReceipts(run(deployed), { command: "deploy" }, DONE);
    await leaveReceipts(run(deployed.map((event) => ({ ...event, run: "deploy-20261125-040958-ffffff" }))), { command: "deploy" }, DONE);
    await leaveReceipts(run(deployed), { command: "deploy" }, { ...DONE, exitCode: 5 });
    const found = storedReceipts(ws.paths).map(({ receipt }) => [receipt.run, receipt.outcome.exitCode]);
    assert.deepEqual(found, [["deploy-20261125-040958-ffffff", 0], ["deploy-20261125-040958-39a728", 5]]);
  });

  it("holds no secret, whoever said it", async () => {
    const telling = failedGate.map((event) => ({ ...event, message: `${event.message} ${secret}`, data: { ...event.data, lines: [`key=${secret}`], why: `${secret} is wrong`, what: `it failed with ${encodeURIComponent(secret)}` } }));
    const told = run(telling);
    told.terminal.detail(`a line with ${secret}`);
    await leaveReceipts(told, { command: "deploy" }, { ...FAILED, summary: `the key ${secret} is wrong`, lines: [Buffer.from(secret).toString("base64")] });
    assert.equal(written().length, 2);
    assert.deepEqual(leaksBelow(ws.paths.reports, secret), []);
    const { incident } = storedReceipts(ws.paths)[0]?.receipt ?? {};
    assert.match(incident?.cause ?? "", /^it failed with \*\*\*: \*\*\* is wrong$/);
  });

  it("leaves out what others said where the secrets could not be read", async () => {
    await leaveReceipts(run(failedGate, { secretsUnknown: true }), { command: "deploy" }, { ...FAILED, summary: secret, lines: [secret] });
    const receipt = storedReceipts(ws.paths)[0]?.receipt;
    assert.match(receipt?.outcome.summary ?? "", /^left out, as the stack's secrets could not be read/);
    assert.deepEqual([receipt?.outcome.lines, receipt?.incident?.log, receipt?.tag], [[], [], "v3.1.0"]);
    assert.doesNotMatch(JSON.stringify(receipt), /ModuleNotFoundError/);
    assert.deepEqual(leaksBelow(ws.paths.reports, secret), []);
  });

  it("is written for a run before that was killed as well, once", async () => {
    const killed = { run: "rollback-20261125-040958-91e43e", command: "rollback", exitCode: null };
    const lines = warmRollback.slice(0, 12).map((event) => JSON.stringify(event));
    writeFileSync(ws.paths.journal, `${lines.join("\n")}\n`);
    await leaveReceipts(run(deployed, { before: killed }), { command: "deploy" }, DONE);
    await leaveReceipts(run([], { before: killed }), { command: "deploy" }, { ...DONE, exitCode: 2 });
    const found = storedReceipts(ws.paths).map(({ receipt }) => [receipt.command, receipt.tag, receipt.outcome.exitCode, receipt.outcome.words]);
    assert.deepEqual(found, [["rollback", "v2.9.0", null, "KILLED"], ["deploy", "v3.0.0", 0, "DONE"]]);
    const { receipt } = storedReceipts(ws.paths)[0] ?? {};
    assert.deepEqual([receipt?.startedAt, receipt?.endedAt, receipt?.switched?.warm], [BEGAN.toISOString(), warmRollback[11]?.time, true]);
  });

  it("has its page written anew where one is missing, the newest first", async () => {
    await leaveReceipts(run(deployed), { command: "deploy" }, DONE);
    const [json = ""] = storedReceipts(ws.paths).map((stored) => stored.json);
    for (let n = 2; n <= 8; n++) copyFileSync(json, json.replace("20261125", `2026113${n}`));
    rmSync(pageBeside(json));
    await leaveReceipts(run([]), { command: "finish" }, DONE);
    assert.deepEqual(written().filter((name) => name.endsWith(".html")), [4, 5, 6, 7, 8].map((n) => `2026113${n}-040958-v3.0.0.html`));
    await leaveReceipts(run([]), { command: "finish" }, DONE);
    assert.equal(written().filter((name) => name.endsWith(".html")).length, 8);
  });

  it("is there although its page cannot be written, which is said", async () => {
    mkdirSync(path.join(ws.paths.reports, "20261125-040958-v3.0.0.html"), { recursive: true });
    await leaveReceipts(run(deployed), { command: "deploy" }, DONE);
    assert.equal(storedReceipts(ws.paths).length, 1);
    assert.match(said.join("\n"), /^receipt reports\/dev\/20261125-040958-v3\.0\.0\.json: its page could not be written: .*EISDIR/);
  });

  it("that cannot be written says nothing of one that was", async () => {
    mkdirSync(path.dirname(ws.paths.reports), { recursive: true });
    writeFileSync(ws.paths.reports, "a file where the directory should be");
    await assert.rejects(leaveReceipts(run(deployed), { command: "deploy" }, DONE), /EEXIST|ENOTDIR/);
    assert.deepEqual(said, []);
  });

  it("passes over what is no receipt of a known form", () => {
    mkdirSync(ws.paths.reports, { recursive: true });
    for (const [name, text] of [["a.json", "{"], ["b.json", "{\"schema\":3}"], ["c.html", "<p>"]] as const) writeFileSync(path.join(ws.paths.reports, name), text);
    assert.deepEqual(storedReceipts(ws.paths), []);
    assert.equal(readFileSync(path.join(ws.paths.reports, "c.html"), "utf8"), "<p>");
  });
});
