import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, existsSync, openSync, writeFileSync, writeSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import { dockerTar, readArchive, writeArchive } from "../../components/backup/archive.js";
import { Gzip } from "../../components/backup/gzip.js";
import { NoTarError, TarError } from "../../components/backup/tar-header.js";
import { directory, file, packed } from "../support/crafted.js";
import { GZIPS, scriptedGzip } from "../support/gzips.js";
import { seeded } from "../support/random.js";
import { waitFor } from "../support/wait.js";

describe("backup/gzip", () => {
  let root: string;
  const { signal } = new AbortController();
  const scripted = (script: string): Promise<Gzip> => scriptedGzip(root, script);

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "backup-gzip-"));
  });

  afterEach(() => rm(root, { recursive: true }));

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

    for (const [what, find] of [...GZIPS, ["a child, and no room for its pipes", (directory: string) => Gzip.find(undefined, path.join(directory, "missing"))] as const]) {
      describe(`with ${what}`, () => {
        it("gives all of it, one piece after the other is done with", async () => {
          const gzip = await find(root);
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
          const gzip = await find(root);
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
          const gzip = await find(root);
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

    for (const [what, find] of GZIPS.slice(1)) {
      it(`writes the file and has it read as it grows, with ${what}`, async () => {
        const gzip = await find(root);
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
