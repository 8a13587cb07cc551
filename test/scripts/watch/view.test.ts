import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Screen } from "../../../scripts/cli/watch/screen.js";
import { viewLine, viewLines, viewOf } from "../../../scripts/cli/watch/view.js";
import { deployOptions } from "../../../scripts/cli/flags.js";
import { withMet } from "../../../components/watch/state.js";
import { REVISION, slots, T0, traffic, watchOf } from "../../watch/world.js";

const seen = {
  serving: null, lastError: "ValueError: no such collection",
  slots: slots(18, (minute) => ({
    traffic: traffic(100, minute === 17 ? 2 : 0, [20, 30]), memory: { [REVISION]: 0.63 }, cores: { [REVISION]: 0.42 }, open: { [REVISION]: 18 },
    failed: minute === 3 ? 1 : 0, reason: minute === 3 ? "container app-1: GET /_stcore/health answered 500" : "", logErrors: minute === 17 ? 1 : 0,
  })),
};
const { state } = withMet(watchOf(), [{ rule: "fewErrors", action: "alert", what: "0.3 % of 3000 requests failed" }], "");
const view = viewOf(state, seen, T0 + 18 * 60_000);

describe("the watch's view", () => {
  it("tells rates, p99, memory, health, the app's log, the rules and the time that is left", () => {
    assert.deepEqual(viewLines(view), [
      `watching v3.0.0 (${REVISION}): 42 min 0 s of 1h left`,
      "  last minute  600 requests (10.0/s), 2 % errors, p50 20 ms, p99 30 ms",
      "  since start  10800 requests (10.0/s), 0.11 % errors, p50 20 ms, p99 30 ms",
      "  sessions     18 open",
      "  memory       63 % of the limit, 0.42 cores",
      "  health       6 of 108 rounds failed, last: container app-1: GET /_stcore/health answered 500",
      "  app's log    6 errors, last: ValueError: no such collection",
      "  rules        fewErrors (alert): 0.3 % of 3000 requests failed",
    ]);
    assert.equal(viewLine(view).includes("\n"), false);
  });

  it("tells of nothing seen yet", () => {
    const lines = viewLines(viewOf(watchOf(), { serving: null, slots: [], lastError: "" }, T0));
    assert.deepEqual(lines.slice(1), ["  last minute  no request", "  since start  no request", "  sessions     0 open", "  memory       no container runs", "  health       0 rounds passed", "  app's log    no error", "  rules        none is met"]);
  });
});

describe("the watch's screen", () => {
  const shown = async (form: "live" | "plain" | "json", use: (screen: Screen, tick: (ms: number) => void) => void): Promise<string> => {
    const out = new PassThrough();
    let now = 0;
    use(new Screen(form, () => now, out), (ms) => { now += ms; });
    out.end();
    return text(out);
  };

  it("draws a block over itself where there is a terminal", async () => {
    const out = await shown("live", (screen) => {
      screen.show(view);
      screen.show(view);
      screen.say("!! rolling back");
    });
    assert.equal(out.split("\u001b[8A").length, 3, "up by its eight lines, twice");
    assert.match(out, /!! rolling back\n$/);
    assert.ok(out.split("\n").every((line) => line.length < 100), "cut to the terminal's width");
  });

  it("says a line each minute where there is none", async () => {
    const out = await shown("plain", (screen, tick) => {
      for (let n = 0; n < 13; n++) {
        screen.show(view);
        tick(10_000);
      }
    });
    assert.equal(out.trim().split("\n").length, 3);
    assert.ok(!out.includes("\u001b"));
  });

  it("gives an object for each look as JSON", async () => {
    const out = await shown("json", (screen) => {
      screen.show(view);
      screen.show(view);
    });
    assert.deepEqual(out.trim().split("\n").map((line) => JSON.parse(line) as unknown), [view, view]);
  });
});

describe("deploy's flags about the watch", () => {
  it("agree with each other", () => {
    const { watch, detach } = deployOptions({});
    assert.deepEqual({ watch, detach }, { watch: true, detach: false });
    assert.equal(deployOptions({ watch: false }).watch, false);
    assert.equal(deployOptions({ detach: true }).detach, true);
    assert.throws(() => deployOptions({ watch: false, detach: true }), /--detach is about the watch, and --no-watch wants none/);
  });
});
