import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dataPaths } from "../../components/runtime/paths.js";
import { assertNotFrozen, endFreeze, readFreeze, writeFreeze } from "../../components/watch/freeze.js";
import { canGoOn, goneOnWith, isWatching, readWatch, shifted, withMet, writeWatch } from "../../components/watch/state.js";
import { REVISION, T0, watchOf } from "./world.js";

const errors = { rule: "errors" as const, action: "rollback" as const, what: "5 %" };

describe("a watch", () => {
  let dir = "";
  beforeEach(() => { dir = mkdtempSync(path.join(tmpdir(), "watch-")); });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("is kept, and one that is damaged is none", () => {
    const paths = dataPaths(dir, "t-watch");
    assert.equal(readWatch(paths), null);
    writeWatch(paths, watchOf());
    assert.deepEqual(readWatch(paths), watchOf());
    writeFileSync(path.join(paths.run, "watch.json"), "{");
    assert.equal(readWatch(paths), null);
  });

  it("can be gone on with when its process is gone, not while it watches, nor when it is over or about another release", () => {
    const now = T0 + 60_000;
    const killed = { ...watchOf(), startTime: -1 };
    assert.ok(isWatching(watchOf()));
    assert.ok(!isWatching(killed));
    assert.ok(!isWatching({ ...watchOf(), bootId: "another" }));
    assert.ok(canGoOn(killed, REVISION, now));
    assert.ok(canGoOn({ ...watchOf(), state: "interrupted" }, REVISION, now));
    assert.ok(!canGoOn(watchOf(), REVISION, now));
    assert.ok(!canGoOn({ ...killed, state: "ended" }, REVISION, now));
    assert.ok(!canGoOn(killed, "v2", now));
    assert.ok(!canGoOn(killed, REVISION, T0 + 3_600_001));
    assert.ok(!canGoOn(null, REVISION, now));
  });

  it("has the same time left in another process, and when the clock is set", () => {
    const before = { ...watchOf(), state: "interrupted" as const, ending: "stopped", exitCode: 130 as const, met: [errors] };
    const after = goneOnWith(before, "watch-2");
    assert.deepEqual([after.id, after.endsAt, after.startedAt, after.state, after.ending, after.exitCode, after.met], ["watch-2", before.endsAt, before.startedAt, "watching", "", null, []]);
    assert.deepEqual([shifted(before, 500).startedAt - before.startedAt, shifted(before, 500).endsAt - before.endsAt], [500, 500]);
  });

  it("tells each rule once for as long as it is met, and again when it is met again", () => {
    const one = withMet(watchOf(), [errors], "1");
    assert.deepEqual(one.fresh, [errors]);
    const two = withMet(one.state, [{ ...errors, what: "6 %" }], "2");
    assert.deepEqual(two.fresh, []);
    const three = withMet(withMet(two.state, [], "3").state, [errors], "4");
    assert.deepEqual(three.fresh, [errors]);
    assert.deepEqual(three.state.history.map(({ at }) => at), ["1", "4"]);
  });

  it("freezes releases until it is thawed, or another release serves", async () => {
    const paths = dataPaths(dir, "t-watch");
    const frozen = (serving: string | null): Promise<void> => assertNotFrozen(paths, () => Promise.resolve(serving));
    await frozen(REVISION);
    writeFreeze(paths, { revision: REVISION, tag: "v3.0.0", what: "p99 12 s", at: "2026-01-01T12:00:00Z" });
    await assert.rejects(frozen(REVISION), /frozen.*since 2026-01-01T12:00:00Z, as the watch of v3\.0\.0 saw: p99 12 s/);
    await frozen("v2.0.0-bbbbbbbb");
    await frozen(null);
    endFreeze(paths);
    assert.equal(readFreeze(paths), null);
    await frozen(REVISION);
  });
});
