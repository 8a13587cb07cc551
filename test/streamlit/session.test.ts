import assert from "node:assert/strict";
import { ScriptSession } from "../../components/streamlit/session.js";
import { startFakeApp, type FakeApp } from "../support/fake-app.js";
import { waitFor } from "../support/wait.js";

describe("streamlit/session", () => {
  let app: FakeApp;
  const cuts: boolean[] = [];
  const markers: string[] = [];

  beforeEach(async () => {
    app = await startFakeApp();
    cuts.length = markers.length = 0;
  });
  afterEach(() => app.kill());

  const open = (more: { resume?: string; withinMs?: number } = {}): Promise<ScriptSession> => ScriptSession.open({
    base: app.url, headers: {}, resume: null, withinMs: 2000, ...more,
    onMarker: (marker) => markers.push(marker), onCut: (_code, _reason, pending) => cuts.push(pending),
  });

  it("has the script run, again and again, and knows the session and what the page says", async () => {
    const session = await open();
    assert.equal(session.sessionId, null);
    for (let n = 0; n < 2; n += 1) assert.deepEqual(await session.run(), { reason: null, cut: false });
    assert.equal(session.sessionId, "session-1");
    assert.deepEqual(markers, ["v1.0.0", "v1.0.0"]);
    session.close();
    assert.equal(session.isOpen, false);
    await waitFor("the server to see it leave", () => app.openSessions() === 0);
    assert.deepEqual(cuts, []);
  });

  it("tells an exception, and a run without an end", async () => {
    const session = await open({ withinMs: 200 });
    app.behaviour.scriptRaises = true;
    assert.match((await session.run()).reason ?? "", /^the script raised RuntimeError/);
    app.behaviour.delayMs = 500;
    assert.match((await session.run()).reason ?? "", /no end of the script's run within 0\.2 s/);
    session.close();
  });

  it("tells a cut, with a run or without, and runs nothing then", async () => {
    const session = await open();
    app.behaviour.delayMs = 500;
    const running = session.run();
    app.cutSessions();
    assert.equal((await running).cut, true);
    assert.deepEqual(cuts, [true]);
    assert.deepEqual(await session.run(), { reason: "the websocket is closed", cut: true });
    app.behaviour.delayMs = 0;
    await open();
    app.cutSessions();
    await waitFor("the cut to be told", () => cuts.length === 2);
    assert.deepEqual(cuts, [true, false]);
  });

  it("cannot be opened where nobody listens", async () => {
    await app.kill();
    await assert.rejects(open(), /ECONNREFUSED/);
    await app.revive();
  });
});
