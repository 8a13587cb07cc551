import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Gate } from "../../components/gate/gate.js";
import type { GateInputs } from "../../components/gate/model.js";
import { providerText } from "../../components/runtime/dynamic.js";
import type { Room } from "../../components/runtime/provider.js";

const HANDLER = `
exports.handler = {
  check: async (news) => news.bad ? [{ subject: "bad", what: "it is bad", next: "make it good" }] : [],
  diff: async (id, olds, news) => ({ changes: JSON.stringify(olds) !== JSON.stringify(news) }),
  create: async (inputs) => { if (inputs.fail) throw new Error("what: why. Next: next"); return { id: "id-1", outs: { ...inputs, keys: Object.keys(inputs) } }; },
  update: async (id, olds, news) => ({ ...news, was: olds.a }),
  remove: async (id, olds) => console.error("removed", id, JSON.stringify(olds)),
};`;

/** Does what the SDK's dynamic-provider does with the text, in a process that has loaded nothing of ours. */
const LOADER = `
let text = "";
process.stdin.on("data", (chunk) => text += chunk).on("end", async () => {
  const provider = require(process.argv[1])(text).handler();
  const [method, ...args] = JSON.parse(process.argv[2]);
  try { console.log(JSON.stringify((await provider[method](...args)) ?? null)); } catch (error) { console.log(JSON.stringify({ thrown: error.message })); }
});`;

describe("runtime/dynamic", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "pbjrag-dynamic-"));
    const file = join(dir, "dist/components/traffic/route/handler.js");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, HANDLER);
    mkdirSync(join(dir, "dist/components/runtime"));
    copyFileSync(require.resolve("../../components/runtime/provider.js"), join(dir, "dist/components/runtime/provider.js"));
    writeFileSync(join(dir, "dist/provider.cjs"), 'module.exports = require("./components/runtime/provider.js");');
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  function call(room: Room, ...call: unknown[]): unknown {
    return run(providerText(room), dir, ...call);
  }
  function run(text: string, cwd: string, ...call: unknown[]): unknown {
    const requireFromString = require.resolve("require-from-string", { paths: [dirname(require.resolve("@pulumi/pulumi"))] });
    return JSON.parse(execFileSync(process.execPath, ["-e", LOADER, requireFromString, JSON.stringify(call)], { cwd, input: text, encoding: "utf8" }));
  }

  const props = { a: 1, __provider: "text" };

  it("loads the room's handler in a fresh process and keeps the engine's own input from it", () => {
    assert.deepEqual(call("traffic/route", "create", props), { id: "id-1", outs: { a: 1, keys: ["a"] } });
    assert.deepEqual(call("traffic/route", "diff", "id-1", props, { a: 1, __provider: "newer" }), { changes: false }, "another text is no change");
    assert.deepEqual(call("traffic/route", "update", "id-1", props, { a: 2 }), { outs: { a: 2, was: 1 } });
    assert.deepEqual(call("traffic/route", "delete", "id-1", props), null);
    assert.deepEqual(call("traffic/route", "read", "id-1", props), { id: "id-1", props });
  });

  it("turns problems into failures of the check", () => {
    assert.deepEqual(call("traffic/route", "check", {}, { a: 1 }), { inputs: { a: 1 }, failures: [] });
    assert.deepEqual(call("traffic/route", "check", {}, { bad: true }), { inputs: { bad: true }, failures: [{ property: "bad", reason: "it is bad. Next: make it good" }] });
  });

  it("passes a handler's error on as it is", () => {
    assert.deepEqual(call("traffic/route", "create", { fail: true }), { thrown: "what: why. Next: next" });
  });

  it("says what to do when the program is not compiled", () => {
    const { thrown } = call("gate", "create", {}) as { thrown: string };
    assert.match(thrown, /^The compiled handler of gate cannot be loaded: .*Next: run npm ci/);
    const empty = mkdtempSync(join(tmpdir(), "pbjrag-dynamic-"));
    try {
      assert.throws(() => run(providerText("gate"), empty, "create", {}), /The compiled provider cannot be loaded: Cannot find module .*Next: run npm ci/s);
    } finally {
      rmSync(empty, { recursive: true });
    }
  });

  it("runs what states have that were written by pulumi.dynamic.Resource", () => {
    const older = `exports.handler = __f0;
var __provider = {create: __f5};
function __f5(__0) { return (function() { with({ load: async () => (await import(\`\${process.cwd()}/dist/components/traffic/route/handler.js\`)).handler, this: undefined, arguments: undefined }) {
return async function /*create*/(inputs) { const handler = await load(); return handler.create(inputs); };
} }).apply(undefined, undefined).apply(this, arguments); }
function __f0() { return (function() { with({ provider: __provider, this: undefined, arguments: undefined }) { return () => provider; } }).apply(undefined, undefined).apply(this, arguments); }`;
    assert.deepEqual(run(older, dir, "create", { a: 1 }), { id: "id-1", outs: { a: 1, keys: ["a"] } });
  });

  it("gives a subclass the engine's outputs", async () => {
    const inputs: GateInputs = {
      stack: "t", revision: "v1-abc", tag: "v1", role: "serving", attempt: "", containers: ["c"], port: 1, healthPath: "/h", scriptPath: "", passes: 1, intervalMs: 1,
      deadlineMs: 1, requestTimeoutMs: 1, secretEnv: [], qdrant: { container: "", before: {} }, dataDir: ".",
    };
    const measured = { passes: 1, rounds: 1, probes: 2, latency: {}, collections: {}, qdrantVersion: "", tookMs: 3 };
    const seen: pulumi.runtime.MockResourceArgs[] = [];
    await pulumi.runtime.setMocks({
      newResource: (args) => {
        seen.push(args);
        return { id: "id", state: { ...(args.inputs as object), measured } };
      },
      call: () => ({}),
    });
    const gate = new Gate("gate-v1-abc", inputs);
    const value = await new Promise((resolve) => pulumi.all([gate.measured, gate.revision]).apply(resolve));
    assert.deepEqual(value, [measured, "v1-abc"]);
    assert.deepEqual(seen.map(({ type, name }) => [type, name]), [["pulumi-nodejs:dynamic/pbjrag:Gate", "gate-v1-abc"]]);
  });
});
