import assert from "node:assert/strict";
import { StoredBytes } from "../../components/backup/stored.js";

describe("backup/stored", () => {
  /** The bytes that a file takes, given in pieces of a length. */
  function stored(files: readonly Buffer[], piece: number): number {
    const counted = new StoredBytes();
    for (const file of files) {
      for (let at = 0; at < file.length; at += piece) counted.content(file.subarray(at, at + piece));
      counted.end();
    }
    return counted.bytes;
  }

  const file = (length: number, ...held: number[]): Buffer => {
    const bytes = Buffer.alloc(length);
    for (const at of held) bytes[at] = 1;
    return bytes;
  };

  for (const piece of [1, 512, 4096, 5000, 1024 * 1024]) {
    it(`counts the units of 4 KiB that hold anything, in pieces of ${piece}`, () => {
      assert.equal(stored([], piece), 0);
      assert.equal(stored([file(0)], piece), 0);
      assert.equal(stored([file(100_000)], piece), 0, "a hole");
      assert.equal(stored([file(1, 0)], piece), 4096);
      assert.equal(stored([file(100_000, 4095, 4096, 99_999)], piece), 3 * 4096);
      assert.equal(stored([file(10, 9), file(8192), file(4097, 4096)], piece), 2 * 4096, "each file by itself");
    });
  }
});
