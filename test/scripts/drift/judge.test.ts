import assert from "node:assert/strict";
import type { FoundObject } from "../../../scripts/cli/drift/found.js";
import { inASentence } from "../../../scripts/cli/drift/drift.js";
import { judgeDrift, type Serving } from "../../../scripts/cli/drift/judge.js";
import type { KnownObject } from "../../../scripts/cli/drift/known.js";
import { drifted, refusing } from "../../../scripts/cli/drift/settle.js";

const MADE = { image: "haproxy:2.6-bookworm", memory: 256, cpus: 1 };
const known = (over: Partial<KnownObject> = {}): KnownObject => ({
  urn: "urn", kind: "container", id: "old", name: "pbjrag-s-proxy", role: "proxy", volumes: [{ volume: "pbjrag-s_proxy", path: "/live" }], networks: ["pbjrag-s"], made: MADE, ...over,
});
const found = (over: Partial<FoundObject> = {}): FoundObject => ({
  id: "old", name: "pbjrag-s-proxy", status: "running", volumes: [{ volume: "pbjrag-s_proxy", path: "/live" }], networks: ["pbjrag-s"], made: MADE, images: [MADE.image, "sha256:1"], ...over,
});
const serving: Serving = { stack: "s", containers: new Set(["pbjrag-s-app-v1-1"]), data: new Set(["pbjrag-s_qdrant_storage"]), backup: "pre-deploy-1" };
const one = (object: Partial<KnownObject>, there: Partial<FoundObject> | null): string => judgeDrift([{ object: known(object), found: there === null ? null : found(there) }], serving).map(inASentence).join("\n");

describe("drift: judged", () => {
  const app = { name: "pbjrag-s-app-v1-1", role: "app", volumes: [{ volume: "up", path: "/app/uploads" }] };
  const cases: [what: string, object: Partial<KnownObject>, there: Partial<FoundObject> | null, sentence: RegExp][] = [
    ["as recorded", {}, {}, /^$/],
    ["made anew", {}, { id: "new" }, /^container pbjrag-s-proxy \(the proxy\) was made anew by somebody else; it is taken over as it is$/],
    ["made anew with other limits", {}, { id: "new", made: { ...MADE, memory: 0, cpus: 0.5 } }, /made anew by somebody else with memory without a limit instead of 256MiB, cpus 0\.5 instead of 1 \(docker update --memory 256m --memory-swap 256m --cpu-period 100000 --cpu-quota 100000 pbjrag-s-proxy sets the limits while it runs\); it is taken over/],
    ["made anew from another image", {}, { id: "new", made: { ...MADE, image: "haproxy:3" }, images: ["haproxy:3", "sha256:2"] }, /made anew by somebody else with image haproxy:3 instead of haproxy:2\.6-bookworm; it is taken over/],
    ["made anew from an image by its ID", { made: { ...MADE, image: "sha256:1" } }, { id: "new" }, /made anew by somebody else; it is taken over/],
    ["removed", {}, null, /was removed by somebody else; it is made anew by the next update$/],
    ["renamed", {}, { name: "x" }, /was renamed to x by somebody else; it gets its name back$/],
    ["stopped", {}, { status: "exited" }, /is exited, so no user is served\. Next: docker start pbjrag-s-proxy, then run again$/],
    ["paused", {}, { status: "paused" }, /Next: docker unpause pbjrag-s-proxy, then run again$/],
    ["never started, as by an update that failed", {}, { status: "created" }, /^$/],
    ["a stopped Qdrant is the backup's to refuse", { role: "qdrant" }, { status: "exited" }, /^$/],
    ["off the network", {}, { networks: [] }, /is not on network pbjrag-s any more.*Next: docker network connect pbjrag-s pbjrag-s-proxy, then run again$/],
    ["made anew without its volume", { role: "qdrant" }, { id: "new", volumes: [] }, /without volume pbjrag-s_proxy at \/live.*Next: docker rm -f pbjrag-s-proxy, then run again/],
    ["its volume elsewhere", {}, { id: "new", volumes: [{ volume: "pbjrag-s_proxy", path: "/elsewhere" }] }, /without volume/],
    ["an app without its volume is taken over, and told", app, { id: "new", name: app.name, volumes: [] }, /without volume up: uploads go into the container itself and are in no backup; it is taken over/],
    ["an app that nobody is on, off the network", { ...app, name: "pbjrag-s-app-v0-1" }, { name: "pbjrag-s-app-v0-1", networks: [] }, /^$/],
    ["an app that users are on, off the network", app, { name: app.name, networks: [] }, /is not on network/],
    ["data that is gone", { kind: "volume", name: "pbjrag-s_qdrant_storage", role: "data" }, null, /Next: scripts\/restore\.sh pre-deploy-1 --stack s --yes --no-backup --reason "volume pbjrag-s_qdrant_storage is gone", which/],
    ["data that the serving release does not use", { kind: "volume", name: "other", role: "data" }, null, /; it is made anew by the next update$/],
    ["the proxy's config", { kind: "volume", name: "pbjrag-s_proxy" }, null, /; it is made anew by the next update$/],
    ["a network made anew", { kind: "network", name: "pbjrag-s", role: "data" }, { id: "new", name: "pbjrag-s" }, /^network pbjrag-s was made anew by somebody else; it is taken over as it is$/],
    ["a network that nobody is on", { kind: "network", name: "pbjrag-s", role: "data" }, null, /; it is made anew by the next update$/],
  ];
  for (const [what, object, there, sentence] of cases) it(what, () => assert.match(one(object, there), sentence));

  it("a network that is gone is told once, with all that were on it", () => {
    const drifts = judgeDrift([
      { object: known({ kind: "network", name: "pbjrag-s", role: "data" }), found: null },
      { object: known(), found: found({ networks: [] }) },
    ], serving);
    assert.equal(drifts.length, 1);
    assert.match(drifts[0]?.next ?? "", /^docker network create --label pbjrag\.stack=s --label pbjrag\.role=data pbjrag-s && docker network connect pbjrag-s pbjrag-s-proxy, then run again$/);
  });

  it("without a backup, data that is gone has no command that would not work", () => {
    const [drift] = judgeDrift([{ object: known({ kind: "volume", name: "pbjrag-s_qdrant_storage", role: "data" }), found: null }], { ...serving, backup: null });
    assert.match(drift?.next ?? "", /^there is no backup here/);
  });

  it("only a move to other data goes on where data is gone", () => {
    const drifts = judgeDrift([
      { object: known({ kind: "volume", name: "pbjrag-s_qdrant_storage", role: "data" }), found: null },
      { object: known(), found: found({ status: "exited" }) },
      { object: known(), found: null },
    ], serving);
    assert.deepEqual(refusing(drifts, "kept").map(({ how }) => how), ["gone", "stopped"]);
    assert.deepEqual(refusing(drifts, "replaced").map(({ how }) => how), ["stopped"]);
    const several = drifted("s", refusing(drifts, "kept"));
    assert.equal(several.exitCode, 2);
    assert.equal(several.lines.length, 2);
  });
});
