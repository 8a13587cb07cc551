import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { type Context, Leftovers } from "../../components/backup/context.js";
import { Gzip } from "../../components/backup/gzip.js";
import { makePipe } from "../../components/backup/pipe.js";
import { onHost } from "../../components/backup/volume-runner.js";
import { DIG, UNTAR, untarInto } from "../../components/backup/volume-untar.js";
import { dataPaths } from "../../components/runtime/paths.js";

const LARGE = 8 * 1024 * 1024;

describe("backup/volume-untar", () => {
  let root: string;
  let from: string;
  let to: string;
  let leftovers: Leftovers;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "untar-"));
    [from, to] = [path.join(root, "from"), path.join(root, "to")];
    mkdirSync(from);
    mkdirSync(to);
    leftovers = new Leftovers();
  });

  afterEach(async () => {
    await leftovers.clear((what, error) => assert.fail(`${what}: ${String(error)}`));
    rmSync(root, { recursive: true, force: true });
  });

  /** A file of 8 MiB with a few bytes in it, as Qdrant preallocates them. */
  function sparse(name: string): void {
    const file = path.join(from, name);
    writeFileSync(file, "begins");
    truncateSync(file, LARGE);
    execFileSync("dd", ["if=/dev/urandom", `of=${file}`, "bs=4096", "seek=1000", "count=3", "conv=notrunc", "status=none"]);
    utimesSync(file, 1_600_000_000, 1_600_000_000);
  }

  function context(): Context {
    return {
      paths: dataPaths(root, "unit"), run: "test", token: "t", gzip: Gzip.zlib, signal: AbortSignal.timeout(60_000),
      remaining: () => 60_000, allow: () => undefined, say: () => undefined, assertHolds: () => undefined,
    };
  }

  async function untar(archive: Readable): Promise<boolean> {
    const pipe = await makePipe(path.join(root, "pipe"));
    assert.ok(pipe !== null);
    return untarInto(pipe, onHost(context(), { script: UNTAR }, to, pipe, leftovers), archive, AbortSignal.timeout(60_000));
  }

  const packed = (): Readable => spawn("tar", ["--create", "--format=pax", "--blocking-factor=2048", "--directory", from, "--file=-", "."], { stdio: ["ignore", "pipe", "inherit"] }).stdout;
  const used = (directory: string): number => Number(execFileSync("du", ["-sB1", directory], { encoding: "utf8" }).split("\t")[0]);

  /** Each path with all that a restore keeps of it. */
  function listing(directory: string, below = "."): string[] {
    return readdirSync(path.join(directory, below), { encoding: "latin1" }).sort().flatMap((name) => {
      const file = Buffer.from(path.join(directory, below, name), "latin1");
      const { mode, uid, gid, size, mtimeMs } = lstatSync(file);
      const own = [path.join(below, name), mode, uid, gid];
      if (lstatSync(file).isDirectory()) return [own.join(" "), ...listing(directory, path.join(below, name))];
      if (lstatSync(file).isSymbolicLink()) return [[...own, readlinkSync(file)].join(" ")];
      return [[...own, size, Math.floor(mtimeMs / 1000), createHash("sha256").update(readFileSync(file)).digest("hex")].join(" ")];
    });
  }

  it("gives back the files with their holes, times and names", async () => {
    mkdirSync(path.join(from, "collections"));
    for (const name of ["collections/wal", " begins with a blank ", "new\nline", "back\\slash", "--checkpoint=1", "ä ü", "last"]) sparse(name);
    writeFileSync(path.join(from, "small"), "x", { mode: 0o640 });
    symlinkSync("collections/wal", path.join(from, "link"));
    assert.equal(await untar(packed()), true);
    assert.deepEqual(listing(to), listing(from));
    assert.ok(used(from) < 1024 * 1024, `${used(from)} bytes before`);
    assert.ok(used(to) <= 1.1 * used(from), `${used(from)} bytes before, ${used(to)} after`);
  });

  it("tells what tar says of a stream that was cut, and the stream's own failure", async () => {
    writeFileSync(path.join(from, "file"), Buffer.alloc(300_000, 1));
    const whole = execFileSync("tar", ["--create", "--directory", from, "--file=-", "."], { maxBuffer: LARGE });
    await assert.rejects(untar(Readable.from([whole.subarray(0, 100_000)])), /tar: Unexpected EOF in archive/);
    rmSync(path.join(root, "pipe"), { recursive: true });
    const failing = new Readable({ read() { this.destroy(new Error("refused on its way")); } });
    await assert.rejects(untar(failing), /refused on its way/);
  });

  it("uses nothing up where there is no GNU tar", async () => {
    const pipe = await makePipe(path.join(root, "pipe"));
    assert.ok(pipe !== null);
    const archive = Readable.from([Buffer.alloc(1024)]);
    const runner = onHost(context(), { script: `tar() { return 1; }\n${UNTAR}` }, to, pipe, leftovers);
    assert.equal(await untarInto(pipe, runner, archive, AbortSignal.timeout(60_000)), false);
    assert.equal(archive.readableDidRead, false);
    archive.destroy();
  });

  it("makes holes of the zeros that a volume has already, and leaves the times", () => {
    sparse("fat");
    execFileSync("cp", ["--sparse=never", "--preserve=timestamps", path.join(from, "fat"), path.join(to, "fat")]);
    assert.ok(used(to) >= LARGE);
    execFileSync("sh", ["-c", DIG, "sh", to]);
    assert.deepEqual(listing(to), listing(from));
    assert.ok(used(to) < 1024 * 1024, `${used(to)} bytes`);
  });
});
