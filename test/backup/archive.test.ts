import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, constants, existsSync, openSync, writeFileSync, writeSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { crc32, gunzipSync, gzipSync } from "node:zlib";
import { dockerTar, readArchive, readThrough, writeArchive, writeEmptyArchive } from "../../components/backup/archive.js";
import { Gzip } from "../../components/backup/gzip.js";
import type { ArchiveRecord } from "../../components/backup/manifest.js";
import { BackupProblem } from "../../components/backup/problem.js";
import { NoTarError, TarError } from "../../components/backup/tar-header.js";
import { directory, file, packed, unpacked } from "../support/crafted.js";
import { seeded } from "../support/random.js";
import { waitFor } from "../support/wait.js";

describe("backup/archive, backup/gzip", () => {
  let root: string;
  const { signal } = new AbortController();

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "backup-archive-"));
  });

  afterEach(() => rm(root, { recursive: true }));

  /** An `igzip` that is a shell script, alone on a PATH. */
  async function scripted(script: string): Promise<Gzip> {
    const bin = path.join(root, "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(path.join(bin, "igzip"), `#!/bin/sh\n${script}\n`);
    await chmod(path.join(bin, "igzip"), 0o755);
    return Gzip.find({ PATH: `/nowhere:${bin}` });
  }

  const damaged = (error: unknown): boolean => error instanceof BackupProblem && error.code === "damaged";
  const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

  const kinds: [what: string, find: () => Promise<Gzip>][] = [
    ["zlib", () => Gzip.find({ PATH: "" })],
    ["a child", () => scripted('exec /bin/gzip "$@"')],
    ["what this machine has", () => Gzip.find()],
  ];
  for (const [what, find] of kinds) {
    describe(`with ${what}`, () => {
      let gzip: Gzip;

      beforeEach(async () => {
        gzip = await find();
      });

      it("writes what any gunzip reads, lists it, and tells the file's sum", async () => {
        const random = seeded("contents", 5);
        const entries = [file("uploads/a", random.bytes(300_000)), file("uploads/b", ""), file("uploads/c", Buffer.alloc(5_000_000, 1))];
        const target = path.join(root, "a.tar.gz");
        const lines: string[] = [];
        const written = await writeArchive(dockerTar(Readable.from([await packed(entries)]), "uploads"), target, gzip, signal, (line) => void lines.push(line));
        const bytes = await readFile(target);
        assert.deepEqual(written.file, { size: bytes.length, sha256: sha256(bytes), crc32: crc32(bytes) });
        assert.deepEqual(written.content, { files: 3, bytes: 5_300_000, leftOut: 0, digest: sha256(Buffer.from(`${lines.join("\n")}\n`)) });
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
    assert.deepEqual(content, { files: 0, bytes: 0, leftOut: 0, digest: createHash("sha256").digest("hex") });
    assert.ok(gunzipSync(await readFile(target)).equals(Buffer.alloc(1024)));
    await assert.rejects(writeEmptyArchive(target, signal), /could not be written: EEXIST/);
    assert.equal((await stat(target)).size, record.size);
  });

  describe("unpacking", () => {
    const content = seeded("contents", 8).bytes(3_000_000);
    /** In pieces that all come in the same memory. */
    async function* source(bytes = gzipSync(content)): AsyncGenerator<Buffer> {
      const memory = Buffer.alloc(100_000);
      for (let at = 0; at < bytes.length; at += memory.length) {
        await Promise.resolve();
        yield memory.subarray(0, bytes.copy(memory, 0, at));
        memory.fill(0xff);
      }
    }
    /** Nearly all of it, and no end. */
    async function* never(): AsyncGenerator<Buffer> {
      yield gzipSync(content).subarray(0, -100);
      await new Promise(() => undefined);
    }

    for (const [what, find] of [...kinds, ["a child, and no room for its pipes", () => Gzip.find(undefined, path.join(root, "missing"))] as const]) {
      describe(`with ${what}`, () => {
        it("gives all of it, one piece after the other is done with", async () => {
          const gzip = await find();
          const pieces: Buffer[] = [];
          let busy = false;
          await gzip.read(source(), (piece) => {
            assert.equal(busy, false);
            pieces.push(Buffer.from(piece));
            if (pieces.length % 2 === 0) return undefined;
            busy = true;
            return new Promise((resolve) => void setImmediate(() => resolve((busy = false) ? undefined : undefined)));
          }, signal);
          assert.ok(Buffer.concat(pieces).equals(content));
        });

        it("fails with whoever takes it, at once or later, and with whoever gives it", async () => {
          const gzip = await find();
          await assert.rejects(gzip.read(source(), () => { throw new Error("not this"); }, signal), /not this/);
          await assert.rejects(gzip.read(source(), () => Promise.reject(new Error("nor this")), signal), /nor this/);
          await assert.rejects(gzip.read(never(), () => { throw new Error("not at all"); }, AbortSignal.timeout(30_000)), /not at all/);
          const breaks = async function* (): AsyncGenerator<Buffer> {
            yield* source(gzipSync(content).subarray(0, 50_000));
            throw new Error("it broke");
          };
          await assert.rejects(gzip.read(breaks(), () => undefined, signal), /it broke/);
          await assert.rejects(gzip.read(source(gzipSync(content).subarray(0, 50_000)), () => undefined, signal), /no whole gzip file|unexpected end/);
        });

        it("stops when it is told to, whatever it waits for", async () => {
          const gzip = await find();
          await assert.rejects(gzip.read(source(), () => new Promise(() => undefined), AbortSignal.timeout(100)), /abort|timeout/i);
          await assert.rejects(gzip.read(never(), () => undefined, AbortSignal.timeout(100)), /abort|timeout/i);
        });
      });
    }
  });

  describe("packing what another process gives", () => {
    const input = (content: Buffer): number => {
      const source = path.join(root, "source");
      writeFileSync(source, content);
      return openSync(source, "r");
    };
    const read = async (packed: AsyncIterable<Buffer>): Promise<Buffer> => {
      const pieces: Buffer[] = [];
      for await (const piece of packed) pieces.push(Buffer.from(piece));
      return Buffer.concat(pieces);
    };

    for (const [what, find] of kinds.slice(1)) {
      it(`writes the file and has it read as it grows, with ${what}`, async () => {
        const gzip = await find();
        if (!gzip.packs) assert.equal(gzip.name, "zlib");
        else {
          const content = seeded("contents", 7).bytes(3_000_000);
          const target = path.join(root, "p.gz");
          const seen = await gzip.pack(input(content), target, signal, read);
          assert.ok(seen.equals(await readFile(target)));
          assert.ok(gunzipSync(seen).equals(content));
          assert.equal(((await stat(target)).mode & 0o777).toString(8), "600");
        }
      });
    }

    it("reads what grows late to its end, without a sum of its own", async () => {
      const gzip = await scripted(`[ "$1" = -d ] && exec /bin/gzip "$@"; exec /bin/gzip -c`);
      const pipe = path.join(root, "pipe");
      execFileSync("mkfifo", [pipe]);
      const both = openSync(pipe, constants.O_RDWR);
      const [writer, reader] = [openSync(pipe, "w"), openSync(pipe, "r")];
      closeSync(both);
      const target = path.join(root, "late.gz");
      const tar = await packed([directory("./"), file("./a", "a".repeat(1000)), file("./b", "b")]);
      const packing = gzip.pack(reader, target, signal, (chunks) => readArchive(chunks, null, gzip, signal));
      await waitFor("the file is there", () => existsSync(target));
      writeSync(writer, tar);
      closeSync(writer);
      const { content } = await packing;
      assert.deepEqual([content.files, content.bytes, content.leftOut], [2, 1001, 0]);
    });

    it("ends the child when its file is not taken, and fails with that", async () => {
      const gzip = await scripted('[ -e "$0.works" ] || { : > "$0.works"; exec /bin/gzip -c; }\nexec sleep 60');
      const began = performance.now();
      await assert.rejects(gzip.pack(input(Buffer.alloc(10)), path.join(root, "n.gz"), signal, () => Promise.reject(new Error("not so"))), /not so/);
      assert.ok(performance.now() - began < 30_000);
    });

    it("fails with the child, and stops when it is told to", async () => {
      const failing = await scripted('[ -e "$0.works" ] || { : > "$0.works"; exec /bin/gzip -c; }\nexit 3');
      await assert.rejects(failing.pack(input(Buffer.alloc(10)), path.join(root, "f.gz"), signal, read), /could not be written: igzip ended with code 3/);
      await rm(path.join(root, "bin", "igzip.works"));
      const hanging = await scripted('[ -e "$0.works" ] || { : > "$0.works"; exec /bin/gzip -c; }\nexec sleep 60');
      await assert.rejects(hanging.pack(input(Buffer.alloc(10)), path.join(root, "h.gz"), AbortSignal.timeout(100), read), /abort/i);
    });

    it("tells an archive without a byte from one that is cut", async () => {
      const gzip = await scripted('exec /bin/gzip "$@"');
      const of = (content: Buffer): Promise<unknown> => gzip.pack(input(content), path.join(root, `${content.length}.gz`), signal, (chunks) => readArchive(chunks, null, gzip, signal));
      await assert.rejects(of(Buffer.alloc(0)), NoTarError);
      await assert.rejects(of(Buffer.alloc(512)), (error) => error instanceof TarError && !(error instanceof NoTarError));
    });
  });

  describe("the choice of an igzip", () => {
    it("falls on zlib where there is none, or none that works", async () => {
      assert.equal((await Gzip.find({ PATH: "" })).name, "zlib");
      for (const script of ["exit 1", "cat", ":", "kill -9 $$"]) assert.equal((await scripted(script)).name, "zlib", script);
      assert.equal((await scripted('exec /bin/gzip "$@"')).name, "igzip");
    });

    it("ends the backup where it fails later", async () => {
      for (const [end, words] of [["exit 3", /igzip ended with code 3/], ["kill -9 $$", /igzip was ended by SIGKILL/]] as const) {
        const gzip = await scripted(`[ "$(head -c 5)" = igzip ] && { printf igzip | exec /bin/gzip -c; exit; }\n${end}`);
        assert.equal(gzip.name, "igzip");
        const tar = await packed([file("x/a", Buffer.alloc(3_000_000, 7))]);
        await assert.rejects(writeArchive(dockerTar(Readable.from([tar]), "x"), path.join(root, `${end}.gz`), gzip, signal), words);
      }
    });
  });
});
