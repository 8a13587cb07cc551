import assert from "node:assert/strict";
import { loadSettings } from "../../components/settings/load.js";
import { fromRecorded, toRecorded } from "../../components/settings/recorded.js";
import { SAMPLE, settingsOf } from "../settings/sample.js";

const problems = (watch: unknown): string[] => {
  const loaded = loadSettings({ stack: "prod", config: { ...SAMPLE, "pbjrag:watch": JSON.stringify(watch) } });
  return "problems" in loaded ? loaded.problems.map(({ subject, what }) => `${subject} ${what}`) : [];
};

describe("the watch in the config", () => {
  it("lasts an hour in production and staging, and is none on dev", () => {
    assert.deepEqual(["prod", "staging", "dev"].map((stack) => settingsOf({}, stack).watch.for), [3_600_000, 3_600_000, 0]);
  });

  it("is the operator's: not recorded with a release, and today's holds whatever release serves", () => {
    const recorded = toRecorded(settingsOf({ "pbjrag:watch": '{"for":"2h"}' }));
    assert.ok(!("watch" in recorded));
    assert.equal(fromRecorded(recorded, settingsOf({ "pbjrag:watch": '{"for":"3h"}' })).watch.for, 3 * 3_600_000);
  });

  it("is refused where it could never be met, or is no rule, all at once", () => {
    assert.deepEqual(problems({}), []);
    assert.deepEqual(problems({ interval: "1m", errors: { within: "5m", above: 0 }, health: { within: "1m", above: 0 } }), []);
    assert.deepEqual(problems({ for: "25h", interval: "2m", minRequests: 0, errors: { above: 100 }, latency: { above: "0s" }, health: { above: 1.5, within: "1m" } }).sort(), [
      "pbjrag:watch.errors.above 100 is no share in percent that can be exceeded",
      "pbjrag:watch.errors.within 5m is out of range",
      "pbjrag:watch.fewErrors.within 5m is out of range",
      "pbjrag:watch.for 25h is out of range",
      "pbjrag:watch.health.above expected a whole number",
      "pbjrag:watch.health.within 1m is out of range",
      "pbjrag:watch.latency.above 0ms is out of range",
      "pbjrag:watch.latency.within 5m is out of range",
      "pbjrag:watch.minRequests 0 is not between 1 and 1000000",
    ]);
    assert.match(problems({ errors: { action: "explode" } })[0] ?? "", /^pbjrag:watch\.errors\.action expected one of rollback, freeze, alert, off$/);
    assert.match(problems({ error: {} })[0] ?? "", /^pbjrag:watch\.error is not known/);
  });
});
