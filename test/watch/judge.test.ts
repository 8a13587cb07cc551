import assert from "node:assert/strict";
import fc from "fast-check";
import { judge, RULES, type WatchRules } from "../../components/watch/judge.js";
import type { Slot } from "../../components/metrics/kept.js";
import { REVISION, rulesOf, slot, slots, T0, traffic } from "./world.js";

const met = (all: readonly Slot[], rules: WatchRules = rulesOf()) => judge(rules, { slots: all, revision: REVISION, now: all.at(-1)?.to ?? T0 });
const names = (all: readonly Slot[], rules?: WatchRules): string[] => met(all, rules).map(({ rule }) => rule);

describe("the watch's rules", () => {
  it("are the user's: 1 % of errors and a p99 of 10 s for 5 minutes, 3 failed health checks and 90 % of memory in 10; a warning from 0.1 % on", () => {
    const { errors, fewErrors, latency, health, memory } = rulesOf();
    assert.deepEqual({ errors, fewErrors, latency, health, memory }, {
      errors: { above: 1, within: 300_000, action: "rollback" }, fewErrors: { above: 0.1, within: 300_000, action: "alert" },
      latency: { above: 10_000, within: 300_000, action: "rollback" }, health: { above: 3, within: 600_000, action: "rollback" }, memory: { above: 90, within: 600_000, action: "rollback" },
    });
  });

  it("are not met by a release that is well, nor by one that nobody uses", () => {
    assert.deepEqual(met(slots(60, () => ({ traffic: traffic(200, 0, [20, 30, 400]), memory: { [REVISION]: 0.5 } }))), []);
    assert.deepEqual(met(slots(60, () => ({}))), []);
    assert.deepEqual(met([]), []);
  });

  it("tell errors that last for 5 minutes, with the numbers", () => {
    assert.deepEqual(met(slots(5, () => ({ traffic: traffic(100, 2) }))), [
      { rule: "errors", action: "rollback", what: "2 % of 3000 requests failed in 5m (above 1 %)" },
      { rule: "fewErrors", action: "alert", what: "2 % of 3000 requests failed in 5m (above 0.1 %)" },
    ]);
    assert.deepEqual(names(slots(4, () => ({ traffic: traffic(100, 50) }))), [], "not before it was watched for as long");
    assert.deepEqual(names(slots(9, (minute) => ({ traffic: traffic(100, minute < 4 ? 0 : 2) }))), ["errors", "fewErrors"], "from the fifth minute of it on");
    assert.deepEqual(names(slots(5, () => ({ traffic: traffic(1000, 5) }))), ["fewErrors"], "half a percent is a warning");
  });

  it("do not take a burst that is over for an outage", () => {
    assert.deepEqual(names(slots(10, (minute) => ({ traffic: traffic(100, minute === 7 ? 100 : 0) }))), []);
    assert.deepEqual(names(slots(10, (minute) => ({ traffic: traffic(100, minute >= 5 && minute !== 8 ? 5 : 0) }))), ["errors", "fewErrors"], "one good minute is no recovery");
  });

  it("want some requests, and failures in four of five minutes: one of one is no outage", () => {
    const failing = (one: number, of: number) => slots(10, (_minute, n) => ({ traffic: n % 6 === 0 ? traffic(of, one) : traffic(0) }));
    assert.deepEqual(names(slots(10, (_minute, n) => ({ traffic: n === 59 ? traffic(1, 1) : traffic(0) }))), []);
    assert.deepEqual(names(failing(1, 3)), [], "15 requests in five minutes are too few");
    assert.deepEqual(names(failing(1, 4)), ["errors", "fewErrors"], "20 are enough");
    assert.deepEqual(names(failing(1, 3), rulesOf({ minRequests: 15 })), ["errors", "fewErrors"]);
  });

  it("tell what hangs on one client, and do nothing about it", () => {
    const failing = (clients: Record<string, [requests: number, errors: number]>) =>
      slots(5, () => ({ traffic: traffic(100, 2), clients: { [REVISION]: Object.fromEntries(Object.entries(clients).map(([client, [requests, errors]]) => [client, traffic(requests, errors)])) } }));
    const [alone] = met(failing({ stranger: [2, 2] }));
    assert.equal(alone?.action, "alert");
    assert.match(alone.what, /^2 % of 3000 requests failed in 5m \(above 1 %\), but not without one client: name proxies in front in proxy\.trusted/);
    assert.equal(met(failing({ stranger: [100, 2] }))[0]?.action, "alert", "nor where all that there is comes from one address");
    assert.equal(met(failing({ a: [10, 1], b: [60, 1] }))[0]?.action, "rollback", "what each of two meets is no one's own doing");
    const slow = traffic(100, 0, [...Array<number>(97).fill(50), 12_000, 12_000, 12_000]);
    const waiting = slots(8, () => ({ traffic: slow, clients: { [REVISION]: { stranger: traffic(3, 0, [12_000, 12_000, 12_000]) } } }));
    assert.deepEqual(met(waiting).map(({ rule, action }) => [rule, action]), [["latency", "alert"]]);
  });

  it("tell a p99 above 10 s, and only when it lasts", () => {
    const slow = (share: (minute: number) => number) => slots(8, (minute) => ({ traffic: traffic(100, 0, Array.from({ length: 100 }, (_, n) => (n < share(minute) ? 12_000 : 50))) }));
    assert.match(met(slow(() => 2))[0]?.what ?? "", /^p99 12 s of 3000 answers in 5m \(above 10s\)$/);
    assert.deepEqual(names(slow(() => 2)), ["latency"]);
    assert.deepEqual(names(slow(() => 0)), []);
    assert.deepEqual(names(slow((minute) => (minute === 6 ? 100 : 0))), []);
    assert.deepEqual(names(slow(() => 2), rulesOf({ latency: { above: "13s" } })), []);
  });

  it("tell more than 3 failed health checks in 10 minutes, at once", () => {
    const failing = (...at: number[]) => slots(12, (_minute, n) => (at.includes(n) ? { failed: 1, reason: "container app-1: GET /_stcore/health answered 500" } : {}));
    assert.deepEqual(names(failing(69, 70, 71)), []);
    assert.deepEqual(met(failing(68, 69, 70, 71)), [
      { rule: "health", action: "rollback", what: "4 health checks failed in 10m (more than 3): container app-1: GET /_stcore/health answered 500" },
    ]);
    assert.deepEqual(names(failing(0, 1, 70, 71)), [], "those of more than 10 minutes ago are over");
    assert.deepEqual(names(slots(1, () => ({ failed: 1, reason: "it is not there" }))), ["health"], "without waiting for 10 minutes");
  });

  it("tell memory above 90 % for 10 minutes without a break", () => {
    const used = (share: (n: number) => number | undefined) => slots(12, (_minute, n) => {
      const one = share(n);
      return one === undefined ? {} : { memory: { [REVISION]: one } };
    });
    assert.match(met(used(() => 0.95))[0]?.what ?? "", /^memory above 90 % of its limit for 10m, 95 % now$/);
    assert.deepEqual(names(used((n) => (n === 50 ? 0.6 : 0.95))), []);
    assert.deepEqual(names(used((n) => (n === 50 ? undefined : 0.95))), ["memory"], "a look that is missing is no break");
    assert.deepEqual(names(used(() => undefined)), []);
    assert.deepEqual(names(slots(9, () => ({ memory: { [REVISION]: 0.99 } }))), []);
  });

  it("look at no other release", () => {
    const other = slots(12, () => ({ traffic: traffic(100, 50, [20_000]), memory: { [REVISION]: 0.99 } }));
    assert.deepEqual(judge(rulesOf(), { slots: other, revision: "v2.0.0-bbbbbbbb", now: other.at(-1)?.to ?? 0 }), []);
  });

  it("have the consequence that config says, the gravest first; one that is off is not met", () => {
    const bad = slots(12, () => ({ traffic: traffic(100, 50), memory: { [REVISION]: 0.99 } }));
    const rules = rulesOf({ errors: { action: "alert" }, fewErrors: { action: "off" }, memory: { action: "freeze" } });
    assert.deepEqual(met(bad, rules).map(({ rule, action }) => [rule, action]), [["memory", "freeze"], ["errors", "alert"]]);
  });

  it("are met by the same traffic however the looks cut it, as long as there are five", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 2, max: 40 }), (everySeconds, percent) => {
      const every = everySeconds * 5000;
      const count = Math.ceil(600_000 / every);
      const all = Array.from({ length: count }, (_, n) => slot(T0 + n * every, T0 + (n + 1) * every, { traffic: traffic(everySeconds * 500, everySeconds * 5 * percent) }));
      assert.deepEqual(names(all), ["errors", "fewErrors"]);
    }));
  });

  it("never throw, whatever was measured", () => {
    const any = fc.record({ requests: fc.nat(50), errors: fc.nat(50), ms: fc.array(fc.nat(100_000), { maxLength: 20 }), memory: fc.option(fc.double({ min: 0, max: 1.2, noNaN: true })), failed: fc.nat(3) });
    fc.assert(fc.property(fc.array(any, { maxLength: 80 }), (looks) => {
      const all = looks.map(({ requests, errors, ms, memory, failed }, n) => slot(T0 + n * 10_000, T0 + (n + 1) * 10_000, {
        traffic: traffic(requests, Math.min(errors, requests), ms), failed, reason: failed === 0 ? "" : "x", memory: memory === null ? {} : { [REVISION]: memory },
      }));
      const found = met(all);
      assert.ok(found.every(({ rule, what }) => RULES.includes(rule) && what !== ""));
    }));
  });
});
