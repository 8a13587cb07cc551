import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { fileEntries } from "../../components/backup/index/files.js";
import type { FileEntry } from "../../components/backup/index/format.js";
import { TarError } from "../../components/backup/tar-header.js";
import { TarRebase } from "../../components/backup/tar-rebase.js";
import { directory, file, hardlink, packed, reseal, symlink, type TarFile, unpacked } from "../support/crafted.js";

/** In pieces of these sizes, over and over. */
function pieces(data: Buffer, sizes: readonly number[]): Buffer[] {
  const result: Buffer[] = [];
  for (let at = 0, n = 0; at < data.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    result.push(data.subarray(at, at + size));
    at += size;
  }
  return result;
}

async function rebased(archive: Buffer, base = "storage", sizes = [700]): Promise<{ archive: Buffer; rebase: TarRebase }> {
  const rebase = new TarRebase(base);
  let result = Buffer.alloc(0);
  await pipeline(Readable.from(pieces(archive, sizes), { objectMode: false }), rebase, async (chunks) => {
    result = await buffer(chunks);
  });
  return { archive: result, rebase };
}

describe("backup/tar-rebase", () => {
  it("makes entries relative to the directory and keeps all else", async () => {
    const links = [symlink("storage/s", "storage/a"), hardlink("storage/h", "storage/a")];
    const { archive, rebase } = await rebased(await packed([directory("storage/"), file("storage/a", "content"), ...links]));
    const [root, a, s, h] = await unpacked(archive);
    assert.deepEqual([root?.header.name, root?.header.uid, root?.header.mode], ["./", 1000, 0o755]);
    assert.deepEqual([a?.header.name, a?.header.uid, a?.header.gid, a?.header.mode, a?.header.mtime?.getTime()], ["./a", 12, 34, 0o640, 1_700_000_000_000]);
    assert.equal(a?.content.toString(), "content");
    assert.deepEqual([s?.header.name, s?.header.linkname], ["./s", "storage/a"], "a symbolic link's target is its own business");
    assert.deepEqual([h?.header.name, h?.header.linkname], ["./h", "./a"]);
    assert.deepEqual([rebase.files, rebase.bytes, rebase.leftOut], [2, 7, 0]);
  });

  it("holds for names of any length and script, contents and pieces", async () => {
    const segment = fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 }).filter((text) => !/[/\0]/.test(text) && text !== "." && text !== "..");
    const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const files = fc.uniqueArray(fc.record({ name, content: fc.uint8Array({ maxLength: 1500 }) }), { selector: (one) => one.name, maxLength: 6 });
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(files, sizes, async (all, chunks) => {
        const given = all.map((one) => file(`uploads/${one.name}`, Buffer.from(one.content)));
        const { archive, rebase } = await rebased(await packed([directory("uploads/"), ...given]), "uploads", chunks);
        const [, ...found] = await unpacked(archive);
        assert.deepEqual(found.map((one) => one.header.name), all.map((one) => `./${one.name}`));
        assert.deepEqual(found.map((one) => one.content.toString("hex")), all.map((one) => Buffer.from(one.content).toString("hex")));
        assert.equal(rebase.bytes, all.reduce((sum, one) => sum + one.content.length, 0));
        const listed: FileEntry[] = [];
        for await (const entry of fileEntries(Readable.from(pieces(await packed([directory("uploads/"), ...given]), chunks), { objectMode: false }), "uploads")) listed.push(entry);
        assert.deepEqual(listed, all.map((one) => ({ type: "file", path: one.name, size: one.content.length, content: createHash("sha256").update(one.content).digest("hex") })));
      }),
      { numRuns: 150 },
    );
  });

  it("lists links with where they lead, and neither directories nor what is left out", async () => {
    const links = [hardlink("u/h", "u/d/a"), symlink("u/s", "d/a"), symlink("u/out", "/x")];
    const archive = await packed([directory("u/"), directory("u/d/"), file("u/d/a", ""), ...links]);
    const listed: FileEntry[] = [];
    for await (const entry of fileEntries(Readable.from([archive]), "u")) listed.push(entry);
    const empty = createHash("sha256").digest("hex");
    assert.deepEqual(listed.map(({ path, content }) => [path, content]), [["d/a", empty], ["h", "hardlink:d/a"], ["s", "symlink:d/a"]]);
    await assert.rejects(async () => {
      for await (const entry of fileEntries(Readable.from([archive.subarray(0, 2000)]), "u")) assert.ok(entry);
    }, TarError);
  });

  it("keeps names that are not UTF-8 byte by byte", async () => {
    const archive = await packed([file("storage/AAAA")]);
    archive.write("\xff\xfe\x80\xc0", archive.indexOf("AAAA"), "latin1");
    reseal(archive);
    const result = await rebased(archive);
    assert.equal(result.archive.subarray(0, 6).toString("latin1"), "./\xff\xfe\x80\xc0");
  });

  it("leaves devices and pipes out, and counts them", async () => {
    const pipe: TarFile = { header: { name: "storage/p", type: "fifo" }, content: Buffer.alloc(0) };
    const device: TarFile = { header: { name: "storage/d", type: "block-device", devmajor: 8, devminor: 0 }, content: Buffer.alloc(0) };
    const { archive, rebase } = await rebased(await packed([pipe, file("storage/a"), device]));
    assert.deepEqual((await unpacked(archive)).map((one) => one.header.name), ["./a"]);
    assert.equal(rebase.leftOut, 2);
  });

  it("leaves links to outside out, and hard links to what is left out", async () => {
    const pipe: TarFile = { header: { name: "storage/p", type: "fifo" }, content: Buffer.alloc(0) };
    const out = [symlink("storage/abs", "/usr/bin/python3"), symlink("storage/up", "../x"), symlink("storage/d/up", "../../x"), symlink("storage/down", "d/../../x")];
    const within = [symlink("storage/d/in", "../a"), symlink("storage/dangling", "none")];
    const archive = await packed([directory("storage/"), directory("storage/d/"), file("storage/a"), ...out, ...within, hardlink("storage/d/hard", "storage/up"), pipe, hardlink("storage/p2", "storage/p")]);
    const result = await rebased(archive);
    assert.deepEqual((await unpacked(result.archive)).map((one) => one.header.name), ["./", "./d/", "./a", "./d/in", "./dangling"]);
    assert.deepEqual([result.rebase.files, result.rebase.leftOut], [1, 7]);
  });

  it("refuses a stream that is cut anywhere", async () => {
    const whole = await packed([directory("storage/"), file("storage/a", Buffer.alloc(2000, 1)), file(`storage/${"long".repeat(60)}`, "b")]);
    for (let length = 0; length < whole.length - 512; length += 256) {
      await assert.rejects(rebased(whole.subarray(0, length)), TarError, `cut at ${length} of ${whole.length}`);
    }
  });

  it("refuses what is outside the directory, damaged headers and what follows the end", async () => {
    await assert.rejects(rebased(await packed([file("storage2/a")])), TarError);
    await assert.rejects(rebased(await packed([file("../storage/a")])), TarError);
    await assert.rejects(rebased(await packed([hardlink("storage/h", "other/a")])), TarError);
    const whole = await packed([file("storage/a")]);
    await assert.rejects(rebased(Buffer.concat([whole, whole])), TarError);
    whole[3] = 0x41;
    await assert.rejects(rebased(whole), TarError);
  });

  it("knows sizes of 8 GiB and more", async () => {
    const size = 9 * 1024 ** 3;
    const header = (await packed([file("storage/big", "")])).subarray(0, 512);
    header.fill(0, 124, 136);
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
    reseal(header);
    const rebase = new TarRebase("storage");
    rebase.resume();
    await new Promise<void>((resolve, reject) => rebase.write(header, (error) => (error ? reject(error) : resolve())));
    assert.equal(rebase.bytes, size);
    rebase.destroy();
  });
});
