import assert from "node:assert/strict";
import fc from "fast-check";
import { addByClient, capOf, cappedTimes, MOST_OF_ONE, tallyByClient, weightiest, without } from "../../components/metrics/clients.js";
import { countOf, histogramOf, quantile } from "../../components/metrics/histogram.js";
import { parseLines } from "../../components/metrics/log-line.js";
import { NO_TRAFFIC, sumTraffic, type Traffic } from "../../components/metrics/traffic.js";
import { logLine } from "./sample.js";

const traffic = (requests: number, errors = 0, ms: readonly number[] = []): Traffic => ({ ...NO_TRAFFIC, requests, errors, latency: histogramOf(ms) });

describe("what clients got", () => {
  it("is told apart by the log's client, of lines of before there was one as well", () => {
    const lines = parseLines([logLine({ client: "a" }), logLine({ client: "a", status: 500 }), logLine({ client: "b" }), logLine({}).replace(/"client":"[^"]*",/, ""), logLine({ client: "a", backend: "preview" })]);
    const clients = tallyByClient(lines)["v1.0.0-aaaaaaaa"] ?? {};
    assert.deepEqual(Object.entries(clients).map(([client, { requests, errors }]) => [client, requests, errors]), [["a", 2, 1], ["b", 1, 0], ["", 1, 0]]);
    assert.equal(addByClient([clients, clients])["a"]?.requests, 4);
  });

  it("counts for no more than a share of what all count for, as soon as there are enough clients", () => {
    assert.deepEqual([capOf([3000]), capOf([]), capOf([10, 10, 10, 10]), capOf([10, 10, 10, 10, 10])], [1, 1, 1, 10]);
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 40 }), (counts) => {
      const cap = capOf(counts);
      const sum = counts.reduce((all, count) => all + Math.min(count, cap), 0);
      assert.ok(cap === 1 || cap <= MOST_OF_ONE * sum);
      if (counts.length > 0 && cap < Math.max(...counts)) assert.ok(cap + 1 > MOST_OF_ONE * counts.reduce((all, count) => all + Math.min(count, cap + 1), 0));
    }));
  });

  it("keeps the form of its times where some are left out", () => {
    const many = histogramOf(Array.from({ length: 1000 }, (_, n) => 50 + n));
    const few = Array.from({ length: 9 }, () => histogramOf([10, 20]));
    const capped = cappedTimes([many, ...few]);
    assert.equal(countOf(capped), 18 + capOf([1000, ...Array<number>(9).fill(2)]));
    const alone = cappedTimes([many, many, many, many, many]);
    assert.equal(quantile(alone, 0.5), quantile(many, 0.5));
  });

  it("is kept of the few that could decide, and taken out of the sum again", () => {
    const clients = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`c${n}`, traffic(10, n === 7 ? 5 : 0, n === 9 ? [30_000] : [20])]));
    const kept = weightiest(clients);
    assert.ok(Object.keys(kept).length <= 6 && kept["c7"] !== undefined && kept["c9"] !== undefined);
    const all = sumTraffic(Object.values(clients));
    assert.deepEqual(without(all, clients["c7"]), sumTraffic(Object.entries(clients).filter(([name]) => name !== "c7").map(([, one]) => one)));
    assert.deepEqual(without(all, undefined), all);
  });
});
