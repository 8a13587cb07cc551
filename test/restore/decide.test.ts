import assert from "node:assert/strict";
import { decide, type VolumeState } from "../../components/restore/decide.js";
import type { RestoreOutcome } from "../../components/restore/model.js";
import type { RestoreRecord } from "../../components/restore/record.js";

const request = { generation: "r1", from: "pre-deploy-20260101-120000" };
const outcome: RestoreOutcome = { ...request, collections: { a: 3 }, files: 1, bytes: 10, kept: false, tookMs: 5 };
const absent = (name: string): VolumeState => ({ name, created: null, ours: false, users: [] });
const there = (name: string, more: Partial<VolumeState> = {}): VolumeState => ({ name, created: "2026-01-01T00:00:00Z", ours: true, users: [], ...more });
const begun: RestoreRecord = { from: request.from, done: null };
const done: RestoreRecord = { from: request.from, done: { created: { q: "2026-01-01T00:00:00Z", u: "2026-01-01T00:00:00Z" }, outcome } };

describe("restore/decide", () => {
  it("makes what is not there, whatever a record says", () => {
    for (const record of [null, begun, done]) assert.deepEqual(decide(request, record, [absent("q"), absent("u")], false), { what: "make", remove: [] });
  });

  it("keeps what it restored before, as long as it is that", () => {
    assert.deepEqual(decide(request, done, [there("q", { users: ["qdrant"] }), there("u")], false), { what: "keep", outcome });
    for (const volumes of [[there("q", { created: "2026-02-01T00:00:00Z" }), there("u")], [there("q"), absent("u")]]) {
      assert.equal(decide(request, done, volumes, false).what, "refuse");
    }
    assert.equal(decide({ ...request, from: "pre-deploy-20260101-120001" }, done, [there("q"), there("u")], false).what, "refuse", "from another backup");
  });

  it("keeps what users are on already, whichever backup it was made from", () => {
    const another = { ...request, from: "pre-deploy-20260101-120001" };
    assert.deepEqual(decide(another, done, [there("q", { users: ["qdrant"], created: "2026-02-01T00:00:00Z" }), there("u")], true), { what: "keep", outcome });
    assert.equal(decide(another, done, [there("q", { ours: false }), there("u")], true).what, "refuse");
    assert.equal(decide(another, begun, [there("q", { users: ["qdrant"] })], true).what, "refuse", "half of it is no data");
  });

  it("removes only what it left unfinished itself, and nobody uses", () => {
    assert.deepEqual(decide(request, begun, [there("q"), absent("u")], false), { what: "make", remove: ["q"] });
    assert.deepEqual(decide({ ...request, from: "pre-deploy-20260101-120001" }, begun, [there("q"), there("u")], false), { what: "make", remove: ["q", "u"] });
    const refused = (record: RestoreRecord | null, volumes: VolumeState[]): string => {
      const decision = decide(request, record, volumes, false);
      assert.ok(decision.what === "refuse" && decision.next !== "", decision.what);
      return decision.why;
    };
    assert.match(refused(begun, [there("q", { users: ["app-1"] })]), /is used by app-1/);
    assert.match(refused(begun, [there("q", { ours: false })]), /^q is there already, and is not what/);
    assert.match(refused(null, [there("q"), there("u")]), /^q, u are there already/);
  });
});
