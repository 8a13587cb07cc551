import assert from "node:assert/strict";
import { switchOf } from "../../components/receipt/build.js";
import { spansOf } from "../../components/receipt/spans.js";
import { withoutWaiting } from "../../components/receipt/waiting.js";
import type { JournalEvent } from "../../components/runtime/journal.js";

const T0 = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number, phase: JournalEvent["phase"], event: JournalEvent["event"], data?: Record<string, unknown>): JournalEvent =>
  ({ time: new Date(T0 + seconds * 1000).toISOString(), run: "r", phase, event, message: "", ...(data === undefined ? {} : { data }) });

describe("receipt: the time that a person thinks", () => {
  const events = [
    at(1, "preview", "start"), at(4, "preview", "done"), at(5, "question", "start"), at(305, "question", "done"),
    at(306, "warm", "start"), at(307, "warm", "done", { switchedAt: new Date(T0 + 307_000).toISOString() }),
  ];

  it("counts neither in the run's time nor in its steps", () => {
    const { startedAt, events: shifted, waited } = withoutWaiting({ startedAt: new Date(T0), events });
    assert.equal(waited, 300_000);
    assert.equal(startedAt.getTime(), T0 + 300_000);
    assert.equal(switchOf(shifted, startedAt)?.after, 7);
    assert.deepEqual(spansOf(shifted, startedAt.getTime(), T0 + 308_000).map(({ phase, start, end }) => [phase, start, end]), [["preview", 1, 4], ["question", 5, 5], ["warm", 6, 7]]);
  });

  it("of a question that nobody has answered, nothing is moved", () => {
    const open = events.slice(0, 3);
    assert.deepEqual(withoutWaiting({ startedAt: new Date(T0), events: open }), { startedAt: new Date(T0), events: open, waited: 0 });
  });
});
