import assert from "node:assert/strict";
import { classOf, histogramOf } from "../../components/metrics/histogram.js";
import { parseLine, parseLines, tally, trafficOf } from "../../components/metrics/log-line.js";
import { addByRevision, errorRate, NO_TRAFFIC, percent, sumTraffic, trafficInWords } from "../../components/metrics/traffic.js";
import { type Cursor, cursorAt, fresh } from "../../components/metrics/traffic-log.js";
import { logLine } from "./sample.js";

const count = (lines: readonly string[], since: Cursor) => {
  const { texts, cursor } = fresh(lines, since);
  return { traffic: tally(parseLines(texts)), cursor };
};

describe("the proxy's log", () => {
  const of = (parts: Parameters<typeof logLine>[0]) => {
    const parsed = parseLine(logLine(parts));
    assert.ok(parsed !== null);
    return trafficOf(parsed);
  };

  it("tells answers and how long they were waited for", () => {
    assert.deepEqual(of({ queue: 1, connect: 2, answer: 37, total: 5000 }), { ...NO_TRAFFIC, requests: 1, latency: { [classOf(40)]: 1 } });
    assert.deepEqual(of({ status: 404, answer: 8 }), { ...NO_TRAFFIC, requests: 1, latency: { [classOf(8)]: 1 } });
    // How long an upload takes is its sender's affair.
    assert.deepEqual(of({ method: "PUT", status: 204, answer: 20_000 }), { ...NO_TRAFFIC, requests: 1 });
  });

  it("tells errors of the release from users who went", () => {
    const error = { ...NO_TRAFFIC, requests: 1, errors: 1 };
    assert.deepEqual(of({ status: 500 }), error);
    assert.deepEqual(of({ status: 503, server: "<NOSRV>", answer: -1, end: "SC" }), error);
    assert.deepEqual(of({ status: 504, answer: -1, end: "sH" }), error);
    assert.deepEqual(of({ status: -1, answer: -1, end: "SH" }), error);
    assert.deepEqual(of({ status: 200, end: "SD" }), error, "an answer that the server broke off");
    assert.deepEqual(of({ status: 200, end: "CD" }), { ...NO_TRAFFIC, requests: 1, latency: { [classOf(20)]: 1 } });
    assert.deepEqual(of({ status: -1, answer: -1, total: 12_000, end: "CH" }), { ...NO_TRAFFIC, requests: 1, left: 1, latency: { [classOf(12_000)]: 1 } });
  });

  it("takes the proxy's own answer to who went for none", () => {
    for (const [status, end] of [[400, "CH"], [503, "CC"], [503, "CQ"]] as const) {
      assert.deepEqual(of({ status, answer: -1, total: 6000, end }), { ...NO_TRAFFIC, requests: 1, left: 1, latency: { [classOf(6000)]: 1 } }, end);
    }
    assert.deepEqual(of({ status: 400, end: "CD" }), { ...NO_TRAFFIC, requests: 1, latency: { [classOf(20)]: 1 } }, "an answer that was not taken to its end");
  });

  it("tells websockets that were open from those that could not be", () => {
    const socket = { backend: "ws_v1.0.0-aaaaaaaa", kind: "websocket" };
    assert.deepEqual(of({ ...socket, status: 101, total: 600_000 }), { ...NO_TRAFFIC, requests: 1, socketsEnded: 1 });
    assert.deepEqual(of({ ...socket, status: 101, end: "SD" }), { ...NO_TRAFFIC, requests: 1, socketsEnded: 1 });
    assert.deepEqual(of({ ...socket, status: 101, end: "KD" }), { ...NO_TRAFFIC, requests: 1, socketsEnded: 1 });
    for (const status of [200, 404, 503]) assert.deepEqual(of({ ...socket, status }), { ...NO_TRAFFIC, requests: 1, errors: 1, socketsFailed: 1 });
    assert.deepEqual(of({ ...socket, status: -1, answer: -1, end: "CH" }), { ...NO_TRAFFIC, requests: 1, left: 1 });
  });

  it("does not blame the release for what a client brings about", () => {
    const fine = { ...NO_TRAFFIC, requests: 1 };
    for (const status of [400, 401, 403, 426]) assert.deepEqual(of({ backend: "ws_v1.0.0-aaaaaaaa", kind: "websocket", status }), fine, `a handshake refused by ${status}`);
    assert.equal(of({ kind: "other", status: 200 }).errors, 0, "an upgrade that is no handshake is answered as a page");
    for (const end of ["SD", "PD"]) assert.deepEqual(of({ method: "PUT", status: 400, end }), fine, "an upload refused by its size");
    assert.deepEqual(of({ method: "PUT", status: -1, answer: -1, end: "SD" }), fine, "the same, the answer lost with the connection");
    assert.equal(of({ method: "PUT", status: -1, answer: -1, end: "SH" }).errors, 1, "an upload that was never answered");
    assert.equal(of({ status: 413, end: "SD" }).errors, 0);
  });

  it("is counted by release; looks, refusals and other words are none's", () => {
    const lines = [
      logLine({}), logLine({ status: 500 }), logLine({ backend: "app_v2.0.0-bbbbbbbb" }), logLine({ backend: "failopen_ws_v2.0.0-bbbbbbbb", status: 101 }),
      logLine({ backend: "preview", status: 500 }), logLine({ kind: "probe", status: 500 }), logLine({ backend: "front", status: 503, kind: "frozen" }), "[NOTICE] haproxy version is 2.6.12", '{"time":cut', "",
    ];
    const traffic = tally(parseLines(lines));
    assert.deepEqual(Object.fromEntries(Object.entries(traffic).map(([revision, { requests, errors }]) => [revision, [requests, errors]])), {
      "v1.0.0-aaaaaaaa": [2, 1],
      "v2.0.0-bbbbbbbb": [2, 0],
    });
  });

  it("is read on from where it was left, whatever Docker gives again", () => {
    const at = (second: number): string => `2026-01-01T12:00:${String(second).padStart(2, "0")}.000000001Z`;
    const lines = [1, 2, 3, 4].map((second) => `${at(second)} ${logLine({ status: second === 3 ? 500 : 200 })}`);
    const first = count(lines.slice(0, 2), cursorAt(Date.parse("2026-01-01T12:00:00Z")));
    assert.equal(first.cursor, at(2));
    const second = count(lines, first.cursor);
    assert.deepEqual([second.cursor, second.traffic["v1.0.0-aaaaaaaa"]?.requests, second.traffic["v1.0.0-aaaaaaaa"]?.errors], [at(4), 2, 1]);
    assert.deepEqual(count(lines, second.cursor), { traffic: {}, cursor: at(4) });
    assert.equal(count([], second.cursor).cursor, at(4));
  });
});

describe("traffic", () => {
  const some = { ...NO_TRAFFIC, requests: 300, errors: 3, latency: histogramOf([10, 20, 400]) };

  it("adds up", () => {
    assert.deepEqual(sumTraffic([]), NO_TRAFFIC);
    assert.deepEqual(sumTraffic([some, some]), { ...NO_TRAFFIC, requests: 600, errors: 6, latency: histogramOf([10, 20, 400, 10, 20, 400]) });
    assert.deepEqual(addByRevision([{ a: some }, { b: some }, { a: some }]), { a: sumTraffic([some, some]), b: some });
  });

  it("is told in words", () => {
    assert.equal(trafficInWords(some, 60_000), "300 requests (5.0/s), 1 % errors, p50 20 ms, p99 394 ms");
    assert.equal(trafficInWords({ ...NO_TRAFFIC, requests: 1 }, 60_000), "1 request (0.0/s), no error");
    assert.equal(trafficInWords(NO_TRAFFIC, 60_000), "no request");
    assert.deepEqual([errorRate(some), errorRate(NO_TRAFFIC)], [0.01, null]);
    assert.deepEqual([0.001, 0.0123, 0.5].map(percent), ["0.1 %", "1.23 %", "50 %"]);
  });
});
