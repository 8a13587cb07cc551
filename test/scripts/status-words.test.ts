import assert from "node:assert/strict";
import { roleWords } from "../../scripts/cli/role-words.js";
import type { Status } from "../../scripts/cli/status-model.js";
import { describe as words } from "../../scripts/cli/status-words.js";
import { localTime, whenWords } from "../../scripts/cli/when.js";

const NOW = Date.parse("2026-12-01T10:00:00Z");
const release = (seq: number, tag: string, switchedAt: string): Status["releases"][number] => ({ seq, tag, revision: `${tag}-00000000`, kind: "deploy", outcome: "released", switchedAt, backup: "", generation: "0" });
const status: Status = {
  stack: "prod", url: "http://127.0.0.1:8501", version: "v3.0.0", revision: "v3.0.0-00000000", since: "2026-12-01T09:30:00Z", previous: "v2.9.0",
  data: { generation: "0", restoredFrom: "" }, outcome: "healthy", reason: "", sessions: {}, proxyWorkers: 1, traffic: {}, use: [],
  containers: [
    { name: "prod-app-v3", role: "serves", state: "running", status: "Up 30 minutes" },
    { name: "prod-app-v2.9.0", role: "kept warm", state: "running", status: "Up 2 days" },
  ],
  backup: null, backups: [], lock: { held: false, holder: "" }, canary: null, watch: null, frozen: "", drift: [], settingsLeft: [],
  releases: [release(1, "v2.9.0", "2026-11-29T10:00:00Z"), release(2, "v3.0.0", "2026-12-01T09:30:00Z")],
};

describe("scripts/status: for a person", () => {
  let zone: string | undefined;
  beforeEach(() => { zone = process.env["TZ"]; });
  afterEach(() => {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });

  it("tells each time in the reader's zone and with its age", () => {
    process.env["TZ"] = "Asia/Kolkata";
    assert.equal(localTime("2026-12-01T09:30:00Z"), "2026-12-01 15:00");
    assert.equal(whenWords("2026-12-01T09:30:00Z", NOW), "2026-12-01 15:00 (30 minutes ago)");
    assert.equal(whenWords("2026-12-01T11:00:00Z", NOW), "2026-12-01 16:30");
    assert.equal(localTime(""), "not known");
  });

  it("has the newest release first, and what each container is there for", () => {
    process.env["TZ"] = "UTC";
    const lines = words(status, {}, NOW);
    assert.equal(lines[0], "stack prod: v3.0.0 (v3.0.0-00000000) at http://127.0.0.1:8501, since 2026-12-01 09:30 (30 minutes ago)");
    const of = (heading: string, count: number): string[] => lines.slice(lines.findIndex((line) => line.startsWith(heading)) + 1).slice(0, count);
    assert.deepEqual(of("containers", 2), ["  prod-app-v3      serves     Up 30 minutes", "  prod-app-v2.9.0  kept warm  Up 2 days"]);
    assert.deepEqual(of("releases, newest first", 2), [
      "  #2  v3.0.0 (v3.0.0-00000000)  deploy  2026-12-01 09:30 (30 minutes ago)",
      "  #1  v2.9.0 (v2.9.0-00000000)  deploy  2026-11-29 10:00 (2 days ago)",
    ]);
  });

  it("tells a container's role by the proxy's table", () => {
    const at = (revision: string) => ({ revision, tag: revision, containers: [], port: 8501, healthPath: "/" });
    const table = { serving: at("b"), former: at("a"), canary: { revision: at("c"), weight: 10 } };
    const app = (revision: string): string => roleWords({ "pbjrag.role": "app", "pbjrag.revision": revision }, table);
    assert.deepEqual([app("a"), app("b"), app("c"), app("d")], ["kept warm", "serves", "canary", "no users"]);
    assert.equal(roleWords({ "pbjrag.role": "qdrant", "pbjrag.generation": "r1" }, table), "Qdrant, data r1");
    assert.equal(roleWords({ "pbjrag.role": "proxy" }, null), "proxy");
    assert.equal(roleWords({ "pbjrag.role": "app", "pbjrag.revision": "a" }, null), "no users");
  });
});
