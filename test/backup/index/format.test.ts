import assert from "node:assert/strict";
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { detailFor, type Entry, FIRST_LINE, IndexError, parseEntry, renderEntry, vectorNames } from "../../../components/backup/index/format.js";
import { canonical, pointHash } from "../../../components/backup/index/hash.js";
import { comparePaths, pathBytes, pathText } from "../../../components/backup/index/paths.js";
import { IndexPart, joinIndex, readIndex } from "../../../components/backup/index/store.js";

const entries: Entry[] = [
  { type: "collection", name: "ü\u2028\n", detail: "payload", config: { params: { vectors: { size: 2 } } }, payloadSchema: { city: { data_type: "keyword" } }, aliases: ["a"] },
  { type: "point", id: "18446744073709551615", hash: "abc" },
  { type: "point", id: "f47ac10b-58cc-4372-a567-0e02b2c3d479", hash: "" },
  { type: "uploads" },
  { type: "file", path: pathText(Buffer.from([0x61, 0x0a, 0xff, 0xe2, 0x80, 0xa8])), size: 3, content: "0".repeat(64) },
  { type: "file", path: "link", size: 0, content: "symlink:\n\u2029" },
];

describe("backup/index", () => {
  it("writes an entry as a line and reads it as it was", () => {
    for (const entry of entries) {
      const line = renderEntry(entry);
      assert.ok(!line.includes("\n"), line);
      assert.deepEqual(parseEntry(line), entry);
    }
    for (const line of ["", "{}", "[]", "[1]", '{"path":"a"}', '{"collection":"a"}', "x", FIRST_LINE]) assert.throws(() => parseEntry(line), IndexError, line);
  });

  describe("file names", () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((all) => Buffer.from(all));

    it("pass as text without loss, UTF-8 as itself", () => {
      fc.assert(fc.property(bytes, (name) => {
        const text = pathText(name);
        assert.deepEqual(pathBytes(JSON.parse(JSON.stringify(text)) as string), name);
      }));
      fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert.equal(pathText(Buffer.from(text)), text)));
    });

    it("are ordered as a walk lists them: each directory's by their bytes", () => {
      const segment = fc.uint8Array({ minLength: 1, maxLength: 3, min: 0x2d, max: 0xff }).map((all) => Buffer.from(all).filter((byte) => byte !== 0x2f)).filter((all) => all.length > 0);
      const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.map((part) => Buffer.from(part)));
      fc.assert(fc.property(name, name, (a, b) => {
        const join = (parts: Buffer[]): string => pathText(Buffer.concat(parts.flatMap((part, at) => (at === 0 ? [part] : [Buffer.from("/"), part]))));
        const at = a.findIndex((part, level) => b[level] === undefined || Buffer.compare(part, b[level]) !== 0);
        const expected = at === -1 ? a.length - b.length : b[at] === undefined ? 1 : Buffer.compare(a[at] ?? Buffer.alloc(0), b[at]);
        assert.equal(Math.sign(comparePaths(join(a), join(b))), Math.sign(expected));
      }));
      assert.deepEqual(["a.txt", "a/z", "a", "a-b"].sort(comparePaths), ["a", "a/z", "a-b", "a.txt"]);
    });
  });

  describe("a point's hash", () => {
    const point = { id: "1", payload: { a: [1, { y: null, x: "1" }], b: 2 }, vector: [0.1, 0.2] };

    it("is the same whatever the order of keys and the digits of vectors, and another for another content", () => {
      const hash = pointHash(point, "vectors");
      assert.match(hash, /^[\w-]{22}$/);
      assert.equal(pointHash({ ...point, payload: { b: 2, a: [1, { x: "1", y: null }] }, vector: [Math.fround(0.1), 0.2] }, "vectors"), hash);
      const others: unknown[] = [[0.1, 0.3], [0.1], [[0.1, 0.2]], { "": [0.1, 0.2] }, { indices: [0, 1], values: [0.1, 0.2] }, undefined];
      assert.equal(new Set([hash, ...others.map((vector) => pointHash({ ...point, vector }, "vectors"))]).size, others.length + 1);
      assert.notEqual(pointHash({ ...point, payload: { ...point.payload, b: "2" } }, "vectors"), hash);
    });

    it("covers as much as was asked for", () => {
      const other = { ...point, vector: [9, 9] };
      assert.equal(pointHash(point, "payload"), pointHash(other, "payload"));
      assert.notEqual(pointHash(point, "vectors"), pointHash(other, "vectors"));
      assert.equal(pointHash(point, "ids"), "");
      assert.equal(pointHash({ ...point, payload: null }, "payload"), pointHash({ ...point, payload: {} }, "payload"));
    });

    it("is made of text that says the same as the value", () => {
      fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        assert.deepEqual(JSON.parse(canonical(value)), JSON.parse(JSON.stringify(value)));
      }));
    });
  });

  it("covers less of larger collections", () => {
    const dense = (size: number) => ({ params: { vectors: { size, distance: "Dot" } } });
    assert.deepEqual([detailFor(20_000, dense(384)), detailFor(21_000, dense(384)), detailFor(1_000_001, dense(4))], ["vectors", "payload", "ids"]);
    const named = { params: { vectors: { a: { size: 384 }, b: { size: 384, multivector_config: { comparator: "max_sim" } } }, sparse_vectors: { s: {} } } };
    assert.deepEqual([detailFor(600, named), detailFor(700, named)], ["vectors", "payload"]);
    assert.deepEqual([detailFor(0, {}), detailFor(1, {})], ["payload", "payload"]);
    assert.deepEqual([vectorNames(dense(4)), vectorNames(named), vectorNames({}), vectorNames({ params: { sparse_vectors: { s: {} } } })], [[""], ["a", "b", "s"], [], ["s"]]);
  });

  describe("its file", () => {
    let directory: string;

    beforeEach(async () => {
      directory = await mkdtemp(path.join(tmpdir(), "backup-index-"));
    });

    afterEach(() => rm(directory, { recursive: true }));

    const read = async (): Promise<Entry[]> => {
      const all: Entry[] = [];
      for await (const entry of readIndex(directory)) all.push(entry);
      return all;
    };

    async function written(): Promise<{ size: number; sha256: string }> {
      const [points, uploads] = [new IndexPart(path.join(directory, "p")), new IndexPart(path.join(directory, "u"))];
      await points.line(FIRST_LINE);
      for (const entry of entries.slice(0, 3)) await points.add(entry);
      for (const entry of entries.slice(3)) await uploads.add(entry);
      await points.end();
      await uploads.end();
      return joinIndex(directory, [points, uploads]);
    }

    it("is read as it was written, in parts", async () => {
      const { size } = await written();
      assert.equal((await readFile(path.join(directory, "index.ndjson.gz"))).length, size);
      assert.deepEqual(await readdir(directory), ["index.ndjson.gz"]);
      assert.deepEqual(await read(), entries);
    });

    it("holds many entries without holding them in memory", async () => {
      const part = new IndexPart(path.join(directory, "p"));
      await part.line(FIRST_LINE);
      for (let id = 0; id < 100_000; id++) await part.add({ type: "point", id: String(id), hash: "x".repeat(22) });
      await part.end();
      await joinIndex(directory, [part]);
      let next = 0;
      for await (const entry of readIndex(directory)) assert.equal(entry.type === "point" && entry.id, String(next++));
      assert.equal(next, 100_000);
    });

    it("can be given up and begun again, and tells what the disk said", async () => {
      const part = new IndexPart(path.join(directory, "p"));
      await part.line(FIRST_LINE);
      await part.drop();
      assert.deepEqual(await readdir(directory), []);
      await writeFile(path.join(directory, "p"), "in the way");
      const second = new IndexPart(path.join(directory, "p"));
      await second.line(FIRST_LINE);
      await assert.rejects(second.end(), /could not be written: EEXIST/);
    });

    it("is refused where it is not whole", async () => {
      const { size } = await written();
      await truncate(path.join(directory, "index.ndjson.gz"), size - 3);
      await assert.rejects(read());
      await appendFile(path.join(directory, "index.ndjson.gz"), "xyz");
      await assert.rejects(read());
      for (const text of ["", '{"index":2}\n', '{"uploads":true}\n', `${FIRST_LINE}\nnonsense\n`]) {
        await writeFile(path.join(directory, "index.ndjson.gz"), gzipSync(text));
        await assert.rejects(read(), IndexError, text);
      }
    });
  });
});
