import assert from "node:assert/strict";
import { join } from "node:path";
import { mustRun } from "../../support/processes.js";
import { ROOT } from "../../support/project.js";

describe("offline: modules that are loaded when they are used", () => {
  /** Runs code as a module of the SDK's runner would, in a process of its own. */
  const run = async (code: string): Promise<unknown> => {
    const runner = join(ROOT, "node_modules", "@pulumi", "pulumi", "cmd", "run", "index.js");
    const program = `
      const Module = require("node:module"), sdk = new Module(${JSON.stringify(runner)});
      sdk.filename = sdk.id; sdk.paths = Module._nodeModulePaths(require("node:path").dirname(sdk.id));
      const asked = (name) => sdk.require(name), loaded = (part) => Object.keys(require.cache).some((file) => file.includes(part));
      process.stdout.write(JSON.stringify((() => { ${code} })()));`;
    const { stdout } = await mustRun(process.execPath, ["--require", join(ROOT, "dist", "offline", "engine", "lazy-modules.js"), "-e", program], { cwd: ROOT });
    return JSON.parse(stdout);
  };

  it("the compiler, with all that it has", async () => {
    assert.deepEqual(
      await run(`const ts = asked("typescript"); const before = loaded("/typescript.js"); return [before, ts.createSourceFile("a.ts", "1", ts.ScriptTarget.Latest).statements.length, loaded("/typescript.js")];`),
      [false, 1, true],
    );
  });

  it("tracing, whose classes are taken out before they are used", async () => {
    assert.deepEqual(
      await run(`const { NodeTracerProvider } = asked("@opentelemetry/sdk-trace-node"); const { resourceFromAttributes } = asked("@opentelemetry/resources");
        const before = loaded("sdk-trace"); const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ a: "b" }) });
        return [before, typeof provider.register, loaded("sdk-trace")];`),
      [false, "function", true],
    );
  });

  it("what exports a single function, as the default of a module", async () => {
    assert.deepEqual(
      await run(`const normalize = asked("normalize-package-data"); const before = loaded("/normalize-package-data/"); const data = { name: " a ", version: "v1.0.0" };
        normalize.default(data); return [before, data.version, loaded("/normalize-package-data/")];`),
      [false, "1.0.0", true],
    );
  });

  it("Pulumi for programs that run Pulumi, with all that it has", async () => {
    assert.deepEqual(
      await run(`const pulumi = require("@pulumi/pulumi"); const before = loaded("/automation/"); return [before, typeof pulumi.automation.LocalWorkspace, loaded("/automation/")];`),
      [false, "function", true],
    );
  });

  it("not what somebody else asks for", async () => {
    assert.equal(await run(`require("@opentelemetry/sdk-trace-node"); return loaded("sdk-trace");`), true);
  });
});
