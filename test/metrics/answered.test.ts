import assert from "node:assert/strict";
import { mock } from "node:test";
import { countAnswered } from "../../components/metrics/answered.js";

const BEGAN = Date.parse("2026-11-25T04:10:00.000Z");
interface Fields {
  backend?: string;
  kind?: string;
  status?: number;
  end?: string;
}

/** As Docker gives it: nanoseconds, then the proxy's own line. */
function line(ms: number, { backend = "app_v1-00000001", kind = "page", status = 200, end = "--" }: Fields = {}): string {
  const time = new Date(BEGAN + ms).toISOString().replace("Z", "456789Z");
  return `${time} {"time":1795580466.352,"backend":"${backend}","server":"r1","kind":"${kind}","method":"GET","status":${status},"queue":0,"connect":0,"answer":1,"total":4,"bytes":465,"end":"${end}","retries":"0"}`;
}
const count = (lines: readonly string[], from = 0, to = 10_000): ReturnType<typeof countAnswered> => countAnswered(lines, BEGAN + from, BEGAN + to);

describe("metrics: what users were answered", () => {
  it("counts by release what failed: a status from 500, no answer or half of one, a websocket that is not opened, but not what the client gave up", () => {
    const other = { backend: "app_v2-00000002" };
    const found = count([line(10), line(15, { status: 200, end: "SD" }), line(20, { status: 404 }), line(30, { status: 503, end: "SC" }), line(40, other), line(50, { ...other, status: -1, end: "SH" }), line(60, { status: -1, end: "CH" }), line(70, { backend: "ws_v1-00000001", kind: "websocket", status: 502, end: "SH" })]);
    assert.deepEqual([found.requests, found.failed, found.refused], [8, 4, 0]);
    assert.deepEqual(found.byRevision, { "v1-00000001": { requests: 6, failed: 3 }, "v2-00000002": { requests: 2, failed: 1 } });
  });

  it("leaves out the gate's requests, websockets, the proxy's own words and lines that are cut, and counts refusals apart", () => {
    const found = count([
      line(10, { backend: "preview", status: 503 }), line(20, { backend: "ws_v1-00000001", kind: "websocket", status: 101 }), line(30, { backend: "front", status: 503 }), line(40, { backend: "front", kind: "frozen", status: 503 }),
      "2026-11-25T04:10:00.100000000Z Proxy front stopped (cumulated conns: FE: 11, BE: 0).", line(50).slice(0, 90), "", "not even a time",
    ]);
    assert.deepEqual([found.requests, found.failed, found.refused, found.gap], [0, 0, 1, null]);
  });

  it("finds the longest time between two good answers, also where lines come late; failures in between do not end it", () => {
    const found = count([line(0), line(3000), line(100), line(1500, { status: 503 }), line(3100)]);
    assert.deepEqual(found.gap, { ms: 2900, at: BEGAN + 100 });
    assert.equal(count([line(5)]).gap, null);
  });

  it("counts within the time that is asked for only", () => {
    const found = count([line(999), line(1000), line(2000), line(2001)], 1000, 2000);
    assert.deepEqual([found.requests, found.from, found.to], [2, BEGAN + 1000, BEGAN + 2000]);
  });

  it("reads no more of a long log than that time", () => {
    const log = Array.from({ length: 5000 }, (_, at) => line(at));
    const reading = mock.method(JSON, "parse");
    try {
      assert.equal(count(log, 4990, 5100).requests, 10);
      assert.equal(reading.mock.callCount(), 10);
    } finally {
      reading.mock.restore();
    }
  });

  it("has all steps, empty ones too, and at most 120 of them", () => {
    const found = count([line(100), line(9999), line(10_000, { status: 500 })]);
    assert.deepEqual([found.stepMs, found.steps.length], [500, 20]);
    assert.deepEqual(found.steps[0], { at: BEGAN, failed: 0, good: { "v1-00000001": 1 } });
    assert.deepEqual([found.steps[1]?.good, found.steps[19]], [{}, { at: BEGAN + 9500, failed: 1, good: { "v1-00000001": 1 } }]);
    for (const hours of [0.01, 1, 30, 10_000]) assert.ok(count([], 0, hours * 3_600_000).steps.length <= 121);
    assert.equal(count([], 0, 0).steps.length, 1);
  });
});
