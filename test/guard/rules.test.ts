import assert from "node:assert/strict";
import { FORMER_HARDENING, hardeningArgs } from "../../components/app/hardening.js";
import { CONTAINER, type Declared, guardProblems, IMAGE, isFloating, type Permitted, VOLUME } from "../../components/guard/rules.js";
import { labelList, type Role } from "../../components/runtime/labels.js";
import { containerLimits } from "../../components/runtime/limits.js";
import type { Raw, RawObject } from "../../components/settings/defaults.js";
import { settingsOf } from "../settings/sample.js";

const settings = settingsOf({}, "prod");
const REVISION = "v2-aaaaaaaa";
const FORMER = "v1-bbbbbbbb";
const permitted: Permitted = { environment: "prod", proxy: settings.proxy, hardening: { [REVISION]: { ...settings.app.hardening, readOnlyRoot: true }, [FORMER]: FORMER_HARDENING } };
const LIMITS: RawObject = { ...containerLimits({ cpus: 1, memory: 64 * 1024 * 1024 }) };

const container = (role: Role, props: RawObject, revision?: string): Declared => ({
  type: CONTAINER, name: "c", retainOnDelete: false,
  props: { image: "sha256:1", labels: labelList({ stack: "prod", role, ...(revision === undefined ? {} : { revision }) }), ...LIMITS, ...props },
});
const argsOf = (revision: string): RawObject => JSON.parse(JSON.stringify(hardeningArgs(permitted.hardening[revision] ?? FORMER_HARDENING))) as RawObject;
const app = (props: RawObject = {}, revision = REVISION): Declared => container("app", { ...argsOf(revision), ...props }, revision);
const proxy = (props: RawObject = {}): Declared => container("proxy", { securityOpts: ["no-new-privileges:true"], capabilities: { drops: ["ALL"] }, ports: [{ internal: 8080, external: 8501, ip: "0.0.0.0" }], ...props });
const qdrant = (props: RawObject = {}): Declared => container("qdrant", { securityOpts: ["no-new-privileges:true"], ports: [{ internal: 6333, ip: "127.0.0.1" }], ...props });
const whats = (declared: Declared, to: Permitted = permitted): string[] => guardProblems(declared, to).map(({ what }) => what);

describe("the guard rails", () => {
  it("let pass what this program declares", () => {
    for (const declared of [app(), app({}, FORMER), proxy(), qdrant()]) assert.deepEqual(whats(declared), []);
    assert.deepEqual(whats({ type: "pbjrag:release:Release", name: "r", props: {}, retainOnDelete: false }), []);
  });

  it("publish nothing but the front door, where config says", () => {
    const port = (external: Raw, ip: Raw): RawObject => ({ ports: [{ internal: 8501, external, ip }] });
    assert.deepEqual(whats(app(port(8501, "0.0.0.0"))), ["publishes port 8501 on 0.0.0.0:8501, which config does not say"]);
    assert.deepEqual(whats(app({ ports: [{ internal: 8501 }] })), ["publishes port 8501 on any:any, which config does not say"]);
    assert.deepEqual(whats(qdrant(port(6333, "0.0.0.0"))), ["publishes port 8501 on 0.0.0.0:6333, which config does not say"]);
    assert.deepEqual(whats(proxy({ ports: [{ internal: 8080, external: 8501, ip: "0.0.0.0" }, { internal: 8404, external: 8404, ip: "0.0.0.0" }] })), ["publishes port 8404 on 0.0.0.0:8404, which config does not say"]);
    assert.deepEqual(whats(proxy(), { ...permitted, proxy: { bind: "127.0.0.1", port: 8501 } }).length, 1);
    assert.deepEqual(whats(app({ publishAllPorts: true, networkMode: "host" })), ["publishes all ports of its image", "is on the host's own network"]);
  });

  it("limit memory and cpus of each container", () => {
    assert.deepEqual(whats(qdrant({ memory: null })), ["has no limit of its memory, swap included"]);
    assert.deepEqual(whats(qdrant({ memorySwap: -1 })), ["has no limit of its memory, swap included"]);
    assert.deepEqual(whats(proxy({ cpuQuota: 0 })), ["has no limit of its cpus"]);
  });

  it("confine an app as its release says, and the front door always", () => {
    assert.deepEqual(whats(app({ securityOpts: [], capabilities: null, readOnly: null })), ["can gain privileges", "keeps capabilities", "can write to its image's files"]);
    assert.deepEqual(whats(container("app", argsOf(FORMER), REVISION)), ["keeps capabilities", "can write to its image's files"], "which only a former release may");
    assert.deepEqual(whats(container("app", argsOf(FORMER), "v0-cccccccc")), ["keeps capabilities"], "of no release that is known");
    assert.deepEqual(whats(proxy({ capabilities: { drops: ["ALL"], adds: ["NET_ADMIN"] } })), ["is given capabilities (NET_ADMIN)"]);
    assert.deepEqual(whats(qdrant({ privileged: true })), ["is privileged"]);
    assert.deepEqual(whats(app({ volumes: [{ hostPath: "/var/run/docker.sock", containerPath: "/s" }] })), ["has a directory of the host"]);
  });

  it("keep data volumes, whatever becomes of the stack", () => {
    const volume = (role: Role, retainOnDelete: boolean): Declared => ({ type: VOLUME, name: "v", props: { labels: labelList({ stack: "prod", role }) }, retainOnDelete });
    assert.deepEqual(whats(volume("data", false)), ["holds data and would be deleted with the stack"]);
    assert.deepEqual([...whats(volume("data", true)), ...whats(volume("proxy", false))], []);
  });

  it("know an image that is another one tomorrow, which production does not run", () => {
    for (const image of ["qdrant/qdrant", "qdrant/qdrant:latest", "registry:5000/app", "app:latest"]) assert.ok(isFloating(image), image);
    for (const image of ["qdrant/qdrant:v1.19.0", "registry:5000/app:v1", "sha256:abc", "app@sha256:abc", "app:latest@sha256:abc"]) assert.ok(!isFloating(image), image);
    const floating = qdrant({ image: "qdrant/qdrant:latest" });
    assert.deepEqual([whats(floating), whats(floating, { ...permitted, environment: "dev" })], [["runs qdrant/qdrant:latest, which is another image tomorrow"], []]);
    assert.equal(whats({ type: IMAGE, name: "i", props: { imageName: "app" }, retainOnDelete: true }).length, 1);
  });
});
