import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileOf, makePipe, openPipe, PIPES, sweepPipes, widen } from "../../components/backup/pipe.js";

describe("backup/pipe", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "backup-pipe-"));
  });

  afterEach(() => rm(root, { recursive: true }));

  /** Bytes that can be written before somebody reads. */
  function capacity(writer: number): number {
    // The same pipe, but told not to wait.
    const fd = openSync(`/proc/self/fd/${writer}`, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      for (let all = 0; ; ) {
        try {
          all += writeSync(fd, Buffer.alloc(64 * 1024));
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
          return all;
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  it("opens one without a name, which passes bytes, comes to an end, and holds a mebibyte where there is a perl", async () => {
    const pipe = await openPipe(root);
    assert.ok(pipe !== null);
    assert.deepEqual(await readdir(root), []);
    writeSync(pipe.writer, "through");
    const memory = Buffer.alloc(100);
    assert.equal(memory.toString("utf8", 0, readSync(pipe.reader, memory)), "through");
    const perl = spawnSync("perl", ["-e", "1"]).status === 0;
    assert.equal(capacity(pipe.writer), perl ? 1024 * 1024 : 64 * 1024);
    closeSync(pipe.writer);
    assert.equal(readFileSync(pipe.reader).length, perl ? 1024 * 1024 : 64 * 1024);
    closeSync(pipe.reader);
  });

  it("has none where its name cannot be written", async () => {
    assert.equal(await openPipe(path.join(root, "missing")), null);
  });

  it("lets be what is no pipe", async () => {
    const fd = openSync("/dev/null", "r");
    await widen(fd);
    closeSync(fd);
  });

  it("sweeps those of dead runs, and nothing else", async () => {
    const pipe = await makePipe(path.join(root, `${PIPES}token-1`));
    assert.ok(pipe !== null);
    assert.match(fileOf(pipe), /reader-token-1\/pipe$/);
    await mkdir(path.join(root, "other"));
    await sweepPipes(root);
    assert.deepEqual(await readdir(root), ["other"]);
    await sweepPipes(path.join(root, "missing"));
  });
});
