import assert from "node:assert/strict";
import fc from "fast-check";
import { isUnchanged, type Listing, readListing } from "../../../components/backup/unchanged/listing.js";

const BOOT = "5d3c0f1e-0000-4000-8000-000000000000";
const TAKEN = "1700000100.250000000";

interface Item {
  path?: string;
  mtime?: string;
  ctime?: string;
  size?: number;
  inode?: number;
  system?: string;
  link?: string;
}

/** As find prints it. */
function item({ path = "./a", mtime = "1700000000.1000000000", ctime = mtime, size = 3, inode = 7, system = "ext4", link = "" }: Item): string {
  return `${path}\0f ${size} ${mtime} ${ctime} ${inode} 1 0 0 644 64768 ${system}\0${link}\0`;
}

const printed = (items: readonly Item[], taken = TAKEN, boot = BOOT): string => `${taken}\0${boot}\0${[{ path: "." }, ...items].map(item).join("")}`;

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

const read = (text: string, size = 64 * 1024, created = "2026-01-01T00:00:00Z"): Promise<Listing | null> => readListing(inPieces(text, size), created);
const digest = async (items: readonly Item[], boot = BOOT): Promise<string | undefined> => (await read(printed(items, TAKEN, boot)))?.digest;

describe("backup/unchanged: a listing", () => {
  it("is the same however it comes in, and another for whatever differs of an entry, or for another boot", async () => {
    const whole = printed([{ path: "./a b\nc" }, { path: "./ä", link: "a" }]);
    const once = await read(whole);
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (size) => assert.deepEqual(await read(whole, size), once)), { numRuns: 40 });
    const same = await digest([{}]);
    const changes: Item[] = [{ path: "./b" }, { mtime: "1700000000.1000000001" }, { ctime: "1700000000.1000000001" }, { size: 4 }, { inode: 8 }, { link: "x" }];
    for (const change of changes) assert.notEqual(await digest([change]), same, JSON.stringify(change));
    for (const items of [[], [{}, {}]]) assert.notEqual(await digest(items), same);
    assert.notEqual(await digest([{}], "another"), same);
    assert.equal((await read(printed([{}], "1700000999.0")))?.digest, same, "when it was made is no part of it");
  });

  it("tells when it was made, and the newest change of content or of anything else", async () => {
    const listing = await read(printed([{ mtime: "1700000005.5000000000" }, { ctime: "1700000009.7500000000" }, {}]));
    assert.deepEqual([listing?.takenAt, listing?.newest, listing?.volumeCreated], [1_700_000_100.25, 1_700_000_009.75, "2026-01-01T00:00:00Z"]);
  });

  it("lists a file that is older than 1970", async () => {
    const listing = await read(printed([{ mtime: "-152578677.5000000000", ctime: "1700000009.7500000000" }]));
    assert.equal(listing?.newest, 1_700_000_009.75);
  });

  it("is none where times are not to be relied on, even of one file", async () => {
    for (const system of ["nfs4", "tmpfs", "overlay", "fuse.sshfs", "", "9p"]) assert.equal(await read(printed([{}, { system }, {}])), null, system);
    for (const system of ["ext4", "xfs", "btrfs"]) assert.notEqual(await read(printed([{ system }])), null, system);
  });

  it("is refused where it is cut, or is something else", async () => {
    const whole = printed([{}, {}]);
    for (let length = 0; length < whole.length; length += 1) {
      // Cut behind an entry it is a listing of fewer: the reader's exit code tells that.
      const cut = whole.slice(0, length);
      const entries = cut.split("\0").length - 3;
      if (cut.endsWith("\0") && entries > 0 && entries % 3 === 0) continue;
      await assert.rejects(read(cut), /cut|for a time/, `${length}`);
    }
    await assert.rejects(read("find: unknown predicate\0x\0.\0f 1 a b 1\0\0"), /for a time/);
  });
});

describe("backup/unchanged: two listings", () => {
  const listing = (change: Partial<Listing> = {}): Listing => ({ digest: "d".repeat(64), takenAt: 100, newest: 50, volumeCreated: "c", ...change });
  const later = listing({ takenAt: 200 });

  it("mean unchanged files when they are equal, and the first was settled", () => {
    assert.equal(isUnchanged(listing(), later), true);
    assert.equal(isUnchanged(listing({ newest: 98 }), listing({ newest: 98, takenAt: 101 })), true);
  });

  it("mean nothing otherwise: differences, a change just before the first, a clock set back, a volume that was made anew", () => {
    for (const [then, now] of [
      [null, later], [listing(), null], [listing({ digest: "e".repeat(64) }), later], [listing({ newest: 98.5 }), later], [listing({ newest: 1000 }), later],
      [listing(), listing({ takenAt: 99 })], [listing(), listing()], [listing({ volumeCreated: "b" }), later], [listing({ volumeCreated: "" }), listing({ volumeCreated: "", takenAt: 200 })],
    ] as const) assert.equal(isUnchanged(then, now), false, JSON.stringify([then, now]));
  });
});
