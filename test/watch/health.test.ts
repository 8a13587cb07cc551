import assert from "node:assert/strict";
import type { ContainerSample, ContainerState, HttpSample } from "../../components/gate/model.js";
import { errorsIn } from "../../components/watch/app-log.js";
import { healthFault } from "../../components/watch/health.js";

const HEALTH = "/_stcore/health";
const state: ContainerState = { id: "1", status: "running", exitCode: 0, oomKilled: false, restartCount: 0, startedAt: "2026-01-01T12:00:00Z", upMs: 1000, error: "" };
const answer = (parts: Partial<HttpSample> = {}): HttpSample => ({ probe: "health", path: HEALTH, status: 200, body: "ok", ms: 3, error: "", ...parts });
const sample = (parts: Partial<ContainerState> = {}, http: HttpSample[] = [answer()]): ContainerSample => ({ name: "app-1", state: { ...state, ...parts }, http });
const fault = (now: ContainerSample, before: ContainerSample[] = [sample()]): string => healthFault(HEALTH, before, [now]);

describe("a round of health checks", () => {
  it("passes where everything answers as it must", () => {
    assert.equal(fault(sample()), "");
    assert.equal(fault(sample(), []), "");
  });

  it("fails on what the gate would fail on", () => {
    assert.match(fault(sample({}, [answer({ status: 500, body: "" })])), /^container app-1: GET \/_stcore\/health answered 500/);
    assert.match(fault(sample({}, [answer({ status: null, error: "timeout" })])), /got no answer \(timeout\)/);
    assert.match(fault(sample({}, [answer(), answer({ probe: "script", path: "/_stcore/script-health-check", status: 503, body: "error" })])), /its script raises an error/);
    assert.match(fault(sample({ status: "exited", exitCode: 7 })), /has ended with exit code 7/);
    assert.match(fault({ ...sample(), state: null }), /it is not there/);
  });

  it("counts one event once", () => {
    const again = sample({ restartCount: 1, startedAt: "2026-01-01T12:05:00Z" });
    assert.match(fault(again), /was restarted since the last look/);
    assert.equal(fault(again, [again]), "");
    const killed = sample({ oomKilled: true });
    assert.match(fault(killed), /ran out of memory/);
    assert.equal(fault(killed, [killed]), "");
  });

  it("names one container and counts the others", () => {
    const down = { ...sample(), state: null };
    assert.match(healthFault(HEALTH, [], [down, { ...down, name: "app-2" }]), /^container app-1: it is not there \(and 1 more\)$/);
  });
});

describe("the app's log", () => {
  it("tells errors by their last lines", () => {
    const log = [
      "2026-01-01 12:00:00 INFO 0 errors so far", "Traceback (most recent call last):", '  File "app.py", line 3', "ValueError: no such collection", "",
      "2026-01-01 12:00:01 ERROR webui: lost Qdrant", "[CRITICAL] out of space", "GET /errors 200", "requests.exceptions.ConnectionError: refused",
    ].join("\n");
    assert.deepEqual(errorsIn(log), { count: 4, last: "requests.exceptions.ConnectionError: refused" });
    assert.deepEqual(errorsIn("all well\n"), { count: 0, last: "" });
  });
});
