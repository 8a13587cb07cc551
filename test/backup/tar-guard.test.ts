import assert from "node:assert/strict";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { PathIndex } from "../../components/backup/path-index.js";
import { TarGuard } from "../../components/backup/tar-guard.js";
import { TarError } from "../../components/backup/tar-header.js";
import { TarRebase } from "../../components/backup/tar-rebase.js";
import { directory, file, hardlink, packed, reseal, symlink, type TarFile } from "../support/crafted.js";

const whole = (entries: readonly TarFile[]): { files: number; bytes: number } => ({
  files: entries.filter(({ header }) => !["directory", "symlink"].includes(header.type ?? "")).length,
  bytes: entries.reduce((sum, { content }) => sum + content.length, 0),
});

/** What came through, in pieces of a size. */
async function guarded(archive: Buffer, expected: { files: number; bytes: number }, size = 700): Promise<Buffer> {
  const passed: Buffer[] = [];
  const pieces = Array.from({ length: Math.ceil(archive.length / size) }, (_, n) => archive.subarray(n * size, (n + 1) * size));
  const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => (passed.push(chunk), done()) });
  await pipeline(Readable.from(pieces, { objectMode: false }), new TarGuard(expected), sink);
  return Buffer.concat(passed);
}

const refused = (entries: readonly TarFile[], why: RegExp, expected = whole(entries)): Promise<void> =>
  packed(entries).then((archive) => refusedBytes(archive, why, expected));

async function refusedBytes(archive: Buffer, why: RegExp, expected: { files: number; bytes: number }): Promise<void> {
  await assert.rejects(guarded(archive, expected), (error: unknown) => error instanceof TarError && why.test(error.message));
}

describe("backup/tar-guard", () => {
  it("passes what a backup writes, byte by byte, in pieces of any size", async () => {
    const entries = [
      directory("./"), directory("./a/"), file("./a/x", "content"), file(`./${"long".repeat(60)}`, Buffer.alloc(3000, 7)), file("./zero", ""),
      symlink("./a/up", "../zero"), symlink("./a/here", "x"), symlink("./dangling", "nothing/there"), hardlink("./hard", "./a/x"), hardlink("./a/up2", "./a/up"),
      directory("./empty/"), file("./ä ü/\"quoted\"\n", "name"),
    ];
    const archive = await packed(entries);
    for (const size of [1, 511, 512, 513, 100_000]) assert.ok((await guarded(archive, whole(entries), size)).equals(archive), `pieces of ${size}`);
    assert.ok((await guarded(Buffer.alloc(1024), { files: 0, bytes: 0 })).equals(Buffer.alloc(1024)));
  });

  it("passes whatever the backup's own writer passes, and never a link to outside", async () => {
    const name = fc.constantFrom("a", "b", "c", "a/x", "a/y", "b/c/d", "l", "a/l", "b/c/l");
    const target = fc.constantFrom("a", "../a", "../../a", "../../../a", "/a", "x/../../..", "a/..", ".", "..");
    // Upper case for directories, so that none is a file as well.
    const placed = (at: string, kind: string): string => `s/${at.slice(0, -1).toUpperCase()}${at.slice(-1)}-${kind}`;
    const one = fc.oneof(name.map((at) => file(placed(at, "file"))), fc.tuple(name, target).map(([at, to]) => symlink(placed(at, "link"), to)));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(one, { selector: ({ header }) => header.name, maxLength: 8 }), async (entries) => {
        const rebase = new TarRebase("s");
        const out: Buffer[] = [];
        await pipeline(Readable.from([await packed([directory("s/"), ...entries])]), rebase, new Writable({ write: (chunk: Buffer, _e, done) => (out.push(chunk), done()) }));
        await guarded(Buffer.concat(out), rebase);
        const links = entries.filter(({ header }) => header.type === "symlink");
        const climbing = links.filter(({ header: { name: at, linkname } }) => {
          const steps = (linkname ?? "").split("/");
          const up = steps.filter((step) => step === "..").length;
          return (linkname ?? "").startsWith("/") || up > at.split("/").length - 2 || (steps[0] !== ".." && up > 0);
        });
        assert.equal(rebase.leftOut, climbing.length);
      }),
      { numRuns: 200 },
    );
  });

  describe("row 6: path tricks", () => {
    const tricks: [what: string, entries: TarFile[], why: RegExp][] = [
      ["../", [file("../x")], /"\.\.\/x" leads out/],
      ["a climb within", [directory("./a/"), file("./a/../../x")], /leads out/],
      ["a climb that stays within", [directory("./a/"), file("./a/../x")], /leads out/],
      ["a climbing directory", [directory("../d/")], /leads out/],
      ["a climbing name in a pax record", [file(`../${"y".repeat(150)}/${"z".repeat(150)}`)], /leads out/],
      ["an absolute path", [file("/etc/x")], /leads out/],
      ["an absolute path in a pax record", [file(`/${"y".repeat(300)}`)], /leads out/],
      ["a symbolic link to an absolute path", [symlink("./l", "/etc/passwd")], /link to "\/etc\/passwd", which leads out/],
      ["a symbolic link that climbs out", [directory("./a/"), symlink("./a/l", "../../x")], /leads out/],
      ["a symbolic link that climbs after it went down", [symlink("./l", "a/../../x")], /leads out/],
      ["a long symbolic link that climbs out", [symlink("./l", `../${"y".repeat(200)}`)], /leads out/],
      ["a hard link to an absolute path", [hardlink("./h", "/etc/passwd")], /leads out/],
      ["a hard link that climbs", [hardlink("./h", "../x")], /leads out/],
      ["a hard link to what is not there", [hardlink("./h", "./x")], /no file of the archive/],
      ["a hard link to a directory", [directory("./d/"), hardlink("./h", "./d")], /no file of the archive/],
      ["a hard link through a symbolic link", [directory("./a/"), symlink("./l", "a"), hardlink("./h", "./l/x")], /no file of the archive/],
      ["a hard link that takes a climbing link higher", [directory("./a/"), symlink("./a/l", "../x"), hardlink("./h", "./a/l")], /leads out/],
      ["a file through a symbolic link", [symlink("./l", "."), file("./l/x")], /for a directory that is none/],
      ["a file below a link deep down", [directory("./a/"), symlink("./a/l", ".."), file("./a/l/b/c/x")], /for a directory that is none/],
      ["a directory that becomes a link", [directory("./d/"), symlink("./d", ".")], /is there twice/],
      ["a directory, named only in a path, that becomes a link", [file("./d/x"), symlink("./d", ".")], /is there twice/],
      ["a link that becomes a directory", [symlink("./d", "."), directory("./d/")], /for a directory that is none/],
      ["a link that becomes a file", [symlink("./d", "x"), file("./d")], /is there twice/],
      ["a file under two spellings", [file("./x"), file("x")], /is there twice/],
      ["a file below a file", [file("./x"), file("./x/y")], /for a directory that is none/],
      ["the root as a link", [symlink("./", "x")], /has a directory's name/],
      ["a device", [{ header: { name: "./d", type: "block-device", devmajor: 8, devminor: 0 }, content: Buffer.alloc(0) }], /device or a pipe/],
      ["a character device", [{ header: { name: "./d", type: "character-device", devmajor: 1, devminor: 3 }, content: Buffer.alloc(0) }], /device or a pipe/],
      ["a pipe", [{ header: { name: "./p", type: "fifo" }, content: Buffer.alloc(0) }], /device or a pipe/],
      ["a record that only some readers know", [{ header: { name: "./a", pax: { "GNU.sparse.name": "../x" } }, content: Buffer.from("x") }], /GNU\.sparse\.name.+not known/],
    ];
    for (const [what, entries, why] of tricks) it(`refuses ${what}`, () => refused(entries, why));

    it("refuses what two readers could read differently", async () => {
      const plain = (): Promise<Buffer> => packed([file("./a", "x")]);
      const one = { files: 1, bytes: 1 };
      const changed = async (at: number, text: string): Promise<Buffer> => {
        const archive = await plain();
        archive.write(text, at, "latin1");
        return reseal(archive);
      };
      await refusedBytes(await changed(257, "ustar  \0"), /form of POSIX/, one);
      await refusedBytes(await changed(257, "\0\0\0\0\0\0\0\0"), /form of POSIX/, one);
      await refusedBytes(await changed(156, "7"), /unknown kind/, one);
      await refusedBytes(await changed(156, "S"), /unknown kind/, one);
      await refusedBytes(await changed(156, "L"), /unknown kind/, one);
      await refusedBytes(await changed(156, "5"), /content and is no file/, { files: 0, bytes: 0 });
      await refusedBytes(await changed(124, "1\x002345678901"), /no number/, one);
      await refusedBytes(await changed(124, "\x80\0\0\x01"), /no number/, one);
      await refusedBytes(await changed(124, "\xff\xff\xff\xff"), /no number/, one);
    });
  });

  describe("row 7: more than the manifest says", () => {
    it("is refused at the header, before its content is read", async () => {
      const size = 10 * 1024 ** 3;
      const header = (await packed([file("./sparse", "")])).subarray(0, 512);
      header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
      const guard = new TarGuard({ files: 1, bytes: 1024 });
      const written = new Promise<void>((resolve, reject) => guard.on("error", reject).write(reseal(header), (error) => (error ? reject(error) : resolve())));
      await assert.rejects(written, /makes more than the 1024 bytes/);
    });

    it("is refused by number too, and so is less", async () => {
      const three = [file("./a", "xx"), file("./b", ""), hardlink("./c", "./a")];
      await refused(three, /one more than the 2 files/, { files: 2, bytes: 2 });
      await refused(three, /makes more than the 1 bytes/, { files: 3, bytes: 1 });
      await refused(three, /holds 3 files with 2 bytes, and the manifest says 3 with 3/, { files: 3, bytes: 3 });
      await refused(three, /holds 3 files with 2 bytes, and the manifest says 4 with 2/, { files: 4, bytes: 2 });
    });

    it("is refused where zeros without end follow", () => refusedBytes(Buffer.alloc(2 * 1024 * 1024), /zeros without end/, { files: 0, bytes: 0 }));
  });

  it("refuses an archive that is cut anywhere, goes on after its end, or has a changed header", async () => {
    const entries = [directory("./"), file("./a", Buffer.alloc(2000, 1)), file(`./${"long".repeat(60)}`, "b")];
    const archive = await packed(entries);
    for (let length = 0; length < archive.length - 512; length += 100) await refusedBytes(archive.subarray(0, length), /./, whole(entries));
    await refusedBytes(Buffer.concat([archive, archive]), /goes on after its end/, whole(entries));
    archive[5] = 0x41;
    await refusedBytes(archive, /header of the archive is damaged/, whole(entries));
  });

  it("refuses pax headers that are damaged, doubled or belong to nothing", async () => {
    const long = await packed([file(`./${"long".repeat(60)}`, "b")]);
    const one = { files: 1, bytes: 1 };
    const changed = (at: number, text: string): Buffer => {
      const archive = Buffer.from(long);
      archive.write(text, at, "latin1");
      return archive;
    };
    assert.equal(long.subarray(512, 521).toString("latin1"), "252 path=");
    await refusedBytes(changed(512, "999"), /pax header is damaged/, one);
    await refusedBytes(changed(512, "+52"), /pax header is damaged/, one);
    await refusedBytes(changed(512 + 251, "x"), /pax header is damaged/, one);
    await refusedBytes(changed(516, "size"), /no number/, one);
    await refusedBytes(Buffer.concat([long.subarray(0, 1024), long]), /pax header out of place/, one);
    await refusedBytes(Buffer.concat([long.subarray(0, 1024), Buffer.alloc(1024)]), /ends after a pax header/, { files: 0, bytes: 0 });
  });
});

describe("backup/path-index", () => {
  it("tells what a map would", () => {
    const step = fc.tuple(fc.string({ maxLength: 3 }), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3000 }), fc.array(fc.string({ maxLength: 3 }), { maxLength: 50 }), (steps, others) => {
        const [index, map] = [new PathIndex(), new Map<string, number>()];
        for (const [path, value] of steps) {
          index.set(path, value);
          map.set(path, value);
        }
        for (const path of [...map.keys(), ...others]) assert.equal(index.get(path), map.get(path) ?? 0, path);
      }),
      { numRuns: 30 },
    );
  });

  it("holds many", () => {
    const index = new PathIndex();
    for (let n = 0; n < 50_000; n++) index.set(`dir/${n}`, 1 + (n % 255));
    for (let n = 0; n < 50_000; n += 97) assert.equal(index.get(`dir/${n}`), 1 + (n % 255));
    assert.equal(index.get("dir/50000"), 0);
  });
});
