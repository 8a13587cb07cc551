import assert from "node:assert/strict";
import { answeredSince } from "../../components/receipt/since.js";
import type { JournalEvent } from "../../components/runtime/journal.js";

const BEGAN = new Date("2026-11-30T19:53:47Z");
const SWITCHED = "2026-11-30T19:55:10.000Z";

describe("what users were answered during a run", () => {
  const plan = (step: string, presentTag: string | null): Partial<JournalEvent> => ({ phase: "plan", event: "info", data: { step, presentTag } });
  const route: Partial<JournalEvent> = { phase: "route", event: "progress", data: { changed: true, switchedAt: SWITCHED } };
  const since = (...events: Partial<JournalEvent>[]): string | null => answeredSince(events.map((event): JournalEvent => ({ time: SWITCHED, run: "r", phase: "plan", event: "info", message: "", ...event })), BEGAN)?.toISOString() ?? null;

  it("counts from the first release's switch, as there was nobody before", () => {
    assert.equal(since(plan("first", null), route), SWITCHED);
    assert.equal(since(plan("first", null)), null);
  });

  it("counts from the run's beginning where something served, whatever its later plans say", () => {
    assert.equal(since(plan("unchanged", null), plan("deploy", "v1.0.0"), route), BEGAN.toISOString(), "a canary beside the first release, promoted");
    assert.equal(since(plan("deploy", "v1.0.0"), plan("unchanged", null)), BEGAN.toISOString(), "a second release that failed, and the first put back");
    assert.equal(since(), BEGAN.toISOString());
  });
});
