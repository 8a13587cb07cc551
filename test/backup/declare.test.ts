import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { type BackupArgs, declareBackup, parseOutcome } from "../../components/backup/backup.js";
import { backupRequestSchema, noBackup } from "../../components/backup/model.js";
import { backupRequest } from "../../components/backup/request.js";
import { Qdrant } from "../../components/qdrant/qdrant.js";
import { declareRestore } from "../../components/restore/restore.js";
import { engineTimeout } from "../../components/runtime/allowance.js";
import { labelList } from "../../components/runtime/labels.js";
import { stackNames } from "../../components/release/names.js";
import { defaultsFor } from "../../components/settings/defaults.js";
import { toRecorded } from "../../components/settings/recorded.js";
import { type Settings, settingsSchema } from "../../components/settings/schema.js";

const KEY = "planted-api-key-0123456789";
const SECRET = "planted-env-secret-987654";
const names = stackNames("t");

const settings: Settings = (() => {
  const parsed = settingsSchema.parse({ ...defaultsFor("dev"), version: "v2", source: "https://user:token@host/repo.git" });
  return { ...parsed, qdrant: { ...parsed.qdrant, apiKey: KEY }, app: { ...parsed.app, secretEnv: { S: SECRET } } };
})();

const release = (tag: string) => ({ tag, commit: "c".repeat(40), revision: `${tag}-00000000` });

function plan(): BackupArgs["plan"] {
  const recorded = toRecorded(settings);
  return {
    stack: "t",
    serving: { settings: recorded },
    backup: {
      resource: "backup-before-v2", kind: "pre-deploy", triggers: ["v2-00000000", ""], of: release("v1"), before: release("v2"), skipReason: "",
      settings: { ...recorded, version: "v1" }, qdrantImage: "qdrant/qdrant:v1.19.0", scratch: { cpus: 1, memory: 1024 ** 3 }, deadlineMs: 60_000,
      storage: { qdrant: "0", uploads: "0" }, pause: null,
    },
  };
}

interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

describe("backup/request, backup/backup, qdrant/qdrant", () => {
  const registered: Registered[] = [];

  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: (args) => {
        registered.push({ type: args.type, name: args.name, inputs: args.inputs as Record<string, unknown> });
        return { id: `${args.name}-id`, state: { ...(args.inputs as object), stdout: JSON.stringify(noBackup("mocked")) } };
      },
      call: (args) => args.inputs as Record<string, unknown>,
    });
  });

  beforeEach(() => {
    registered.length = 0;
  });

  const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));
  const one = (type: string, name: string): Record<string, unknown> => {
    const found = registered.find((resource) => resource.type === type && resource.name === name);
    assert.ok(found, `${type} ${name} among ${registered.map((resource) => resource.name).join(", ")}`);
    return found.inputs;
  };

  it("asks for the same from the same plan, with the settings of the release whose data it is, and no secret", () => {
    const request = backupRequest(plan(), settings, names);
    assert.deepEqual(backupRequest(plan(), settings, names), request);
    assert.deepEqual(backupRequestSchema.parse(JSON.parse(JSON.stringify(request))), JSON.parse(JSON.stringify(request)));
    assert.equal(request.settings.version, "v1");
    assert.equal(request.settings.source, "https://host/repo.git");
    const text = JSON.stringify(request);
    for (const secret of [KEY, SECRET, "token"]) assert.ok(!text.includes(secret), secret);
    assert.ok(!text.includes(process.cwd()));
  });

  it("asks for a pause of writes where the plan has one, and says nothing of it where not", () => {
    const quiet = plan();
    assert.equal("pause" in backupRequest(quiet, settings, names), false, "a stack that pauses nothing has the request that it had");
    const pause = { until: "route", leaseMs: 720_000 } as const;
    assert.deepEqual(backupRequest({ ...quiet, backup: { ...quiet.backup, pause } }, settings, names).pause, pause);
  });

  it("asks for today's settings before the first release", () => {
    const second = plan();
    const first = { ...second, backup: { ...second.backup, of: null, settings: null } };
    assert.equal(backupRequest(first, settings, names).settings.version, "v2");
  });

  it("declares a command keyed on the triggers, with no delete script", async () => {
    const { outcome } = declareBackup({ plan: plan(), settings, names }, {});
    assert.deepEqual(await value(outcome), noBackup("mocked"));
    const inputs = one("command:local:Command", "backup-before-v2");
    assert.equal(inputs.create, "node dist/components/backup/main.js");
    assert.equal(inputs.delete, undefined);
    assert.deepEqual(inputs.triggers, ["v2-00000000", ""]);
    assert.deepEqual(Object.keys(inputs.environment as object), ["PBJRAG_BACKUP"]);
  });

  it("gives the engine a time-out that no amount of data can reach", async () => {
    const seen: pulumi.ResourceOptions[] = [];
    const transformations: pulumi.ResourceTransformation[] = [({ opts }) => void seen.push(opts)];
    await value(declareBackup({ plan: plan(), settings, names }, { transformations }).outcome);
    const restore = { resource: "restore-g1", generation: "g1", parts: ["qdrant"] as const, from: "pre-deploy-20260101-000000", deadlineMs: 60_000 };
    await value(declareRestore({ stack: "t", plan: { ...restore, parts: [...restore.parts] }, names, dataDir: ".", qdrantImage: "q", pauseMs: null, ownBackup: "" }, { transformations }).command.urn);
    assert.deepEqual(seen.map(({ customTimeouts }) => customTimeouts), [{ create: engineTimeout(60_000) }, { create: engineTimeout(60_000) }]);
  });

  it("takes no other output for an outcome", () => {
    assert.throws(() => parseOutcome(""));
    assert.throws(() => parseOutcome("{}"));
  });

  it("declares Qdrant on loopback, limited, with volumes that stay", async () => {
    const qdrant = new Qdrant("qdrant", { stack: "t", settings, names, generation: "0", parts: ["qdrant", "uploads"], network: "net", keepEnv: false, adopted: false });
    assert.ok(qdrant.container !== null);
    await value(qdrant.container.name);
    const container = one("docker:index/container:Container", "qdrant-0");
    assert.equal(container.name, names.qdrantContainer("0"));
    assert.deepEqual(container.ports, [{ internal: 6333, ip: "127.0.0.1" }]);
    assert.equal(container.memory, container.memorySwap);
    assert.deepEqual([container.cpuPeriod, container.cpuQuota, container.cpus], [100_000, settings.qdrant.cpus * 100_000, undefined]);
    assert.equal(container.restart, "always");
    assert.deepEqual(container.securityOpts, ["no-new-privileges:true"]);
    assert.deepEqual(container.volumes, [{ volumeName: names.qdrantVolume("0"), containerPath: "/qdrant/storage" }]);
    assert.equal(await pulumi.isSecret(qdrant.container.envs), true);
    for (const [child, name] of [["qdrant-storage", names.qdrantVolume("0")], ["qdrant-uploads", names.uploadsVolume("0")]] as const) {
      assert.equal(one("docker:index/volume:Volume", child).name, name);
    }
  });

  it("declares of a later generation what is in use, under names of its own", async () => {
    const qdrant = new Qdrant("qdrant-g2", { stack: "t", settings, names, generation: "g2", parts: ["qdrant"], network: "net", keepEnv: false, adopted: false });
    assert.ok(qdrant.container !== null && qdrant.uploadsVolume === null);
    await value(qdrant.container.name);
    const container = one("docker:index/container:Container", "qdrant-g2");
    assert.deepEqual([container.name, container.volumes], ["pbjrag-t-qdrant-g2", [{ volumeName: "pbjrag-t_qdrant_storage-g2", containerPath: "/qdrant/storage" }]]);
    const volume = one("docker:index/volume:Volume", "qdrant-g2-storage");
    assert.deepEqual([volume.name, volume.labels], ["pbjrag-t_qdrant_storage-g2", labelList({ stack: "t", role: "data", generation: "g2" })]);
    assert.equal(registered.some(({ name }) => name === "qdrant-g2-uploads"), false);
  });

  it("asks for the data of the release that is left, wherever it lies", () => {
    const other = plan();
    const request = backupRequest({ ...other, backup: { ...other.backup, storage: { qdrant: "g2", uploads: "0" } } }, settings, names);
    assert.deepEqual([request.qdrantVolume, request.uploadsVolume, request.qdrantContainer], ["pbjrag-t_qdrant_storage-g2", names.uploadsVolume("0"), "pbjrag-t-qdrant-g2"]);
  });
});
