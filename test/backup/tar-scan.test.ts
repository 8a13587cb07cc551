import assert from "node:assert/strict";
import { TarScanner } from "../../components/backup/tar-scan.js";
import { entryPath } from "../../components/backup/tar-path.js";
import { directory, file, packed } from "../support/crafted.js";

describe("backup/tar-scan", () => {
  it("reads pieces of any size that all come in the same memory", async () => {
    const long = `./a/${"long".repeat(60)}`;
    const archive = await packed([directory("./a/"), file("./a/b", "content"), file(long, Buffer.alloc(3000, 7)), file("./c", "")]);
    for (const size of [1, 100, 511, 513, 700, 100_000]) {
      const seen: string[] = [];
      let body = 0;
      const scanner = new TarScanner({ entry: (entry) => void seen.push(entryPath(entry).toString()), body: (part) => void (body += part.length), end: () => undefined });
      const memory = Buffer.alloc(size);
      for (let at = 0; at < archive.length; at += size) {
        const length = archive.copy(memory, 0, at, Math.min(archive.length, at + size));
        scanner.consume(memory.subarray(0, length));
        memory.fill(0xff);
      }
      scanner.assertWhole();
      assert.deepEqual(seen, ["./a/", "./a/b", long, "./c"], `pieces of ${size}`);
      assert.equal(body, 512 + 3072);
    }
  });
});
