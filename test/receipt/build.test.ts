import assert from "node:assert/strict";
import { buildReceipt, deservesReceipt, type RunFacts, type Sources, switchOf } from "../../components/receipt/build.js";
import { type Receipt, receiptSchema } from "../../components/receipt/model.js";
import { costsOf, spansOf } from "../../components/receipt/spans.js";
import type { JournalEvent } from "../../components/runtime/journal.js";
import { at, BEGAN, deployed, failedGate, journal, restored, warmRollback } from "./journals.js";

const unmeasured: Sources = { traffic: { measured: false, why: "there is no proxy" }, manifestOf: () => null };

function receiptOf(events: JournalEvent[], facts: Partial<RunFacts> = {}, sources: Partial<Sources> = {}): Receipt {
  const run = events[0]?.run ?? "";
  const outcome = { exitCode: 0, words: "DONE", summary: "v3.0.0 serves", next: "", lines: [] };
  const all: RunFacts = { run, stack: "dev", command: "deploy", by: "ops on host", rehearsal: false, startedAt: BEGAN, endedAt: at(20), outcome, events, log: "logs/deploy.log", logTail: ["last line"], ...facts };
  return receiptSchema.parse(buildReceipt(all, { ...unmeasured, ...sources }));
}
const ended = (exitCode: number | null, summary = "it failed"): Partial<RunFacts> => ({ outcome: { exitCode, words: "WORDS", summary, next: "", lines: ["evidence"] } });

describe("receipt: of a canary that was not released", () => {
  it("names what was tried, and that nobody was moved", () => {
    const tried = { tag: "v3.0.0", revision: "v3.0.0-74256c58", containers: [] };
    const events = deployed.map((event) => {
      if (event.phase === "plan") return { ...event, data: { ...event.data, step: "unchanged", tag: "v2.9.0", revision: "v2.9.0-8488f628", canary: tried } };
      return event.phase === "route" && event.event === "progress" ? { ...event, data: { ...event.data, beside: tried.revision } } : event;
    });
    const receipt = receiptOf(events, ended(5));
    assert.deepEqual([receipt.tag, receipt.from?.tag, receipt.seq, receipt.switched], ["v3.0.0", "v2.9.0", null, null]);
  });
});

describe("receipt: of a release that went well", () => {
  const receipt = receiptOf(deployed);

  it("names what was released, what served before, its number, and when users came", () => {
    assert.deepEqual([receipt.tag, receipt.revision, receipt.from, receipt.seq], ["v3.0.0", "v3.0.0-74256c58", { tag: "v2.9.0", revision: "v2.9.0-8488f628" }, 2]);
    assert.deepEqual(receipt.switched, { at: at(16.399).toISOString(), after: 16.399, warm: false });
    assert.deepEqual(receipt.notices, ["changes settings: app.memory: 512MiB -> 640MiB"]);
    assert.equal(receipt.incident, null);
  });

  it("has each phase from its begin to its end, and every second of the run once", () => {
    assert.deepEqual(receipt.timeline.map(({ phase, start, end, state }) => [phase, start, end, state]), [
      ["recover", 0.4, 1.1, "done"], ["preview", 1.2, 4.1, "done"], ["update", 4.2, 18.1, "done"], ["backup", 7, 11.6, "done"], ["image", 11.7, 12.8, "done"],
      ["start", 12.8, 13.8, "done"], ["gate", 13.9, 16.1, "done"], ["route", 16.2, 17.2, "done"], ["verify", 18.2, 19, "done"],
    ]);
    const costs = Object.fromEntries(receipt.costs.map(({ phase, seconds }) => [phase, seconds]));
    assert.deepEqual(costs, { recover: 0.7, preview: 2.9, backup: 4.6, image: 1.1, start: 1, gate: 2.2, route: 1, update: 4, verify: 0.8, other: 1.7 });
    assert.equal(Math.round(receipt.costs.reduce((sum, { seconds }) => sum + seconds, 0) * 1000) / 1000, receipt.seconds);
  });

  it("has the gate's measurements", () => {
    assert.deepEqual(receipt.gates, [{
      revision: "v3.0.0-74256c58", tag: "v3.0.0", passed: true, reason: "", seconds: 2.201, rounds: 4, probes: 24,
      latency: { health: { p50: 3, p99: 9 }, script: { p50: 21.5, p99: 80 } }, collections: { notes: { status: "green", count: 2000 } },
      seen: [{ at: 14.4, words: "1 of 3 rounds in a row have passed" }],
    }]);
  });

  it("tells who keeps sessions, and says what was not measured", () => {
    assert.deepEqual(receipt.sessions, { measured: true, kept: [{ revision: "v2.9.0-8488f628", tag: "v2.9.0", count: 20 }], cut: [] });
    assert.deepEqual(receipt.traffic, { measured: false, why: "there is no proxy" });
    assert.deepEqual(receipt.pauses, []);
  });

  it("gives the proxy's counts the tags of their revisions", () => {
    const counted = { requests: 10, failed: 0 };
    const traffic = {
      measured: true as const, from: BEGAN.toISOString(), to: at(20).toISOString(), requests: 30, failed: 0, refused: 0, gap: null, step: 1, steps: [],
      byRevision: ["v3.0.0-74256c58", "v2.9.0-8488f628", "release-1-0a0b0c0d"].map((revision) => ({ revision, tag: "", ...counted })),
    };
    const { traffic: named } = receiptOf(deployed, {}, { traffic });
    assert.ok(named.measured);
    assert.deepEqual(named.byRevision.map(({ tag }) => tag), ["v3.0.0", "v2.9.0", "release-1"]);
  });

  it("tells of a backup without a manifest what the journal has of it", () => {
    const { backup } = receipt;
    assert.deepEqual([backup?.name, backup?.bytes, backup?.files, backup?.proof, backup?.sent], ["pre-deploy-20261125-041005", 4476905, 3, null, null]);
    assert.deepEqual(backup?.collections, [{ name: "notes", points: 2000, compared: null }, { name: "pbjrag_chunks", points: 40, compared: null }]);
  });
});

describe("receipt: of a release that failed", () => {
  const receipt = receiptOf(failedGate, { ...ended(3, "v3.1.0 did not pass; v3.0.0 serves"), endedAt: at(40), startedAt: BEGAN });

  it("is about the release that failed, not about the one that was put back", () => {
    assert.deepEqual([receipt.tag, receipt.from?.tag, receipt.seq, receipt.switched], ["v3.1.0", "v3.0.0", null, null]);
    assert.deepEqual(receipt.gates.map(({ passed, seconds, seen }) => [passed, seconds, seen.length]), [[false, 20.7, 1]]);
    assert.match(receipt.gates[0]?.reason ?? "", /^container .* raises an error .*No module named 'pbjrag_store_v4'$/);
    assert.deepEqual(receipt.sessions, { measured: false, why: "nobody was moved to another release" });
  });

  it("counts the time of putting back as that, and Pulumi's within it as Pulumi's", () => {
    const costs = Object.fromEntries(receipt.costs.map(({ phase, seconds }) => [phase, seconds]));
    assert.deepEqual([costs["gate"], costs["reapply"]], [20.7, 0.3]);
    assert.deepEqual(receipt.timeline.filter(({ phase }) => phase === "update").map(({ state }) => state), ["failed", "done"]);
  });

  it("begins an incident report with cause, times, evidence and the log", () => {
    const { incident } = receipt;
    assert.equal(incident?.phase, "gate");
    assert.match(incident?.cause ?? "", /^v3\.1\.0 \(v3\.1\.0-5fa81d95\) did not pass the gate, no user was sent to it: container/);
    assert.deepEqual(incident?.times.map(({ words }) => words), ["deploy began", "Gate failed", "the former release was put back and looked at", "the run ended: WORDS"]);
    assert.deepEqual([incident?.evidence, incident?.log], [["evidence"], ["last line"]]);
  });

  it("tells of a gate, a backup and a step that were under way when it was killed", () => {
    const cut = failedGate.slice(0, failedGate.findIndex(({ phase, event }) => phase === "gate" && event === "failed"));
    const killed = receiptOf(cut, { ...ended(null), endedAt: at(21) });
    assert.deepEqual(killed.gates.map(({ passed, reason }) => [passed, reason]), [[null, "it did not come to its end"]]);
    assert.deepEqual(killed.timeline.filter(({ state }) => state === "open").map(({ phase, end }) => [phase, end]), [["update", 21], ["gate", 21]]);
    const early = receiptOf(cut.slice(0, cut.findIndex(({ phase, event }) => phase === "backup" && event === "done")), ended(null));
    assert.equal(early.backup?.reason, "it did not come to its end");
    assert.equal(early.incident?.cause, "it failed");
  });

  it("tells why a backup failed", () => {
    const failed = [...deployed.slice(0, 8), ...journal("deploy-x", [[9, "backup", "failed", "whole text", { what: "The backup failed", why: "the disk is full", lines: [] }]])];
    const { backup, incident } = receiptOf(failed, ended(2));
    assert.deepEqual([backup?.name, backup?.reason], ["", "the disk is full"]);
    assert.equal(incident?.cause, "The backup failed: the disk is full");
  });
});

describe("receipt: of a rollback", () => {
  it("tells when the warm release got its users, and asks for a report although it went well", () => {
    const receipt = receiptOf(warmRollback, { command: "rollback" });
    assert.deepEqual(receipt.switched, { at: at(0.41).toISOString(), after: 0.41, warm: true });
    assert.deepEqual(receipt.sessions, { measured: true, kept: [], cut: [{ revision: "v3.0.0-74256c58", tag: "v3.0.0", count: 12, why: "closed, to connect again to what serves" }] });
    assert.deepEqual([receipt.incident?.cause, receipt.incident?.phase], ["", ""]);
    assert.equal(receiptOf(warmRollback, { command: "rollback", rehearsal: true }).incident, null);
  });

  it("that a watch began has its rule as the cause, from when on it was met", () => {
    const run = warmRollback[0]?.run ?? "";
    const words = "the watch of v3.0.0 saw: 5 % of 400 requests failed in 5m (above 1 %)";
    const watched: JournalEvent = { time: at(0.2).toISOString(), run, phase: "watch", event: "info", message: words, data: { rule: "errors", since: at(-300).toISOString() } };
    const { incident } = receiptOf([watched, ...warmRollback], { command: "rollback" });
    assert.equal(incident?.cause, words);
    assert.deepEqual(incident?.times[0], { at: at(-300).toISOString(), words });
  });

  it("that was killed before it had a plan names where it was going", () => {
    const receipt = receiptOf(warmRollback.slice(0, 1), { ...ended(null), command: "rollback" });
    assert.deepEqual([receipt.tag, receipt.revision, receipt.switched], ["v2.9.0", "v2.9.0-8488f628", null]);
  });

  it("with data tells what it was made from, the pause of writes, what could not be counted and what was not sent", () => {
    const receipt = receiptOf(restored, { ...ended(5, "it is on this machine alone"), command: "restore" });
    assert.deepEqual(receipt.restored, { generation: "g7", from: "pre-deploy-20261125-030000", files: 2, bytes: 3000000, collections: { notes: 1900 } });
    assert.deepEqual(receipt.pauses, [{ seconds: 0.412, closed: 3, refused: 1 }]);
    assert.deepEqual(receipt.sessions, { measured: false, why: "open sessions could not be counted: HAProxy's master does not answer" });
    assert.deepEqual(receipt.backup?.sent, { done: false, words: "no route to host" });
    assert.equal(receipt.incident, null, "an unsent backup is no incident");
  });
});

describe("receipt: when there is one", () => {
  it("is left by what began to change something, or failed badly", () => {
    for (const events of [deployed, failedGate, warmRollback, restored]) assert.equal(deservesReceipt(events, 0), true);
    const refused = deployed.slice(0, 5);
    assert.deepEqual([0, 2, 3, 4, 5, 130, null].map((code) => deservesReceipt(refused, code)), [false, false, true, true, false, false, false]);
  });

  it("takes an update that moved nothing for no switch", () => {
    const same = deployed.map((event) => (event.phase === "route" && event.event === "progress" ? { ...event, data: { ...event.data, changed: false } } : event));
    assert.equal(switchOf(same, BEGAN), null);
  });

  it("survives a clock that was set back", () => {
    const back = deployed.map((event, index) => (index < 8 ? event : { ...event, time: at(-3600 + index).toISOString() }));
    const spans = spansOf(back, BEGAN.getTime(), at(20).getTime());
    assert.ok(spans.every(({ start, end }) => start >= 0 && end >= start && end <= 20));
    assert.equal(Math.round(costsOf(spans, 20).reduce((sum, { seconds }) => sum + seconds, 0)), 20);
    assert.equal(receiptOf(back, { endedAt: at(-10) }).seconds, 0);
  });
});
