import assert from "node:assert/strict";
import { CANARY_LOOKS, canaryOf, canarySchema, type CanaryResult } from "../../components/receipt/canary.js";
import type { JournalEvent } from "../../components/runtime/journal.js";
import { BEGAN, deployed } from "./journals.js";
import { judged } from "./receipts.js";

const of = (events: JournalEvent[]): CanaryResult | null => canarySchema.nullable().parse(canaryOf(events, BEGAN.getTime(), () => "v3.0.0"));

describe("receipt: of a canary", () => {
  it("has its verdict, shares, looks, and what each test said last", () => {
    const canary = of(judged());
    assert.deepEqual([canary?.tag, canary?.verdict, canary?.summary, canary?.start, canary?.end], ["v3.0.0", "pass", "2 of 2,400 requests failed, not more than may", 16, 617]);
    assert.deepEqual(canary?.shares, [{ at: 16.1, weight: 10 }]);
    assert.equal(canary?.looks.length, 20);
    assert.deepEqual(canary?.looks.at(-1), { at: 616, weight: 10, verdict: "pass", words: "look 20 of 20 at v3.0.0", samples: { canary: 2400, stable: 21_600 }, p: { errors: 0.02, slower: 0.00002 } });
    assert.deepEqual(canary?.findings.map(({ test, samples, interval }) => [test, samples.canary, interval]), [["errors", 2400, [-0.02, 0.118]], ["slower", 2400, [20.4, 21.9]], ["restarts", 0, null]]);
  });

  it("has failed by what the judge said, and is not judged where the run ended before", () => {
    assert.deepEqual([of(judged("fail"))?.verdict, of(judged("fail"))?.summary], ["fail", "2 of 2,400 requests failed, not more than may"]);
    assert.equal(of(judged("insufficient"))?.verdict, "insufficient");
    const interrupted = judged().slice(0, 7);
    assert.deepEqual([of(interrupted)?.verdict, of(interrupted)?.summary, of(interrupted)?.end], [null, "", 136]);
    assert.equal(of([...interrupted, { ...(judged("fail").at(-1) as JournalEvent) }])?.verdict, null, "told to stop, not judged");
  });

  it("is that of the last judging, of a bounded size, and none where nothing was judged", () => {
    const twice = of([...judged("fail"), ...judged("pass", 500)]);
    assert.equal(twice?.verdict, "pass");
    assert.ok((twice?.looks.length ?? 0) <= CANARY_LOOKS && (twice?.looks.length ?? 0) > CANARY_LOOKS / 2);
    assert.equal(twice?.looks.at(-1)?.words, "look 500 of 500 at v3.0.0");
    assert.equal(of(deployed), null);
  });
});
