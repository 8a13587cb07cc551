import assert from "node:assert/strict";
import { FORMER_HARDENING, hardeningArgs } from "../../components/app/hardening.js";
import { revisionName } from "../../components/release/revision.js";
import { parseRecorded, rollbackConfig, toRecorded } from "../../components/settings/recorded.js";
import { loadSettings } from "../../components/settings/load.js";
import type { RecordedSettings } from "../../components/settings/schema.js";
import { commitOf, World } from "../release/world.js";
import { SAMPLE, settingsOf } from "../settings/sample.js";

const MIB = 1024 * 1024;
const hardened = (hardening: Record<string, unknown>): RecordedSettings => toRecorded(settingsOf({ "pbjrag:app": JSON.stringify({ hardening }) }));
const nameOf = (settings: RecordedSettings): string => revisionName({ tag: "v1.0.0", commit: commitOf("v1.0.0"), settings, env: { A: "1", B: "2" }, secrets: "", generation: "0" });

/** A record as it was written before there was hardening. */
function formerRecord(settings: RecordedSettings): unknown {
  return { ...settings, app: Object.fromEntries(Object.entries(settings.app).filter(([key]) => key !== "hardening")) };
}

describe("app/hardening", () => {
  it("drops capabilities and forbids new privileges unless config says otherwise; the files of its image stay writable", () => {
    const { hardening } = settingsOf({}, "prod").app;
    assert.deepEqual(hardeningArgs(hardening), { securityOpts: ["no-new-privileges:true"], capabilities: { drops: ["ALL"] } });
    assert.deepEqual(hardeningArgs({ ...hardening, noNewPrivileges: false, dropCapabilities: false }), {});
  });

  it("gives an app that cannot write to its image directories in memory, of a size", () => {
    const { hardening } = settingsOf({ "pbjrag:app": '{"hardening":{"readOnlyRoot":true,"writable":["/tmp","/root/.streamlit"],"writableSize":"32MiB"}}' }).app;
    const options = `rw,noexec,nosuid,nodev,mode=1777,size=${32 * MIB}`;
    assert.deepEqual(hardeningArgs(hardening), { securityOpts: ["no-new-privileges:true"], capabilities: { drops: ["ALL"] }, readOnly: true, tmpfs: { "/root/.streamlit": options, "/tmp": options } });
    assert.equal(hardeningArgs({ ...hardening, writable: [] }).tmpfs, undefined);
  });

  it("keeps the containers, and so the name, of a release that is recorded without it", () => {
    const read = parseRecorded(formerRecord(hardened({})));
    assert.ok("settings" in read);
    assert.deepEqual(read.settings.app.hardening, FORMER_HARDENING);
    assert.deepEqual(hardeningArgs(FORMER_HARDENING), { securityOpts: ["no-new-privileges:true"] });
    // As the program made it before hardening could be configured.
    assert.equal(nameOf(read.settings), "v1.0.0-69fc8c31");
    const again = loadSettings({ stack: "dev", config: rollbackConfig(SAMPLE, read.settings) });
    assert.ok("settings" in again);
    assert.equal(nameOf(toRecorded(again.settings)), nameOf(read.settings), "also through the config of a rollback");
  });

  it("makes another revision where it has another effect", () => {
    const names = [{}, { dropCapabilities: false }, { noNewPrivileges: false }, { readOnlyRoot: true }, { readOnlyRoot: true, writableSize: "32MiB" }, { readOnlyRoot: true, writable: [] }].map((one) => nameOf(hardened(one)));
    assert.equal(new Set(names).size, names.length);
    assert.equal(nameOf(hardened({ writableSize: "32MiB" })), nameOf(hardened({})), "without a read-only root nothing is mounted");
    assert.equal(nameOf(hardened({ readOnlyRoot: true, writable: ["/b", "/a"] })), nameOf(hardened({ readOnlyRoot: true, writable: ["/a", "/b"] })));
  });

  it("leaves a former release as it was recorded, and goes back to it while it is warm", () => {
    const world = new World();
    const plain = { more: { "pbjrag:app": '{"hardening":{"dropCapabilities":false}}' } };
    const first = world.up("v1.0.0", plain);
    world.ledger = world.ledger.map((record) => {
      const read = parseRecorded(formerRecord(record.settings));
      assert.ok("settings" in read);
      return { ...record, settings: read.settings };
    });
    const second = world.up("v2.0.0");
    assert.equal(second.former?.revision, first.serving.revision);
    assert.deepEqual(hardeningArgs(second.former.settings.app.hardening), hardeningArgs(FORMER_HARDENING));
    assert.deepEqual(hardeningArgs(second.serving.settings.app.hardening).capabilities, { drops: ["ALL"] });
    const back = world.plan("v1.0.0", plain);
    assert.deepEqual([back.kind, back.serving.revision], ["rollback", first.serving.revision]);
  });

  it("is refused where it cannot be", () => {
    const refused = (hardening: Record<string, unknown>): string[] => {
      const loaded = loadSettings({ stack: "dev", config: { ...SAMPLE, "pbjrag:app": JSON.stringify({ memory: "64MiB", hardening }) } });
      return "problems" in loaded ? loaded.problems.map(({ subject }) => subject) : [];
    };
    assert.deepEqual(refused({ readOnlyRoot: true, writable: ["/tmp", "/var/cache"], writableSize: "64MiB" }), []);
    for (const writable of [["tmp"], ["/"], ["/a/../b"], ["/app"], ["/app/uploads"], ["/app/uploads/x"], ["/tmp", "/tmp"]]) {
      assert.deepEqual(refused({ writable }), ["pbjrag:app.hardening.writable"], writable.join());
    }
    for (const writableSize of ["128MiB", "1KiB"]) assert.deepEqual(refused({ readOnlyRoot: true, writableSize }), ["pbjrag:app.hardening.writableSize"]);
    assert.deepEqual(refused({ capabilities: ["CHOWN"] }), ["pbjrag:app.hardening.capabilities"]);
  });
});
