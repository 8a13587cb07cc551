import assert from "node:assert/strict";
import type { JournalEvent, NewEvent } from "../../components/runtime/journal.js";
import { phasesOf } from "./phases.js";
import { median, ratio, row, table } from "./stats.js";

describe("bench: numbers", () => {
  it("are medians with their range, rounded to what they mean", () => {
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
    assert.throws(() => median([]), RangeError);
    assert.deepEqual(row("a", "ms", [1234.4, 0.12345, 12.3456]), { what: "a", unit: "ms", median: 12.3, min: 0.123, max: 1234, rounds: 3 });
  });

  it("are shown in columns, with what they are to each other", () => {
    const rows = [row("a released stack", "ms", [300, 200, 250]), row("empty", "ms", [100])] as const;
    assert.equal(table({ title: "up", rows, ratios: [ratio("released to empty", ...rows)] }), [
      "up", "  a released stack   250 ms  200 to 300 in 3 rounds", "  empty              100 ms", "  released to empty   x 2.5",
    ].join("\n"));
  });
});

describe("bench: phases", () => {
  const at = (second: number, phase: NewEvent["phase"], event: NewEvent["event"]): JournalEvent =>
    ({ time: new Date(second * 1000).toISOString(), run: "r", phase, event, message: "" });

  it("are what the journal says, with what comes before the first and after the last", () => {
    const events = [
      at(2, "plan", "info"), at(3, "backup", "start"), at(5, "backup", "progress"), at(6, "backup", "done"), at(7, "gate", "start"), at(8, "gate", "done"),
      at(8, "route", "info"), at(8, "route", "start"), at(9, "route", "done"), at(9, "sessions", "info"),
    ];
    assert.deepEqual(phasesOf(events, 1000, 11_000), { "lock, state, preview": 2000, backup: 3000, gate: 1000, route: 1000, "clean-up, ledger, check": 2000 });
  });

  it("add up where one comes again, and leave out what never ended", () => {
    const events = [at(1, "route", "start"), at(2, "route", "done"), at(3, "route", "start"), at(5, "route", "done"), at(6, "gate", "start"), at(7, "gate", "failed")];
    assert.deepEqual(phasesOf(events, 1000, 8000), { "lock, state, preview": 0, route: 3000, "clean-up, ledger, check": 3000 });
  });
});
