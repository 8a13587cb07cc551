import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { LineSink } from "../../components/backup/archive.js";
import { archiveVolume } from "../../components/backup/archive-volume.js";
import { type Context, Leftovers } from "../../components/backup/context.js";
import { Gzip } from "../../components/backup/gzip.js";
import { dataPaths } from "../../components/runtime/paths.js";

/** More than any pipe holds, and nothing that packs. Bytes. */
const MUCH = 4 * 1024 * 1024;

describe("backup/archive-volume", () => {
  let root: string;
  let volume: string;
  let leftovers: Leftovers;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "archive-volume-"));
    volume = path.join(root, "volume");
    mkdirSync(volume);
    leftovers = new Leftovers();
  });

  afterEach(async () => {
    await leftovers.clear((what, error) => assert.fail(`${what}: ${String(error)}`));
    rmSync(root, { recursive: true, force: true });
  });

  async function archived(gzip: Gzip): Promise<{ files: number; leftOut: number; lines: string[]; names: string[] }> {
    const context: Context = {
      paths: dataPaths(root, "unit"), run: "test", token: "t", gzip, signal: AbortSignal.timeout(60_000),
      remaining: () => 60_000, allow: () => undefined, say: () => undefined, assertHolds: () => undefined,
    };
    let lines: string[] = [];
    const begin = (): Promise<LineSink> => {
      lines = [];
      return Promise.resolve((line) => void lines.push(line));
    };
    const file = path.join(root, `archive-${gzip.name}.tar.gz`);
    const what = { stack: "unit", volume: "none", directory: volume, image: "none", n: gzip.name };
    const { content } = await archiveVolume(context, what, file, leftovers, begin, () => Promise.reject(new Error("Docker was asked")));
    const names = execFileSync("tar", ["tzf", file], { encoding: "utf8" }).trim().split("\n").sort();
    return { files: content.files, leftOut: content.leftOut, lines, names };
  }

  const gzips = async (): Promise<Gzip[]> => [Gzip.zlib, await Gzip.find()];

  // What is left out comes first, and most is still to come when the reader stops at it.
  it("leaves out and counts links that lead out and pipes, before more than a pipe holds", async () => {
    mkdirSync(path.join(volume, "a-venv"));
    symlinkSync("/usr/bin/python3", path.join(volume, "a-venv", "python3"));
    symlinkSync("../../outside", path.join(volume, "a-venv", "up"));
    execFileSync("mkfifo", [path.join(volume, "a-venv", "fifo")]);
    linkSync(path.join(volume, "a-venv", "fifo"), path.join(volume, "a-venv", "the-same-fifo"));
    symlinkSync("../b-large", path.join(volume, "a-venv", "within"));
    writeFileSync(path.join(volume, "b-large"), randomBytes(MUCH));
    writeFileSync(path.join(volume, "c-small"), "x");
    for (const gzip of await gzips()) {
      const { files, leftOut, lines, names } = await archived(gzip);
      assert.deepEqual([files, leftOut, lines.length], [2, 4, 3], gzip.name);
      assert.deepEqual(names, ["./", "./a-venv/", "./a-venv/within", "./b-large", "./c-small"]);
    }
  });

  it("leaves them out where they come last", async () => {
    writeFileSync(path.join(volume, "a-large"), randomBytes(MUCH));
    symlinkSync("/etc/passwd", path.join(volume, "z"));
    for (const gzip of await gzips()) {
      const { files, leftOut, names } = await archived(gzip);
      assert.deepEqual([files, leftOut, names], [1, 1, ["./", "./a-large"]], gzip.name);
    }
  });
});
