/** What an app's containers may not do: on Docker, beside a former release that is from before it could be configured. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import Docker from "dockerode";
import { z } from "zod";
import { execIn } from "../../components/runtime/docker-exec.js";
import { containersOf } from "../support/docker.js";
import { assertNoChange } from "../support/preview.js";
import { fullOnly } from "../support/suite.js";
import { TINY, TinyStack } from "../support/tiny-stack.js";

const NO_CAPABILITY = "0000000000000000";

const HARDENED = { ...TINY, hardening: { readOnlyRoot: true, writableSize: "16MiB" } };

/** What is looked at of a state; the rest stays as it is. */
const exportedSchema = z.looseObject({
  deployment: z.looseObject({
    resources: z.array(z.looseObject({
      outputs: z.looseObject({ releases: z.array(z.looseObject({ settings: z.looseObject({ app: z.looseObject({ hardening: z.unknown() }) }) })).optional() }).optional(),
    })),
  }),
});

const list = z.array(z.string()).nullable();
const inspected = z.object({ HostConfig: z.object({ CapDrop: list, SecurityOpt: list, ReadonlyRootfs: z.boolean(), Tmpfs: z.record(z.string(), z.string()).optional() }) });

interface Confinement {
  capabilities: string[];
  securityOpts: string[];
  readOnly: boolean;
  tmpfs: string[];
}

describe("e2e: hardened containers", function () {
  this.timeout(900_000);
  const docker = new Docker();
  let tiny: TinyStack;

  afterEach(() => tiny?.remove());

  /** The one container of a tag. */
  async function containerOf(tag: string): Promise<string> {
    const found = (await containersOf(tiny.project.stack, "app")).filter(({ revision }) => revision.startsWith(`${tag}-`));
    assert.equal(found.length, 1, tag);
    return found[0]?.id ?? "";
  }
  async function confinementOf(tag: string): Promise<Confinement> {
    const { HostConfig: host } = inspected.parse(await docker.getContainer(await containerOf(tag)).inspect());
    return { capabilities: host.CapDrop ?? [], securityOpts: host.SecurityOpt ?? [], readOnly: host.ReadonlyRootfs, tmpfs: Object.keys(host.Tmpfs ?? {}) };
  }
  /** Writes to each place, and tells what failed; then its effective capabilities. */
  async function within(tag: string): Promise<{ denied: string[]; capabilities: string; user: string }> {
    const script = `for at in /app/uploads /tmp /app; do (: > $at/written) 2>/dev/null || echo "denied $at"; done; id -un; sed -n 's/^CapEff:\\t//p' /proc/self/status`;
    const { exitCode, stdout, stderr } = await execIn(await containerOf(tag), ["sh", "-c", script], { timeoutMs: 30_000 });
    assert.equal(exitCode, 0, stderr);
    const lines = stdout.trim().split("\n");
    return { denied: lines.filter((line) => line.startsWith("denied ")).map((line) => line.slice(7)), user: lines.at(-2) ?? "", capabilities: lines.at(-1) ?? "" };
  }
  /** The state as a program left it that knew no hardening. */
  async function forgetHardening(): Promise<void> {
    const exported = await tiny.project.pulumi(["stack", "export"]);
    assert.equal(exported.exitCode, 0, exported.all);
    const state = exportedSchema.parse(JSON.parse(exported.stdout));
    for (const { settings } of state.deployment.resources.flatMap(({ outputs }) => outputs?.releases ?? [])) delete settings.app.hardening;
    const file = path.join(tiny.temporary, "state.json");
    writeFileSync(file, JSON.stringify(state));
    const imported = await tiny.project.pulumi(["stack", "import", "--file", file]);
    assert.equal(imported.exitCode, 0, imported.all);
  }

  it("come beside a former release that has none, and leave it as it is", async () => {
    tiny = await TinyStack.open("hard", { config: { app: { ...TINY, hardening: { dropCapabilities: false } } } });
    for (const tag of ["v1.0.0", "v2.0.0", "v3.0.0"]) tiny.commit(tag);
    await tiny.released("v1.0.0");
    await tiny.fill();
    await forgetHardening();
    const former = await containerOf("v1.0.0");
    tiny.startProbes();

    await tiny.configure({ app: HARDENED });
    await tiny.released("v2.0.0");
    assert.equal(await containerOf("v1.0.0"), former);
    assert.deepEqual(await confinementOf("v2.0.0"), { capabilities: ["ALL"], securityOpts: ["no-new-privileges:true"], readOnly: true, tmpfs: ["/tmp"] });
    assert.deepEqual(await within("v2.0.0"), { denied: ["/app"], user: "root", capabilities: NO_CAPABILITY });
    await assertNoChange(tiny.project);

    const hardened = await containerOf("v2.0.0");
    const back = await tiny.project.script("rollback", ["--yes"]);
    assert.equal(back.exitCode, 0, back.all);
    assert.match(back.all, /v1\.0\.0 serves again/);
    assert.deepEqual([await containerOf("v1.0.0"), await containerOf("v2.0.0")], [former, hardened]);
    assert.deepEqual(await confinementOf("v1.0.0"), { capabilities: [], securityOpts: ["no-new-privileges:true"], readOnly: false, tmpfs: [] });
    // With the config that it was released with.
    await tiny.configure({ version: "v1.0.0" });
    await assertNoChange(tiny.project);

    // Forward, so that v1.0.0 is gone, and back to it: started anew, and as it was recorded.
    await tiny.configure({ app: HARDENED });
    await tiny.released("v2.0.0");
    assert.equal(await containerOf("v2.0.0"), hardened);
    await tiny.released("v3.0.0");
    const cold = await tiny.project.script("rollback", ["v1.0.0", "--yes"]);
    assert.equal(cold.exitCode, 0, cold.all);
    assert.deepEqual(await confinementOf("v1.0.0"), { capabilities: [], securityOpts: ["no-new-privileges:true"], readOnly: false, tmpfs: [] });
    await tiny.answered("v1.0.0", "v2.0.0", "v3.0.0");
  });

  fullOnly(() => {
    it("are the same for an app with a user of its own, which owns its uploads", async () => {
      tiny = await TinyStack.open("hard", { config: { app: HARDENED } });
      tiny.commit("v1.0.0", { dockerfile: ["RUN useradd --system --no-create-home webui && chown webui /app/uploads", "USER webui"] });
      await tiny.released("v1.0.0");
      assert.deepEqual(await within("v1.0.0"), { denied: ["/app"], user: "webui", capabilities: NO_CAPABILITY });
    });

    it("say at the gate what an app lacks, and the former release serves on", async () => {
      tiny = await TinyStack.open("hard", { config: { app: HARDENED } });
      tiny.commit("v1.0.0");
      await tiny.released("v1.0.0");
      tiny.startProbes();
      tiny.commit("v2.0.0", { command: ["sh", "-c", "echo cache > /app/cache && exec python3 /app/app.py"] });
      const ended = await tiny.deploy("v2.0.0");
      assert.equal(ended.exitCode, 3, ended.all);
      assert.match(ended.all, /Read-only file system/);
      await tiny.answered("v1.0.0");
    });
  });
});
