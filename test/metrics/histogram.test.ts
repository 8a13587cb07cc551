import assert from "node:assert/strict";
import fc from "fast-check";
import { addHistograms, classOf, countOf, histogramOf, middleOf, quantile, samplesOf, upperOf } from "../../components/metrics/histogram.js";

const times = fc.array(fc.integer({ min: 1, max: 3_600_000 }), { minLength: 1, maxLength: 300 });

describe("a histogram of times", () => {
  it("puts each time into the class that reaches up to it", () => {
    fc.assert(fc.property(fc.double({ min: 1, max: 3_600_000, noNaN: true }), (ms) => {
      const at = classOf(ms);
      assert.ok(ms <= upperOf(at) * 1.000001, `${ms} in ${at}`);
      assert.ok(at === 0 || ms > upperOf(at - 1) * 0.999999, `${ms} in ${at}`);
    }));
    assert.deepEqual([classOf(0), classOf(-1), classOf(1)], [0, 0, 0]);
    assert.equal(classOf(Infinity), classOf(24 * 3_600_000));
  });

  it("has quantiles that are right to 2.5 %", () => {
    fc.assert(fc.property(times, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
      const sorted = [...values].sort((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)] ?? NaN;
      const found = quantile(histogramOf(values), share) ?? NaN;
      assert.ok(Math.abs(found - exact) <= exact * 0.025 + 1e-9, `${found} instead of ${exact}`);
    }));
    assert.equal(quantile({}, 0.99), null);
  });

  it("adds up exactly, and gives as many samples as were counted", () => {
    fc.assert(fc.property(times, times, (some, others) => {
      const both = addHistograms([histogramOf(some), histogramOf(others)]);
      assert.deepEqual(both, histogramOf([...some, ...others]));
      assert.equal(countOf(both), some.length + others.length);
      assert.deepEqual(samplesOf(both), [...some, ...others].map((ms) => middleOf(classOf(ms))).sort((a, b) => a - b));
    }));
  });
});
