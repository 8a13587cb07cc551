import assert from "node:assert/strict";
import { assertSame, Mismatch, otherDifferences, sameAnswers, sameMembers } from "../../../components/backup/proof/agree.js";
import type { CollectionInfo } from "../../../components/qdrant/schema.js";

describe("backup/proof: what is compared of a collection", () => {
  const info = (indexes: Record<string, unknown> = {}, config: Record<string, unknown> = {}, status: CollectionInfo["status"] = "green"): CollectionInfo => ({ status, config, payload_schema: indexes });
  const same = (before: number, after: number, points: number, live = info(), restored = info(), deferred = 0) => () => assertSame("a", { before, after, points, deferred }, live, restored);

  it("takes equal counts, and any count between two that differ", () => {
    for (const [before, after, points] of [[5, 5, 5], [5, 9, 7], [9, 5, 5], [0, 0, 0]] as const) assert.doesNotThrow(same(before, after, points));
    for (const [before, after, points] of [[5, 5, 4], [5, 5, 6], [5, 9, 10], [5, 9, 4]] as const) assert.throws(same(before, after, points), Mismatch);
  });

  it("takes any count that points which wait for their optimisation explain", () => {
    for (const points of [3, 5, 7]) assert.doesNotThrow(same(5, 5, points, info(), info(), 2));
    for (const points of [2, 8]) assert.throws(same(5, 5, points, info(), info(), 2), Mismatch);
  });

  it("wants the same payload indexes, of the same type and settings, however many points each has at the moment", () => {
    const text = (tokenizer: string) => ({ data_type: "text", points: 3, params: { type: "text", tokenizer } });
    const [x, y] = [{ data_type: "keyword", points: 1 }, { data_type: "integer", points: 2 }];
    assert.doesNotThrow(same(1, 1, 1, info({ x, y }), info({ y: { ...y, points: 7, params: null }, x })));
    assert.doesNotThrow(same(1, 1, 1, info({ t: text("word") }), info({ t: { ...text("word"), points: 0 } })));
    for (const restored of [{}, { x: y }, { x, y }]) assert.throws(same(1, 1, 1, info({ x }), info(restored)), Mismatch);
    assert.throws(same(1, 1, 1, info({ t: text("word") }), info({ t: text("prefix") })), Mismatch);
  });

  it("wants no damage", () => {
    assert.doesNotThrow(same(1, 1, 1, info(), info({}, {}, "yellow")));
    assert.throws(same(1, 1, 1, info(), info({}, {}, "red")), Mismatch);
  });

  it("wants the configuration that decides what is stored and found, and tells of the rest", () => {
    const config = { params: { vectors: { size: 4, distance: "Dot", on_disk: null }, replication_factor: 1 }, hnsw_config: { m: 16 }, strict_mode_config: { enabled: true } };
    const changed = (change: object) => info({}, { ...config, ...change });
    assert.doesNotThrow(same(1, 1, 1, changed({}), changed({ params: { vectors: { size: 4, distance: "Dot" } }, quantization_config: null })));
    for (const change of [{ params: { vectors: { size: 4, distance: "Cosine" } } }, { hnsw_config: { m: 8 } }, { quantization_config: { scalar: { type: "int8" } } }]) {
      assert.throws(same(1, 1, 1, changed({}), changed(change)), (error: unknown) => error instanceof Mismatch && error.why.includes("another configuration"));
    }
    const loose = changed({ strict_mode_config: { enabled: false }, metadata: {} });
    assert.doesNotThrow(same(1, 1, 1, changed({}), loose));
    assert.deepEqual(otherDifferences(changed({}), loose), ["strict_mode_config"]);
  });

  it("takes answers for the same that name the same points with the same scores, but for ties in the last places", () => {
    const found = (...all: [string, number][]) => all.map(([id, score]) => ({ id, score }));
    const one = found(["1", 0.9], ["2", 0.8], ["3", 0.5]);
    for (const other of [one, found(["1", 0.9000001], ["2", 0.8], ["3", 0.5]), found(["1", 0.9], ["2", 0.8], ["7", 0.5])]) assert.equal(sameAnswers(one, other), true);
    for (const other of [[], one.slice(1), found(["1", 0.9], ["2", 0.8], ["3", 0.51]), found(["1", 0.9], ["7", 0.8], ["3", 0.5]), found(["2", 0.9], ["1", 0.8], ["3", 0.5])]) {
      assert.equal(sameAnswers(one, other), false, JSON.stringify(other));
    }
    assert.equal(sameAnswers([], []), true);
    assert.equal(sameAnswers(found(["1", 0.7], ["2", 0.7]), found(["2", 0.7], ["1", 0.7])), true);
  });

  it("compares which points are named, whatever their scores and order, where those depend on others", () => {
    const found = (...ids: string[]) => ids.map((id, at) => ({ id, score: at + Math.random() }));
    assert.ok(sameMembers(found("1", "2", "10"), found("10", "1", "2")));
    assert.ok(!sameMembers(found("1", "2"), found("1", "3")));
    assert.ok(!sameMembers(found("1", "2"), found("1")));
  });
});
