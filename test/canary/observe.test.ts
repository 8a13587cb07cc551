import assert from "node:assert/strict";
import { countLines, sideOf } from "../../components/canary/observe.js";
import { judge } from "../../components/judge/judge.js";
import type { Side } from "../../components/judge/model.js";
import { countOf } from "../../components/metrics/histogram.js";
import { parseLines } from "../../components/metrics/log-line.js";
import { THRESHOLDS } from "../judge/simulated.js";
import { logLine } from "../metrics/sample.js";

type Parts = Parameters<typeof logLine>[0];

describe("what a canary got", () => {
  const canary = "v2.0.0-bbbbbbbb";
  const lines = parseLines([
    logLine({ client: "a", backend: `app_${canary}`, kind: "page", answer: 40 }), logLine({ client: "b", backend: `app_${canary}`, kind: "page", status: 502 }),
    logLine({ client: "c", backend: `failopen_app_${canary}`, kind: "other", answer: 3 }), logLine({ client: "d", backend: `ws_${canary}`, kind: "websocket", status: 101 }),
    logLine({ client: "e", backend: `ws_${canary}`, kind: "websocket", status: 503 }), logLine({ backend: "app_v1.0.0-aaaaaaaa", kind: "page" }),
    logLine({ backend: "preview", kind: "page" }), "haproxy says something else",
  ]);

  it("is counted from the lines of its own backends; of pages alone the times are compared", () => {
    const side = sideOf(countLines(lines, canary), 4, 2, 1);
    assert.deepEqual(
      [side.requests, side.errors, side.sockets, side.socketsFailed, side.scriptErrors, countOf(side.pages), countOf(side.answers)],
      [5, 2, 6, 1, 2, 1, 2],
    );
    assert.deepEqual([side.clients.all, side.clients.failed, side.clients.leftOut], [5, 2, 0]);
    assert.equal(sideOf(countLines(lines, "v1.0.0-aaaaaaaa"), 0, 0, 1).requests, 1);
    assert.equal(sideOf(countLines([], canary), 0, 0, 1).requests, 0);
  });
});

describe("a client alone", () => {
  const [canary, stable] = ["v2.0.0-bbbbbbbb", "v1.0.0-aaaaaaaa"];
  /** So many requests to a release, by so many clients in turn. */
  const sent = (count: number, clients: number, parts: (n: number) => Parts = () => ({}), name = "user"): ((revision: string) => string[]) => (revision) =>
    Array.from({ length: count }, (_, n) => logLine({ client: `${name}${n % clients}`, backend: `app_${revision}`, kind: "page", answer: 60 + (n % 40), ...parts(n) }));
  const sideOfAll = (revision: string, all: ((revision: string) => string[])[]): Side => sideOf(countLines(parseLines(all.flatMap((one) => one(revision))), revision), 0, 0, 1);
  const users = sent(2700, 180);
  const judged = (...all: ((revision: string) => string[])[]) =>
    judge(THRESHOLDS, { canary: sideOfAll(canary, all), stable: sideOfAll(stable, [users]), containers: { restarts: 0, down: "", memory: [] }, synthetic: null }, 5);

  it("does not fail a canary by its own failures, however many they are", () => {
    assert.equal(judged(sent(290, 29), sent(4, 1, () => ({ status: 500 }), "stranger")).verdict, "pass");
    assert.notEqual(judged(sent(290, 29), sent(500, 1, () => ({ status: 500 }), "stranger")).verdict, "fail");
    assert.notEqual(judged(sent(290, 29), sent(300, 1, () => ({ answer: 15_000 }), "stranger")).verdict, "fail");
  });

  it("does not let a canary pass that fails others", () => {
    const five = sent(290, 29, (n) => (n % 20 === 0 ? { status: 500 } : {}));
    assert.equal(judged(five).verdict, "fail");
    assert.notEqual(judged(five, sent(3000, 1, () => ({}), "stranger")).verdict, "pass");
    assert.match(judged(five, sent(3000, 1, () => ({}), "stranger")).summary, /\d{4} requests are left out, as no client counts for more than a fifth \(30 clients of the canary, 180 of what serves\)$/);
  });

  it("is no evidence, and a few clients are little", () => {
    assert.equal(judged(sent(3000, 1)).verdict, "insufficient");
    assert.equal(judged(sent(3000, 4)).verdict, "insufficient");
    assert.equal(judged(sent(3000, 20)).verdict, "pass");
  });
});
