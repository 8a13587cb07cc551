import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAKE } from "../../components/runtime/code-cache.js";
import { ROOT } from "../support/project.js";

describe("runtime/code-cache", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "pbjrag-code-cache-"));
    write("one");
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const write = (word: string): void => writeFileSync(join(dir, "x.code.cjs"), `module.exports = async () => ({
    word: ${JSON.stringify(word)}, here: __dirname, file: __filename, version: require("./beside.json").version });`);

  /** What the program gives, and whether V8 took the cache, in a fresh process. */
  function run(env: NodeJS.ProcessEnv = {}): { rejected: boolean | null; given: Record<string, unknown> } {
    writeFileSync(join(dir, "beside.json"), '{"version":"1.2.3"}');
    const code = `
      const vm = require("node:vm"), { load } = require(process.argv[1]);
      let script; const Script = vm.Script;
      vm.Script = class extends Script { constructor(...args) { super(...args); script = this; } };
      load(process.argv[2], "x")().then((given) => console.log(JSON.stringify({ rejected: script.cachedDataRejected ?? null, given })));`;
    return JSON.parse(execFileSync(process.execPath, ["-e", code, join(ROOT, "dist/components/runtime/code-cache.js"), dir], { env: { ...process.env, ...env }, encoding: "utf8" })) as ReturnType<typeof run>;
  }

  it("runs a program as require would, with and without a cache", () => {
    const given = { word: "one", here: dir, file: join(dir, "x.code.cjs"), version: "1.2.3" };
    assert.deepEqual(run(), { rejected: null, given });
    assert.deepEqual(run({ [MAKE]: "another" }), { rejected: null, given });
    assert.equal(existsSync(join(dir, "x.cache")), false, "it is made when it is asked for");
    run({ [MAKE]: "x" });
    assert.deepEqual(run(), { rejected: false, given });
  });

  it("goes on without a cache of something else", () => {
    run({ [MAKE]: "x" });
    write("another");
    const { rejected, given } = run();
    assert.deepEqual([rejected, given["word"]], [true, "another"]);
    writeFileSync(join(dir, "x.cache"), "none");
    assert.deepEqual([run().rejected, run().given["word"]], [true, "another"]);
  });

  it("is made for each program of this project, and taken by V8", () => {
    for (const name of ["cli", "program", "provider", "backup", "restore"]) {
      const file = join(ROOT, "dist", `${name}.cache`);
      assert.ok(statSync(file).size > 100_000, name);
      const flags = name === "program" ? ["--allow-natives-syntax"] : [];
      const code = `
        const { readFileSync } = require("node:fs"), { wrap } = require("node:module"), vm = require("node:vm"), file = process.argv[1];
        const script = new vm.Script(wrap(readFileSync(file + ".code.cjs", "utf8")), { filename: file + ".code.cjs", cachedData: readFileSync(file + ".cache") });
        process.stdout.write(String(script.cachedDataRejected));`;
      assert.equal(execFileSync(process.execPath, [...flags, "-e", code, join(ROOT, "dist", name)], { encoding: "utf8" }), "false", name);
    }
    assert.ok(readFileSync(join(ROOT, "dist/cli.cjs"), "utf8").length < 200);
  });
});
