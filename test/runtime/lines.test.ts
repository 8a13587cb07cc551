import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { onLines, settled } from "../../components/runtime/lines.js";

describe("runtime/lines", () => {
  const read = async (...chunks: Buffer[]): Promise<string[]> => {
    const lines: string[] = [];
    await onLines(Readable.from(chunks), (line) => lines.push(line));
    return lines;
  };

  it("cuts at line feeds alone, whatever the pieces, and hands on the last line too", async () => {
    const text = Buffer.from("one\n\nzwei 🥜\nthree 5%\r10%\r\nfour");
    for (const size of [1, 2, 7, text.length]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.subarray(at * size, (at + 1) * size));
      assert.deepEqual(await read(...pieces), ["one", "", "zwei 🥜", "three 5%\r10%\r", "four"]);
    }
    assert.deepEqual(await read(), []);
  });

  it("tells how a rewritten line began and ended", () => {
    assert.equal(settled("+  docker:index:Image image creating (3s) (Reading database ... 5%\r(Reading database ... 10%\r(Reading database ... 9629 files.)"), "+  docker:index:Image image creating (3s) (Reading database ... 5% … (Reading database ... 9629 files.)");
    assert.deepEqual([settled("plain"), settled("with a line end\r"), settled("")], ["plain", "with a line end", ""]);
  });
});
