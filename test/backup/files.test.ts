import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { makePrivate, publish, writeDurable, writeText } from "../../components/backup/files.js";
import { BackupProblem } from "../../components/backup/problem.js";

describe("backup/files", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "backup-files-"));
  });

  afterEach(async () => {
    await chmod(root, 0o700);
    await rm(root, { recursive: true });
  });

  const modeOf = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8);
  const problem = (code: string) => (error: unknown): boolean => error instanceof BackupProblem && error.code === code;

  it("makes 0600 files and 0700 directories whatever the umask", async () => {
    for (const umask of [0o000, 0o022, 0o777]) {
      const before = process.umask(umask);
      try {
        const directory = path.join(root, `d${umask}`);
        await makePrivate(directory);
        await writeText(path.join(directory, "f"), "x");
        assert.deepEqual([await modeOf(directory), await modeOf(path.join(directory, "f"))], ["700", "600"]);
      } finally {
        process.umask(before);
      }
    }
  });

  it("tells the size and hash of what it wrote", async () => {
    const content = Buffer.alloc(1_000_000, "abc");
    const record = await writeDurable(path.join(root, "f"), Readable.from([content.subarray(0, 7), content.subarray(7)]));
    assert.deepEqual(record, { size: content.length, sha256: createHash("sha256").update(content).digest("hex") });
    assert.ok((await readFile(path.join(root, "f"))).equals(content));
  });

  it("never writes over anything", async () => {
    await writeText(path.join(root, "f"), "first");
    await assert.rejects(writeText(path.join(root, "f"), "second"), problem("write"));
    assert.equal(await readFile(path.join(root, "f"), "utf8"), "first");
    await assert.rejects(makePrivate(root), problem("write"));
  });

  it("gives a directory its name with everything in it", async () => {
    await makePrivate(path.join(root, "a.partial"));
    await writeText(path.join(root, "a.partial", "f"), "x");
    await publish(path.join(root, "a.partial"), path.join(root, "a"));
    assert.equal(await readFile(path.join(root, "a", "f"), "utf8"), "x");
  });

  it("passes the failure of what feeds a file", async () => {
    const failing = new Readable({ read() { this.destroy(new Error("source broke")); } });
    await assert.rejects(writeDurable(path.join(root, "f"), failing), /source broke/);
  });
});
