import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sweepPartials, writeWhole } from "../../../offline/engine/state/files.js";

describe("stand-in engine: files of the state", () => {
  const directory = mkdtempSync(join(tmpdir(), "state-files-"));
  after(() => rmSync(directory, { recursive: true, force: true }));

  it("sweeps what killed processes had begun to write, and nothing else", () => {
    const ended = spawnSync("true").pid;
    writeWhole(join(directory, "dev.json"), "{}");
    for (const name of [`dev.json.${ended}.partial`, `dev.json.${process.pid}.partial`, "dev.json.attrs"]) writeFileSync(join(directory, name), "");
    sweepPartials(directory);
    sweepPartials(join(directory, "not-there"));
    assert.deepEqual(readdirSync(directory).sort(), ["dev.json", `dev.json.${process.pid}.partial`, "dev.json.attrs"].sort());
    assert.equal(readFileSync(join(directory, "dev.json"), "utf8"), "{}");
  });
});
