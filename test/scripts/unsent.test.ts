import assert from "node:assert/strict";
import type { EventKind, JournalEvent } from "../../components/runtime/journal.js";
import { unsentOf } from "../../scripts/cli/unsent.js";

const NAME = "pre-deploy-20260101-120000";
const event = (kind: EventKind, data: Record<string, unknown>): JournalEvent => ({ time: "", run: "r", phase: "send", event: kind, message: "", data });
const outcome = { backup: NAME, sent: true, known: false, snapshot: "abcd1234", added: 1, tookMs: 1, problem: "", next: "" };

describe("scripts/unsent", () => {
  it("has nothing to say where nothing was to be sent, or all was", () => {
    assert.equal(unsentOf([]), null);
    assert.equal(unsentOf([event("start", { backup: "" }), event("done", { ...outcome, backup: "", sent: false })]), null);
    assert.equal(unsentOf([event("start", { backup: NAME }), event("done", outcome)]), null);
  });
  it("says why, and how to send it again", () => {
    const told = unsentOf([event("start", { backup: NAME }), event("done", { ...outcome, sent: false, problem: "no answer", next: "see to it" })]);
    assert.deepEqual(told, { problem: "no answer", next: `see to it; then scripts/backups.sh send ${NAME}` });
  });
  it("does not take a process that was killed for one that was done", () => {
    const told = unsentOf([event("start", { backup: "pre-deploy-20250101-120000" }), event("done", { ...outcome, backup: "pre-deploy-20250101-120000" }), event("start", { backup: NAME })]);
    assert.match(told?.problem ?? "", /ended before it was done/);
  });
});
