import assert from "node:assert/strict";
import type { Problem } from "../../components/release/model.js";
import { errors } from "../../components/runtime/errors.js";
import type { JournalEvent, NewEvent } from "../../components/runtime/journal.js";
import { withoutBackup } from "../../scripts/cli/backup-flags.js";
import { failedExit, failureOf, refusalOf } from "../../scripts/cli/failure.js";
import { deployOptions } from "../../scripts/cli/flags.js";
import { endedBadly } from "../../scripts/cli/last-run.js";
import { endLines } from "../../scripts/cli/outcome.js";
import { failureOutcome, Interrupted } from "../../scripts/cli/run.js";
import { imageWords } from "../../scripts/cli/releases.js";
import { warmTable } from "../../scripts/cli/warm.js";
import { warmTarget } from "../../scripts/cli/warm-target.js";
import { settingsOf } from "../settings/sample.js";

const event = (e: NewEvent): JournalEvent => ({ time: "2026-01-01T00:00:00Z", run: "r", ...e });
const planned = event({ phase: "plan", event: "info", message: "" });

describe("how a command ends", () => {
  it("says the exit code in words, with what to do next", () => {
    assert.deepEqual(endLines({ exitCode: 3, summary: "v3.1.0 did not\n pass", next: "read the log", lines: ["Traceback"] }), [
      "  | Traceback",
      "FAILED AND ROLLED BACK, the former release serves (exit 3): v3.1.0 did not pass. Next: read the log",
    ]);
  });

  it("keeps the exit code of a known error and calls an unknown one not rolled back", () => {
    assert.equal(failureOutcome(errors.lockHeld({ stack: "dev", holder: "x" })).exitCode, 6);
    assert.equal(failureOutcome(new Error("boom")).exitCode, 4);
    assert.equal(failureOutcome(new Interrupted()).exitCode, 130);
  });

  it("takes a refusal and a failed backup for untouched, a failed gate not", () => {
    const problems = [{ subject: "pbjrag:a", what: "is b", next: "c" }];
    const refused = failureOf([event({ phase: "refused", event: "failed", message: "a", data: { problems } })], []);
    const backup = failureOf([planned, event({ phase: "backup", event: "failed", message: "disk full" })], []);
    const gate = failureOf([planned, event({ phase: "gate", event: "failed", message: "script raises", data: { next: "mend it" } })], []);
    assert.deepEqual([refused.untouched, backup.untouched, gate.untouched], [true, true, false]);
    assert.equal(gate.next, "mend it");
    assert.deepEqual([failedExit(backup, true), failedExit(gate, true), failedExit(gate, false)], [2, 3, 4]);
  });

  it("tells one problem in one sentence, and lists several", () => {
    const problem = (n: number): Problem => ({ subject: `pbjrag:key${n}`, what: `is ${n}`, next: `set ${n}` });
    assert.deepEqual(endLines(failureOutcome(refusalOf([problem(1)]))), ["REFUSED, nothing touched (exit 2): pbjrag:key1: is 1. Next: set 1"]);
    assert.deepEqual(endLines(failureOutcome(refusalOf([problem(1), problem(2)]))), [
      "  | pbjrag:key1: is 1. Next: set 1",
      "  | pbjrag:key2: is 2. Next: set 2",
      "REFUSED, nothing touched (exit 2): 2 problems: pbjrag:key1, pbjrag:key2. Next: correct what is listed above, then run again",
    ]);
  });

  it("takes a backup that was killed for a failed one, and a later failure for what it is", () => {
    const started = event({ phase: "backup", event: "start", message: "", data: { before: "v2.0.0" } });
    const killed = failureOf([planned, started, event({ phase: "backup", event: "progress", message: "compressing" })], ["error: exit status 137"]);
    assert.deepEqual([killed.untouched, killed.phase, killed.lines], [true, "backup", ["error: exit status 137"]]);
    assert.match(killed.what, /^The backup before v2\.0\.0 failed, so nothing was released and what serves is untouched: its process ended before it was done/);
    const later = failureOf([planned, started, event({ phase: "backup", event: "done", message: "" })], ["error: build failed"]);
    assert.deepEqual([later.untouched, later.phase], [false, "update"]);
  });

  it("an update that never reached the program touched nothing; one that failed silently later may have", () => {
    assert.equal(failureOf([], ["error: incorrect passphrase"]).untouched, true);
    const silent = failureOf([planned], ["error: build failed"]);
    assert.deepEqual([silent.untouched, silent.what], [false, "error: build failed"]);
  });

  it("a retry gets a new attempt after a kill, a failure or an interruption, not after a refusal", () => {
    const last = (exitCode: number | null): boolean => endedBadly({ run: "r", command: "deploy", exitCode });
    assert.deepEqual([null, 3, 4, 5, 130, 0, 2, 6].map(last), [true, true, true, true, true, false, false, false]);
    assert.equal(endedBadly(null), false);
  });

  it("says that an image was built again, and only then", () => {
    const record = (tag: string, image: string, dockerfile = "Dockerfile") =>
      ({ commit: tag, imageId: `sha256:${image.repeat(64)}`, settings: settingsOf({ "pbjrag:version": tag, "pbjrag:app": JSON.stringify({ dockerfile }) }) });
    assert.equal(imageWords([]), "");
    assert.equal(imageWords([record("v1", "a"), record("v2", "b"), record("v1", "a")]), "");
    assert.equal(imageWords([record("v1", "a"), record("v1", "b", "docker/other")]), "");
    assert.equal(imageWords([record("v1", "a"), record("v2", "b"), record("v1", "c")]), ", as an image that was built again: sha256:aaaaaaaaaaaa is gone, sha256:cccccccccccc runs");
  });

  it("refuses contradicting deploy flags", () => {
    assert.throws(() => deployOptions({ backup: false }), /reason/);
    assert.throws(() => deployOptions({ backup: false, withBackup: true, reason: "x" }), /contradict/);
    assert.throws(() => deployOptions({ reason: "x" }), /--no-backup/);
    assert.equal(deployOptions({ backup: false, reason: " disk is full " }).noBackupReason, "disk is full");
    assert.deepEqual([withoutBackup({ backup: true }), withoutBackup({ backup: false, reason: "Qdrant is ill" })], [{}, { noBackupReason: "Qdrant is ill" }]);
  });

  it("a warm rollback swaps serving and former and abandons what served", () => {
    const revision = (tag: string) => ({ revision: `${tag}-00000000`, tag, containers: [], port: 8501, healthPath: "/h" });
    const table = { schema: 1 as const, stack: "s", seq: 4, serving: revision("v3"), former: revision("v2"), abandoned: false, rollbackTo: "v2-00000000" };
    const moved = warmTable({ ...table, frozenUntil: 1 });
    assert.equal(moved.frozenUntil, undefined, "a killed run's pause of writes ends with the move");
    assert.deepEqual([moved.serving?.tag, moved.former?.tag, moved.abandoned, moved.seq], ["v2", "v3", true, 5]);
  });

  it("moves warm to what is asked for, and never to other data in passing", () => {
    const revision = (tag: string, generation?: string) => ({ revision: `${tag}-00000000`, tag, containers: [], port: 8501, healthPath: "/h", ...(generation === undefined ? {} : { generation }) });
    const table = { schema: 1 as const, stack: "s", seq: 4, serving: revision("v3"), former: revision("v2"), abandoned: false, rollbackTo: "v2-00000000" };
    assert.equal(warmTarget(table, undefined)?.tag, "v2");
    assert.equal(warmTarget(table, "v2")?.tag, "v2");
    assert.equal(warmTarget(table, "v1"), null);
    assert.equal(warmTarget({ ...table, rollbackTo: "v1-00000000" }, undefined), null);
    assert.equal(warmTarget({ ...table, former: revision("v2", "r1") }, "v2"), null);
    assert.equal(warmTarget({ ...table, serving: revision("v3", "r1") }, undefined), null);
    assert.equal(warmTarget({ ...table, serving: revision("v3", "r1"), former: revision("v2", "r1") }, undefined)?.tag, "v2");
  });
});
