import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Gate } from "../../components/gate/gate.js";
import type { GateInputs } from "../../components/gate/model.js";
import { providerShell, type Room } from "../../components/runtime/dynamic.js";

/** The text that the SDK would write into the state. */
async function serialised(room: Room): Promise<string> {
  const provider = providerShell(room);
  const { text, containsSecrets } = await pulumi.runtime.serializeFunction(() => provider, { allowSecrets: true });
  assert.equal(containsSecrets, false);
  return text;
}

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
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  async function call(room: Room, ...call: unknown[]): Promise<unknown> {
    const requireFromString = require.resolve("require-from-string", { paths: [dirname(require.resolve("@pulumi/pulumi"))] });
    return JSON.parse(execFileSync(process.execPath, ["-e", LOADER, requireFromString, JSON.stringify(call)], { cwd: dir, input: await serialised(room), encoding: "utf8" }));
  }

  const props = { a: 1, __provider: "text" };

  it("loads the room's handler in a fresh process and keeps the engine's own input from it", async () => {
    assert.deepEqual(await call("traffic/route", "create", props), { id: "id-1", outs: { a: 1, keys: ["a"] } });
    assert.deepEqual(await call("traffic/route", "diff", "id-1", props, { a: 1, __provider: "newer" }), { changes: false });
    assert.deepEqual(await call("traffic/route", "update", "id-1", props, { a: 2 }), { outs: { a: 2, was: 1 } });
    assert.deepEqual(await call("traffic/route", "delete", "id-1", props), null);
    assert.deepEqual(await call("traffic/route", "read", "id-1", props), { id: "id-1", props });
  });

  it("turns problems into failures of the check", async () => {
    assert.deepEqual(await call("traffic/route", "check", {}, { a: 1 }), { inputs: { a: 1 }, failures: [] });
    assert.deepEqual(await call("traffic/route", "check", {}, { bad: true }), { inputs: { bad: true }, failures: [{ property: "bad", reason: "it is bad. Next: make it good" }] });
  });

  it("passes a handler's error on as it is", async () => {
    assert.deepEqual(await call("traffic/route", "create", { fail: true }), { thrown: "what: why. Next: next" });
  });

  it("says what to do when the program is not compiled", async () => {
    const { thrown } = (await call("gate", "create", {})) as { thrown: string };
    assert.match(thrown, /^The compiled handler of gate cannot be loaded: .*Next: run npm ci/);
  });

  it("captures nothing but the room's name, and is the same text in every process", async () => {
    const text = await serialised("gate");
    const captured = [...text.matchAll(/with\(\{ (.*) \}\)/g)].flatMap(([, names = ""]) => names.split(", "));
    const allowed = /^(room: "gate"|load: __f\d|own: __f\d|provider: __provider|this: undefined|arguments: undefined)$/;
    assert.deepEqual(captured.filter((one) => !allowed.test(one)), []);
    assert.ok(!/require\(/.test(text));
    const script = `const { providerShell } = require(${JSON.stringify(require.resolve("../../components/runtime/dynamic.js"))});
      const provider = providerShell("gate");
      require("@pulumi/pulumi").runtime.serializeFunction(() => provider, { allowSecrets: true }).then(({ text }) => process.stdout.write(text));`;
    const other = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    assert.equal(other.stdout, text);
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
