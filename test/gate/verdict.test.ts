import assert from "node:assert/strict";
import fc from "fast-check";
import type { ContainerSample, ContainerState, GateSpec, QdrantSample, Sample, Verdict } from "../../components/gate/model.js";
import { judge } from "../../components/gate/verdict.js";
import { collection, container, http, qdrant, sample, SPEC, state } from "./samples.js";

/** Judges rounds that are half a second apart. */
function judged(rounds: Partial<Sample>[], spec: GateSpec = SPEC): Verdict {
  return judge(spec, rounds.map((round, i) => sample({ at: i * 500, ...round })), (rounds.length - 1) * 500);
}

function reasonOf(verdict: Verdict): string {
  return verdict.verdict === "pass" ? "" : verdict.reason;
}

const app = (change: Partial<ContainerSample>): Partial<Sample> => ({ containers: [container(change)] });
const inState = (change: Partial<ContainerState>): Partial<Sample> => app({ state: state(change) });
const store = (change: Partial<QdrantSample>): Partial<Sample> => ({ qdrant: qdrant(change) });
const script = (status: number | null, body: string): Partial<Sample> => app({ http: [http("health"), http("script", { status, body, error: status === null ? "refused" : "" }), http("page")] });
const repeat = (round: Partial<Sample>, count: number): Partial<Sample>[] => Array<Partial<Sample>>(count).fill(round);

describe("gate/verdict", () => {
  it("passes after the asked number of rounds in a row", () => {
    assert.deepEqual(judged([{}, {}]), { verdict: "continue", reason: "2 of 3 rounds in a row have passed" });
    assert.deepEqual(judged([{}, {}, {}]), { verdict: "pass" });
    assert.equal(judged([{}, {}, script(null, ""), {}, {}]).verdict, "continue");
    assert.equal(judged([{}, {}, script(null, ""), {}, {}, {}]).verdict, "pass");
  });

  it("wants every container to be well", () => {
    const second = container({ name: "app-2", http: [http("health", { status: 503, body: "no" })] });
    const verdict = judged(repeat({ containers: [container(), second] }, 9));
    assert.deepEqual(verdict, { verdict: "continue", reason: 'container app-2: GET /_stcore/health answered 503 "no"', container: "app-2" });
  });

  describe("fails at once when a container", () => {
    const cases: Record<string, [Partial<Sample>[], RegExp]> = {
      "has exited": [[inState({ status: "exited", exitCode: 7 })], /app-1 has ended with exit code 7/],
      "was killed for memory, though its exit code is 0": [[inState({ status: "exited", exitCode: 0, oomKilled: true })], /ran out of memory/],
      "lost a child to the out-of-memory killer and goes on": [[inState({ oomKilled: true })], /ran out of memory/],
      "is between two restarts": [[inState({ status: "restarting", exitCode: 1 })], /crashes again and again: its last exit code was 1/],
      "was restarted a moment ago": [[inState({ restartCount: 4, upMs: 300 })], /crashes again and again: Docker restarted it 4 times/],
      "is restarted meanwhile": [[{}, inState({ restartCount: 1, upMs: 90_000 })], /was restarted while the gate looked/],
      "is started anew meanwhile": [[{}, inState({ startedAt: "2030-01-01T00:00:09Z" })], /was restarted while the gate looked/],
      "is replaced meanwhile": [[{}, inState({ id: "other" })], /was replaced/],
      "is not there": [[app({ state: null })], /app-1 is not there/],
      "could not be started": [[inState({ status: "created", error: "port is already allocated" })], /could not be started: port is already allocated/],
      "is being removed": [[inState({ status: "removing" })], /has ended/],
    };
    for (const [name, [rounds, reason]] of Object.entries(cases)) {
      it(name, () => {
        const verdict = judged(rounds);
        assert.equal(verdict.verdict, "fail");
        assert.match(reasonOf(verdict), reason);
        assert.equal("container" in verdict && verdict.container, "app-1");
      });
    }
  });

  it("does not hold old restarts against a container that serves for long", () => {
    assert.equal(judged(repeat(inState({ restartCount: 2, upMs: 3_600_000 }), 3)).verdict, "pass");
  });

  it("waits for one that is created or paused, to the deadline", () => {
    assert.equal(judged([inState({ status: "created" })]).verdict, "continue");
    const verdict = judge(SPEC, [sample(inState({ status: "paused" }))], 120_000);
    assert.deepEqual(verdict, { verdict: "fail", reason: "container app-1 does not run (paused), after 120 s", container: "app-1" });
  });

  it("fails at the deadline with what was wrong last", () => {
    const verdict = judge(SPEC, [sample(), sample({ at: 119_000, ...script(null, "") })], 120_400);
    assert.deepEqual(verdict, { verdict: "fail", reason: "container app-1: GET /_stcore/script-health-check got no answer (refused), after 120.4 s", container: "app-1" });
    assert.match(reasonOf(judge(SPEC, [sample()], 120_000)), /1 of 3 rounds in a row have passed, after 120 s/);
  });

  describe("the script", () => {
    it("fails it when it keeps raising with all else well, before the deadline", () => {
      assert.equal(judged(repeat(script(503, "error"), 40)).verdict, "continue");
      const verdict = judged(repeat(script(503, "error"), 41));
      assert.equal(verdict.verdict, "fail");
      assert.match(reasonOf(verdict), /its script raises an error/);
    });

    it("is given the deadline while the vector store is not well, or it is only slow", () => {
      assert.equal(judged(repeat({ ...script(503, "error"), ...store({ error: "refused" }) }, 100)).verdict, "continue");
      assert.equal(judged(repeat(script(503, "timeout"), 100)).verdict, "continue");
      assert.equal(judged(repeat(script(null, ""), 100)).verdict, "continue");
    });

    it("is not blamed for what the front door says while nothing listens", () => {
      const unavailable = { status: 503, body: "<html>not at the moment</html>" };
      const verdict = judged(repeat(app({ http: [http("health", unavailable), http("script", unavailable), http("page", unavailable)] }), 100));
      assert.equal(verdict.verdict, "continue");
      assert.match(reasonOf(verdict), /health got no answer \(the front door says 503: nothing listens there yet\) \(and 2 more\)/);
    });

    it("is not believed where the check is off", () => {
      for (const [status, body] of [[404, "Not Found"], [200, "<!doctype html>"]] as const) {
        assert.match(reasonOf(judged([script(status, body)])), /STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED/);
      }
    });
  });

  it("wants Streamlit's health to say ok and the page to be 200", () => {
    assert.match(reasonOf(judged([app({ http: [http("health", { body: "<html>" })] })])), /health answered 200 "<html>"/);
    assert.match(reasonOf(judged([app({ http: [http("page", { status: 404 })] })])), /GET \/ answered 404/);
  });

  it("takes another app's health by its status, and any page that is no server error", () => {
    const other = { ...SPEC, healthPath: "/up" };
    const answers = (health: number, page: number): Partial<Sample> => app({ http: [http("health", { path: "/up", status: health, body: "{}" }), http("page", { status: page })] });
    assert.equal(judged(repeat(answers(200, 404), 3), other).verdict, "pass");
    assert.equal(judged([answers(204, 200)], other).verdict, "continue");
    assert.equal(judged(repeat(answers(200, 500), 3), other).verdict, "continue");
  });

  describe("the vector store", () => {
    it("fails it when a collection is missing, red or emptied, once that is settled", () => {
      const cases: [Partial<QdrantSample>, RegExp][] = [
        [{ collections: [] }, /collection docs is missing, it had 10 points/],
        [{ collections: [collection({ status: "red" })] }, /docs has status red/],
        [{ collections: [collection({ count: 0 })] }, /docs is empty, it had 10 points/],
      ];
      for (const [change, reason] of cases) {
        assert.equal(judged(repeat(store(change), 2)).verdict, "continue");
        const verdict = judged(repeat(store(change), 3));
        assert.equal(verdict.verdict, "fail");
        assert.match(reasonOf(verdict), reason);
      }
    });

    it("waits to the deadline for one that cannot be counted, has no status we know, or does not answer", () => {
      for (const change of [{ collections: [collection({ count: null, error: "500" })] }, { collections: [collection({ status: "mauve" })] }, { error: "refused" }]) {
        assert.equal(judged(repeat(store(change), 50)).verdict, "continue");
        assert.equal(judge(SPEC, [sample(store(change))], 120_000).verdict, "fail");
      }
    });

    it("takes a grey one for well: after a restart its optimisations wait for a first write", () => {
      assert.equal(judged(repeat(store({ collections: [collection({ status: "grey" })] }), 3)).verdict, "pass");
    });

    it("fails at once when it is down or restarted", () => {
      assert.match(reasonOf(judged([store({ state: null })])), /Qdrant \(container q\) is not there/);
      assert.match(reasonOf(judged([store({ state: state({ status: "exited", exitCode: 137 }) })])), /ended with exit code 137/);
      assert.match(reasonOf(judged([{}, store({ state: state({ restartCount: 1 }) })])), /restarted while the gate looked/);
    });

    it("minds neither new collections, nor fewer points, nor one that was empty", () => {
      const collections = [collection({ count: 3, status: "yellow" }), collection({ name: "new", count: 0 })];
      assert.equal(judged(repeat(store({ collections }), 3)).verdict, "pass");
      assert.equal(judged(repeat(store({ collections: [collection({ count: 0 })] }), 3), { ...SPEC, before: { docs: 0 } }).verdict, "pass");
    });

    it("is not looked at where there is none", () => {
      assert.equal(judged(repeat({ qdrant: null }, 3)).verdict, "pass");
    });
  });

  it("never passes with a fault in one of the last rounds, and always decides at the deadline (property)", () => {
    const faults = [{}, script(503, "error"), script(null, ""), inState({ status: "exited" }), inState({ oomKilled: true }), store({ error: "x" }), store({ collections: [] })];
    fc.assert(
      fc.property(fc.array(fc.nat(faults.length - 1), { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (picks, passes) => {
        const rounds = picks.map((pick) => faults[pick] ?? {});
        const well = picks.slice(-passes).every((pick) => pick === 0) && picks.length >= passes;
        assert.equal(judged(rounds, { ...SPEC, passes }).verdict === "pass", well);
        const samples = rounds.map((round, i) => sample({ at: i, ...round }));
        assert.equal(judge({ ...SPEC, passes }, samples, SPEC.deadlineMs).verdict, well ? "pass" : "fail");
      }),
    );
  });
});
