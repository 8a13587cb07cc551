import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { crc32, gunzipSync, gzipSync } from "node:zlib";
import { dockerTar, readThrough, writeArchive, writeEmptyArchive } from "../../components/backup/archive.js";
import type { Gzip } from "../../components/backup/gzip.js";
import type { ArchiveRecord } from "../../components/backup/manifest.js";
import { BackupProblem } from "../../components/backup/problem.js";
import { TarError } from "../../components/backup/tar-header.js";
import { directory, file, packed, unpacked } from "../support/crafted.js";
import { GZIPS } from "../support/gzips.js";
import { seeded } from "../support/random.js";

describe("backup/archive", () => {
  let root: string;
  const { signal } = new AbortController();

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "backup-archive-"));
  });

  afterEach(() => rm(root, { recursive: true }));

  const damaged = (error: unknown): boolean => error instanceof BackupProblem && error.code === "damaged";
  const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

  for (const [what, find] of GZIPS) {
    describe(`with ${what}`, () => {
      let gzip: Gzip;

      beforeEach(async () => {
        gzip = await find(root);
      });

      it("writes what any gunzip reads, lists it, and tells the file's sum", async () => {
        const random = seeded("contents", 5);
        const entries = [file("uploads/a", random.bytes(300_000)), file("uploads/b", ""), file("uploads/c", Buffer.alloc(5_000_000, 1))];
        const target = path.join(root, "a.tar.gz");
        const lines: string[] = [];
        const written = await writeArchive(dockerTar(Readable.from([await packed(entries)]), "uploads"), target, gzip, signal, (line) => void lines.push(line));
        const bytes = await readFile(target);
        assert.deepEqual(written.file, { size: bytes.length, sha256: sha256(bytes), crc32: crc32(bytes) });
        assert.deepEqual(written.content, { files: 3, bytes: 5_300_000, stored: 5_304_320, leftOut: 0, digest: sha256(Buffer.from(`${lines.join("\n")}\n`)) });
        assert.equal(((await stat(target)).mode & 0o777).toString(8), "600");
        const found = await unpacked(gunzipSync(bytes));
        assert.deepEqual(found.map(({ header, content }) => [header.name, header.mode, sha256(content)]), entries.map(({ header, content }) => [header.name.replace("uploads", "."), header.mode, sha256(content)]));
      });

      it("fails on a source that is cut or breaks, and stops when it is told to", async () => {
        const of = (stream: Readable, ended = signal): Promise<unknown> => writeArchive(dockerTar(stream, "x"), path.join(root, `${Math.random()}.gz`), gzip, ended);
        await assert.rejects(of(Readable.from([Buffer.alloc(512)])), TarError);
        await assert.rejects(of(new Readable({ read() { this.destroy(new Error("source broke")); } })), /source broke/);
        await assert.rejects(of(new Readable({ read() { /* never anything */ } }), AbortSignal.timeout(50)), /abort/i);
        const whole = await packed([file("x/a")]);
        const late = { ...dockerTar(Readable.from([whole]), "x"), assertMade: () => Promise.reject(new TarError("a file shrank")) };
        await assert.rejects(writeArchive(late, path.join(root, "late.gz"), gzip, signal), /a file shrank/);
      });

      describe("reading it to its end", () => {
        let target: string;
        let bytes: Buffer;
        let content: ArchiveRecord;

        beforeEach(async () => {
          target = path.join(root, "a.tar.gz");
          const tar = await packed([directory("x/"), file("x/a", seeded("contents", 6).bytes(200_000)), file("x/b", "b".repeat(100_000))]);
          content = (await writeArchive(dockerTar(Readable.from([tar]), "x"), target, gzip, signal)).content;
          bytes = await readFile(target);
        });

        /** What it unpacks to; null for what is no whole gzip file. */
        const unzipped = (data: Buffer): Buffer | null => {
          try {
            return gunzipSync(data);
          } catch {
            return null;
          }
        };

        it("finds a flipped bit anywhere that matters, and a cut anywhere", async () => {
          const random = seeded("damage");
          const tar = gunzipSync(bytes);
          // Byte 4 to 9 of a gzip header are time, level and system: nothing that is read depends on them.
          const places = [0, 1, 2, bytes.length - 1, bytes.length - 8, ...Array.from({ length: 20 }, () => random.int(10, bytes.length - 1))];
          for (const at of places) {
            const spoilt = Buffer.from(bytes);
            spoilt[at] = (spoilt[at] ?? 0) ^ (1 << random.int(0, 7));
            await writeFile(target, spoilt);
            // The last bits before the trailer fill up a byte and say nothing: then the sum is that of what lies there.
            if (unzipped(spoilt)?.equals(tar) === true) assert.equal((await readThrough(target, content, gzip, signal)).sha256, sha256(spoilt), `byte ${at}`);
            else await assert.rejects(readThrough(target, content, gzip, signal), damaged, `byte ${at}`);
          }
          for (const length of [0, 5, bytes.length - 1, ...Array.from({ length: 5 }, () => random.int(0, bytes.length - 1))]) {
            await writeFile(target, bytes);
            await truncate(target, length);
            await assert.rejects(readThrough(target, content, gzip, signal), damaged, `cut at ${length}`);
          }
          await writeFile(target, bytes);
          assert.deepEqual(await readThrough(target, content, gzip, signal), { size: bytes.length, sha256: sha256(bytes), crc32: crc32(bytes) });
        });

        it("finds another archive in its place, whole as that is", async () => {
          const other = await packed([directory("./"), file("./a", Buffer.alloc(200_000)), file("./b", "b".repeat(100_000))]);
          await writeFile(target, gzipSync(other));
          await assert.rejects(readThrough(target, content, gzip, signal), /other names or contents/);
        });

        it("stops when it is told to", async () => {
          await assert.rejects(readThrough(target, content, gzip, AbortSignal.abort(new Error("enough"))), /enough|abort/i);
        });
      });
    });
  }

  it("writes a valid archive of nothing, and never over anything", async () => {
    const target = path.join(root, "e.tar.gz");
    const { file: record, content } = await writeEmptyArchive(target, signal);
    assert.equal(record.size, (await stat(target)).size);
    assert.deepEqual(content, { files: 0, bytes: 0, stored: 0, leftOut: 0, digest: createHash("sha256").digest("hex") });
    assert.ok(gunzipSync(await readFile(target)).equals(Buffer.alloc(1024)));
    await assert.rejects(writeEmptyArchive(target, signal), /could not be written: EEXIST/);
    assert.equal((await stat(target)).size, record.size);
  });
});
