import assert from "node:assert/strict";
import { SyntheticSessions } from "../../components/canary/synthetic.js";
import { countOf } from "../../components/metrics/histogram.js";
import { startFakeApp, type FakeApp } from "../support/fake-app.js";
import { waitFor } from "../support/wait.js";

describe("a canary's synthetic sessions", () => {
  let app: FakeApp;
  let sessions: SyntheticSessions;

  beforeEach(async () => {
    app = await startFakeApp();
    sessions = new SyntheticSessions({ baseUrl: app.url, previewKey: "0".repeat(64), port: 8501, containers: ["a", "b"], requestTimeoutMs: 1000 }, 3, 50);
  });
  afterEach(async () => {
    await sessions.end();
    await app.kill();
  });
  const after = (runs: number) => waitFor(`${runs} runs`, () => (sessions.read().runs >= runs ? sessions.read() : null));

  it("have the script run again and again, and time each run but the first of a session", async () => {
    const { runs, failed, times } = await after(12);
    assert.deepEqual([failed, countOf(times), app.openSessions()], [0, runs - 3, 3]);
  });

  it("count from anew when they are told to", async () => {
    await after(6);
    sessions.reset();
    assert.equal(sessions.read().runs, 0);
    const { runs, times } = await after(6);
    assert.equal(countOf(times), runs);
  });

  it("count what raises, a session that is cut, and one that cannot be opened as failed, and go on", async () => {
    await after(3);
    app.behaviour.scriptRaises = true;
    await waitFor("a failure", () => sessions.read().failed > 0);
    app.behaviour.scriptRaises = false;
    app.cutSessions();
    await waitFor("all to be back", () => app.openSessions() === 3);
    await app.kill();
    const failed = sessions.read().failed;
    await waitFor("one more failure of each", () => sessions.read().failed >= failed + 3);
    await app.revive();
    await waitFor("all to be back", () => app.openSessions() === 3);
  });

  it("leave at once when they are ended, a run under way or not", async () => {
    app.behaviour.delayMs = 5000;
    await waitFor("them to be open", () => app.openSessions() === 3);
    const began = performance.now();
    await sessions.end();
    assert.ok(performance.now() - began < 1000);
    await waitFor("the server to see it", () => app.openSessions() === 0);
    app.behaviour.delayMs = 0;
  });
});
