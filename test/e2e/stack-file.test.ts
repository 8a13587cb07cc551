/** Tags and values that YAML takes for something else than text, through a stack's whole life. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { ReleaseRecord } from "../../components/release/model.js";
import { TinyStack } from "../support/tiny-stack.js";

/** Neighbours in forms that no writer would choose. */
const NEIGHBOURS = `    other:umask:   010   # theirs
    other:list: [1_000,
        2]
`;

describe("a stack's file", function () {
  this.timeout(900_000);
  let tiny: TinyStack;
  let file: string;
  before(async () => {
    tiny = await TinyStack.open("yaml");
    file = path.join(tiny.project.dir, `Pulumi.${tiny.project.stack}.yaml`);
    // Set as another tool may have left it, four columns wide.
    const text = readFileSync(file, "utf8").replaceAll(/^( +)/gm, "$1$1");
    writeFileSync(file, `${text.trimEnd()}\n${NEIGHBOURS}`);
  });
  after(() => tiny.remove());

  const releases = async (): Promise<string[]> =>
    (JSON.parse((await tiny.project.pulumi(["stack", "output", "releases", "--json"])).stdout) as ReleaseRecord[]).map(({ tag }) => tag);

  it("takes tags that are a day, or a number, and leaves what others have in it to the byte", async () => {
    for (const tag of ["2026-11-30", "2026_12_01", "1.10"]) {
      tiny.commit(tag);
      const { all } = await tiny.released(tag);
      assert.match(all, /other:umask: 010 is 8 to Pulumi; write "010" if that is meant/);
      const text = readFileSync(file, "utf8");
      assert.ok(text.includes(`    pbjrag:version: "${tag}"\n`), text);
      assert.ok(text.includes(NEIGHBOURS), text);
    }
    assert.deepEqual(await releases(), ["2026-11-30", "2026_12_01", "1.10"]);
    const again = await tiny.deploy("1.10");
    assert.match(again.lastLine, /^DONE \(exit 0\): 1\.10 runs already/, again.all);
  });

  it("goes back to one", async () => {
    const back = await tiny.project.script("rollback", ["2026-11-30", "--yes"]);
    assert.equal(back.exitCode, 0, back.all);
    assert.deepEqual((await releases()).at(-1), "2026-11-30");
    assert.ok(readFileSync(file, "utf8").includes(NEIGHBOURS));
    assert.ok(readFileSync(file, "utf8").includes('pbjrag:version: "2026-11-30"'));
  });
});
