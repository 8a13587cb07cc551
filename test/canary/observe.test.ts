import assert from "node:assert/strict";
import { countLines, sideOf } from "../../components/canary/observe.js";
import { countOf } from "../../components/metrics/histogram.js";
import { parseLines } from "../../components/metrics/log-line.js";
import { logLine } from "../metrics/sample.js";

describe("what a canary got", () => {
  const canary = "v2.0.0-bbbbbbbb";
  const lines = parseLines([
    logLine({ backend: `app_${canary}`, kind: "page", answer: 40 }), logLine({ backend: `app_${canary}`, kind: "page", status: 502 }),
    logLine({ backend: `app_${canary}`, kind: "other", answer: 3 }), logLine({ backend: `ws_${canary}`, kind: "websocket", status: 101 }),
    logLine({ backend: `ws_${canary}`, kind: "websocket", status: 503 }), logLine({ backend: "app_v1.0.0-aaaaaaaa", kind: "page" }),
    logLine({ backend: "preview", kind: "page" }), "haproxy says something else",
  ]);

  it("is counted from the lines of its own backends; of pages alone the times are compared", () => {
    const side = sideOf(countLines(lines, canary), 4, 2, 1);
    assert.deepEqual(
      [side.requests, side.errors, side.sockets, side.socketsFailed, side.scriptErrors, countOf(side.pages), countOf(side.answers)],
      [5, 2, 6, 1, 2, 1, 2],
    );
    assert.equal(sideOf(countLines(lines, "v1.0.0-aaaaaaaa"), 0, 0, 1).requests, 1);
    assert.equal(sideOf(countLines([], canary), 0, 0, 1).requests, 0);
  });
});
