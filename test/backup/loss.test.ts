import assert from "node:assert/strict";
import fc from "fast-check";
import type { Detail, Entry } from "../../components/backup/index/format.js";
import { comparePaths } from "../../components/backup/index/paths.js";
import { isNothing, type Loss, lossInWords, lossOf } from "../../components/backup/loss.js";
import { compareIds } from "../../components/qdrant/json.js";

interface State {
  collections: Record<string, { detail: Detail; points: Record<string, string>; aliases: string[]; field: number }>;
  files: Record<string, string>;
}

/** A state as an index lists it. */
async function* listed(state: State): AsyncGenerator<Entry> {
  await Promise.resolve();
  for (const name of Object.keys(state.collections).sort()) {
    const { detail, points, aliases, field } = state.collections[name] ?? assert.fail();
    yield { type: "collection", name, detail, config: {}, payloadSchema: { [`f${field}`]: { data_type: "keyword", points: Object.keys(points).length } }, aliases: [...aliases].sort() };
    for (const id of Object.keys(points).sort(compareIds)) yield { type: "point", id, hash: detail === "ids" ? "" : (points[id] ?? "") };
  }
  yield { type: "uploads" };
  for (const path of Object.keys(state.files).sort(comparePaths)) yield { type: "file", path, size: 1, content: state.files[path] ?? "" };
}

/** The same numbers by looking everything up. */
function counted<T>(then: Readonly<Record<string, T>>, now: Readonly<Record<string, T>>, differ: (a: T, b: T) => boolean): { added: number; changed: number; deleted: number } {
  const [before, after] = [new Map(Object.entries(then)), new Map(Object.entries(now))];
  const changed = [...before].filter(([key, value]) => {
    const other = after.get(key);
    return other !== undefined && differ(value, other);
  });
  return {
    added: [...after.keys()].filter((key) => !before.has(key)).length,
    changed: changed.length,
    deleted: [...before.keys()].filter((key) => !after.has(key)).length,
  };
}

const id = fc.oneof(fc.bigInt({ min: 0n, max: 30n }).map(String), fc.bigInt({ min: 2n ** 63n, max: 2n ** 63n + 9n }).map(String), fc.constantFrom(..."abcdef").map((digit) => `0000000${digit}-0000-0000-0000-000000000000`));
const hash = fc.constantFrom("x", "y", "z");
const state: fc.Arbitrary<State> = fc.record({
  collections: fc.dictionary(
    fc.constantFrom("a", "b", "ü", "constructor"),
    fc.record({ detail: fc.constantFrom<Detail>("vectors", "payload", "ids"), points: fc.dictionary(id, hash, { maxKeys: 12 }), aliases: fc.subarray(["p", "q"]), field: fc.integer({ min: 0, max: 1 }) }),
  ),
  files: fc.dictionary(fc.constantFrom("a", "a/b", "a.txt", "a-", "ü/ü", "\udcff"), hash),
});

const nothing: Loss = { collections: {}, files: { added: 0, changed: 0, deleted: 0, atLeast: false } };

describe("backup/loss", () => {
  it("is nothing between a state and itself", async () => {
    await fc.assert(fc.asyncProperty(state, async (one) => {
      const loss = await lossOf(listed(one), listed(one));
      assert.deepEqual(loss, nothing);
      assert.equal(isNothing(loss), true);
      assert.deepEqual(lossInWords(loss), []);
    }));
  });

  it("counts as one would by looking everything up, for any two states", async () => {
    await fc.assert(fc.asyncProperty(state, state, async (then, now) => {
      const loss = await lossOf(listed(then), listed(now));
      assert.deepEqual(loss.files, { ...counted(then.files, now.files, (a, b) => a !== b), atLeast: false });
      const [before, after] = [new Map(Object.entries(then.collections)), new Map(Object.entries(now.collections))];
      for (const name of new Set([...before.keys(), ...after.keys()])) {
        const [a, b] = [before.get(name), after.get(name)];
        const comparable = a?.detail === b?.detail && a?.detail !== "ids";
        const counts = counted(a?.points ?? {}, b?.points ?? {}, (x, y) => comparable && x !== y);
        const both = a !== undefined && b !== undefined;
        const whole = both ? null : a === undefined ? "added" : "deleted";
        const heads = both ? [
          ...(a.field === b.field ? [] : ["payload index f0", "payload index f1"]),
          ...["p", "q"].filter((alias) => a.aliases.includes(alias) !== b.aliases.includes(alias)).map((alias) => `alias ${alias}`),
        ] : [];
        const none = counts.added + counts.changed + counts.deleted === 0 && whole === null && heads.length === 0;
        const found = Object.hasOwn(loss.collections, name) ? loss.collections[name] : undefined;
        assert.deepEqual(found, none ? undefined : { ...counts, atLeast: both && (a.detail !== "vectors" || b.detail !== "vectors"), whole, heads });
      }
      assert.equal(isNothing(loss), lossInWords(loss).length === 0);
    }));
  });

  it("is the reverse the other way round", async () => {
    await fc.assert(fc.asyncProperty(state, state, async (then, now) => {
      const [there, back] = [await lossOf(listed(then), listed(now)), await lossOf(listed(now), listed(then))];
      assert.deepEqual([there.files.added, there.files.changed, there.files.deleted], [back.files.deleted, back.files.changed, back.files.added]);
      assert.deepEqual(Object.keys(there.collections), Object.keys(back.collections));
    }));
  });

  it("is told in words", async () => {
    const points = (count: number, content: string) => Object.fromEntries(Array.from({ length: count }, (_, at) => [String(at), content]));
    const then: State = { collections: { chunks: { detail: "payload", points: points(1500, "x"), aliases: ["current"], field: 0 }, old: { detail: "vectors", points: points(2, "x"), aliases: [], field: 0 } }, files: { a: "x", b: "x" } };
    const now: State = { collections: { chunks: { detail: "payload", points: { ...points(1, "x"), ...Object.fromEntries([["1", "y"], ["9999", "x"]]) }, aliases: [], field: 0 } }, files: { a: "y", c: "x" } };
    assert.deepEqual(lossInWords(await lossOf(listed(then), listed(now))), [
      "collection chunks: 1 point added, at least 1 changed, 1,498 deleted since the backup; different: alias current",
      "collection old: 0 points added, 0 changed, 2 deleted since the backup, the collection is only in the backup",
      "uploads: 1 file added, 1 changed, 1 deleted since the backup",
    ]);
    const fewer: State = { collections: { chunks: { ...then.collections["chunks"]!, points: points(1499, "x") }, old: then.collections["old"]! }, files: then.files };
    assert.deepEqual(lossInWords(await lossOf(listed(then), listed(fewer))), ["collection chunks: 0 points added, no change seen, 1 deleted since the backup"]);
  });

  it("refuses lists that are out of order: their counts would be wrong", async () => {
    const files = (...paths: string[]): Entry[] => [{ type: "uploads" }, ...paths.map((path) => ({ type: "file", path, size: 0, content: "" }) as const)];
    const of = async function* (entries: Entry[]): AsyncGenerator<Entry> {
      await Promise.resolve();
      yield* entries;
    };
    const head = (name: string): Entry => ({ type: "collection", name, detail: "ids", config: {}, payloadSchema: {}, aliases: [] });
    const point = (one: string): Entry => ({ type: "point", id: one, hash: "" });
    for (const entries of [files("a.txt", "a/b"), files("a", "a"), [head("b"), head("a")], [head("a"), head("a")], [head("a"), point("10"), point("9")], [...files("a"), head("a")]]) {
      await assert.rejects(lossOf(of(entries), of([])), RangeError);
      await assert.rejects(lossOf(of([]), of(entries)), RangeError);
    }
  });

  it("lets its sources end when it fails", async () => {
    let ended = 0;
    const source = async function* (): AsyncGenerator<Entry> {
      try {
        for (let n = 0; ; n++) {
          await Promise.resolve();
          yield { type: "file", path: String(9 - n), size: 0, content: "" };
        }
      } finally {
        ended += 1;
      }
    };
    await assert.rejects(lossOf(source(), source()), RangeError);
    assert.equal(ended, 2);
  });
});
