import assert from "node:assert/strict";
import { receiptSchema } from "../../components/receipt/model.js";
import { WATCH_SAMPLES, watchedOf, watchedSchema } from "../../components/receipt/watched.js";
import { withMet } from "../../components/watch/state.js";
import { REVISION, slots, T0, traffic, watchOf } from "../watch/world.js";
import { released, watched } from "./receipts.js";

const unmeasured = { measured: false as const, why: "there is no proxy" };
const HOUR = 3_600_000;

describe("receipt: what a watch has seen", () => {
  it("is bounded, and loses no request to that", () => {
    const seen = slots(120, (minute) => ({ traffic: traffic(100, minute === 70 ? 5 : 0, [20, 30]), memory: { [REVISION]: minute === 70 ? 0.9 : 0.5 }, open: { [REVISION]: 7 }, failed: minute === 70 ? 1 : 0 }));
    const { samples } = watchedSchema.parse(watchedOf({ ...watchOf(2 * HOUR), state: "ended" }, seen, unmeasured, T0 + 2 * HOUR));
    assert.ok(samples.length <= WATCH_SAMPLES && samples.length > WATCH_SAMPLES / 2, `${samples.length} samples`);
    const sum = (of: (one: (typeof samples)[number]) => number): number => samples.reduce((total, one) => total + of(one), 0);
    assert.deepEqual([sum(({ byRevision }) => byRevision[REVISION]?.requests ?? 0), sum(({ byRevision }) => byRevision[REVISION]?.errors ?? 0), sum(({ failed }) => failed)], [72_000, 30, 6]);
    assert.deepEqual([samples[0]?.from, samples.at(-1)?.to, Math.max(...samples.map(({ byRevision }) => byRevision[REVISION]?.memory ?? 0))], [0, 7200, 0.9]);
    assert.ok(samples.every(({ byRevision }) => Math.abs((byRevision[REVISION]?.p99 ?? 0) - 30) < 1));
  });

  it("is only its own: what was measured before and after belongs to others", () => {
    const seen = [...slots(2, () => ({ traffic: traffic(100) })).map((one) => ({ ...one, from: one.from - 120_000, to: one.to - 120_000 })), ...slots(4, () => ({ traffic: traffic(10) }))];
    const { samples, state } = watchedOf(watchOf(), seen, unmeasured, T0 + 120_000);
    assert.deepEqual([samples.length, samples.every(({ byRevision }) => byRevision[REVISION]?.requests === 10), state], [12, true, "open"]);
  });

  it("names the rule that rolled back, and none that was over or only warned", () => {
    const { watch } = watched();
    assert.deepEqual([watch?.triggered?.rule, watch?.triggered?.at, watch?.met.map(({ rule }) => rule)], ["errors", new Date(T0 + 1_200_000).toISOString(), ["fewErrors", "errors"]]);
    const at = new Date(T0).toISOString();
    const grave = withMet(watchOf(), [{ rule: "memory", action: "rollback", what: "memory above 90 %" }], at).state;
    const ended = (state: typeof grave): string | undefined => watchedOf(state, [], unmeasured, T0)["triggered"]?.rule;
    assert.equal(ended({ ...grave, state: "ended", exitCode: 4 }), "memory");
    assert.equal(ended({ ...grave, state: "interrupted", exitCode: 130 }), undefined);
    assert.equal(ended({ ...withMet(grave, [], at).state, state: "ended", exitCode: 0 }), undefined);
  });
});

describe("receipt: its form", () => {
  it("of a program that knew of neither watch nor canary is still read", () => {
    const old = Object.fromEntries(Object.entries({ ...released(), schema: 1 }).filter(([key]) => key !== "watch" && key !== "canary"));
    const read = receiptSchema.parse(old);
    assert.deepEqual([read.schema, read.watch, read.canary], [1, null, null]);
    assert.equal(receiptSchema.safeParse({ ...old, schema: 3 }).success, false);
  });
});
