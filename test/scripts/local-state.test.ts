import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { judge, localStateIn } from "../../scripts/cli/local-state.js";
import { fits } from "../../scripts/cli/passphrase.js";

/** Made by the real command with the passphrase `pass`. */
const SALT = "v1:TPPDoLAxWDI=:v1:vOysyhjHCH3G7FFX:7MHaUFMpinA2JQwz3X0qy3L6V+ycGg==";

describe("state in local files", () => {
  const whole = JSON.stringify({ version: 3, checkpoint: { stack: "organization/pbjrag/dev", latest: { secrets_providers: { state: { salt: SALT } } } } });

  it("is told from what is left of one", () => {
    assert.deepEqual(judge(whole), { problem: "", salt: SALT });
    assert.deepEqual(judge(JSON.stringify({ checkpoint: { stack: "x" } })), { problem: "", salt: null });
    assert.match(judge(whole.slice(0, 40)).problem, /^it is cut or overwritten \(40 bytes\)$/);
    assert.match(judge("\n").problem, /it is empty/);
    assert.match(judge("{}").problem, /no state of a stack/);
  });

  it("is found and judged in each form that Pulumi keeps it in, the newest of several", () => {
    const root = mkdtempSync(path.join(tmpdir(), "local-state-"));
    const stacks = path.join(root, ".pulumi/stacks/pbjrag");
    try {
      mkdirSync(stacks, { recursive: true });
      assert.equal(localStateIn(root, "dev"), null);
      for (const [at, [form, packed]] of [["json", Buffer.from(whole)], ["json.gz", gzipSync(whole)], ["json.zst", zstdCompressSync(whole)]].entries() as Iterable<[number, [string, Buffer]]>) {
        const file = path.join(stacks, `dev.${form}`);
        writeFileSync(file, packed);
        utimesSync(file, at, at);
        assert.deepEqual(localStateIn(root, "dev"), { file, problem: "", salt: SALT });
        writeFileSync(file, packed.subarray(0, 40));
        utimesSync(file, at, at);
        assert.match(localStateIn(root, "dev")?.problem ?? "", /^it is cut or overwritten/, form);
        writeFileSync(file, packed);
        utimesSync(file, at, at);
      }
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("tells a wrong passphrase from the right one, as it is written", async () => {
    assert.equal(await fits("pass", SALT), true);
    for (const wrong of ["", "pass\n", "Pass"]) assert.equal(await fits(wrong, SALT), false, wrong);
    assert.equal(await fits("anything", "awskms:whatever"), true);
  });
});
