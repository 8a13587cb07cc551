import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { hasEntriesHere, measureHere, nanoseconds, parsePathStat } from "../../components/backup/host-volume.js";

describe("backup: a volume on this host", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "host-volume-"));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it("reads a time as Docker tells it, to the nanosecond and in any zone", () => {
    assert.equal(nanoseconds("1970-01-01T00:00:01.000000001Z"), 1_000_000_001n);
    assert.equal(nanoseconds("2026-11-29T13:50:36.5+01:00"), BigInt(Date.UTC(2026, 10, 29, 12, 50, 36)) * 1_000_000n + 500_000_000n);
    assert.equal(nanoseconds("2026-11-29T12:50:36Z"), BigInt(Date.UTC(2026, 10, 29, 12, 50, 36)) * 1_000_000n);
    for (const other of ["", "yesterday", "2026-11-29", "2026-11-29T12:50:36.1234567891Z", "2026-11-29T12:50:36"]) assert.equal(nanoseconds(other), null, other);
  });

  it("takes what Docker tells of a path, and does without where one tells nothing", () => {
    const told = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");
    const stat = { size: 4096, mtime: "2026-11-29T12:50:36.5Z" };
    assert.deepEqual(parsePathStat(told({ name: "_data", mode: 2147484141, linkTarget: "", ...stat })), stat);
    for (const none of [undefined, "", "?", told({ size: 4096 }), told(null)]) assert.equal(parsePathStat(none), null, String(none));
  });

  it("tells whether a directory has anything in it, and follows no link", async () => {
    assert.equal(await hasEntriesHere(root, ""), false);
    mkdirSync(path.join(root, "full"));
    writeFileSync(path.join(root, "full/file"), "x");
    symlinkSync("full", path.join(root, "link"));
    assert.deepEqual(await Promise.all(["", "full", "link", "missing", "full/file"].map((one) => hasEntriesHere(root, one))), [true, true, null, null, null]);
  });

  it("measures volumes that all are here", async () => {
    const uploads = path.join(root, "uploads/_data");
    mkdirSync(uploads, { recursive: true });
    writeFileSync(path.join(uploads, "file"), Buffer.alloc(1024 * 1024, 1));
    const measured = await measureHere([["uploads", uploads]], 9_999.5);
    assert.ok(measured !== null);
    assert.equal(measured.used.qdrant, 0);
    assert.ok(measured.used.uploads >= 1024 * 1024 && measured.used.uploads < 1100 * 1024, String(measured.used.uploads));
    assert.ok(measured.docker.total > measured.docker.free && measured.docker.free > 0);
    assert.equal(await measureHere([["uploads", uploads], ["qdrant", null]], 10_000), null);
    assert.equal(await measureHere([["uploads", path.join(root, "missing")]], 10_000), null);
    assert.equal(await measureHere([], 10_000), null);
  });
});
