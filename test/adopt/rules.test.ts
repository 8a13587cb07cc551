import assert from "node:assert/strict";
import { adoptProblems, type AdoptFacts } from "../../components/adopt/rules.js";
import { inOrder } from "../../components/adopt/run.js";
import { downtimeMs } from "../../scripts/cli/adoption.js";

const adopt = { qdrantVolume: "x_qdrant_storage", uploadsVolume: "x_uploads", containers: ["webui", "qdrant"] };
const facts = (change: Partial<AdoptFacts> = {}): AdoptFacts => ({
  containers: [
    { name: "webui", there: true, running: true, owner: "", volumes: ["x_uploads"] },
    { name: "qdrant", there: true, running: true, owner: "", volumes: ["x_qdrant_storage"] },
  ],
  volumes: [{ name: "x_qdrant_storage", users: ["qdrant"] }, { name: "x_uploads", users: ["webui"] }],
  qdrantVersion: "1.19.2", ...change,
});
const said = (change: Partial<AdoptFacts>, image = "qdrant/qdrant:v1.19.0"): string[] => adoptProblems(adopt, image, facts(change)).map(({ what }) => what);

describe("adopt/rules", () => {
  it("takes over what is whole, runs and is nobody else's", () => assert.deepEqual(said({}), []));
  it("wants every user of the data to be named", () => {
    assert.match(said({ volumes: [{ name: "x_qdrant_storage", users: ["qdrant"] }, { name: "x_uploads", users: ["webui", "worker"] }] }).join(), /worker uses x_uploads/);
  });
  it("wants containers and volumes to be there, and not to be a stack's own", () => {
    const [webui, qdrant] = facts().containers;
    assert.ok(webui !== undefined && qdrant !== undefined);
    assert.match(said({ containers: [{ ...webui, there: false, volumes: [] }, qdrant] }).join(), /no container webui/);
    assert.match(said({ containers: [{ ...webui, owner: "prod" }, qdrant] }).join(), /belongs to stack prod/);
    assert.match(said({ volumes: [{ name: "x_uploads", users: ["webui"] }] }).join(), /no volume x_qdrant_storage/);
    assert.match(said({ containers: [webui, { ...qdrant, running: false }] }).join(), /cannot be backed up first/);
    assert.match(said({ containers: [webui, { ...qdrant, volumes: [] }] }).join(), /none of them has x_qdrant_storage/);
  });
  it("wants the same minor version of Qdrant, for the way back, where both are known", () => {
    for (const image of ["qdrant/qdrant:v1.20.0", "qdrant/qdrant:v1.18.4", "qdrant/qdrant:v2.19.0"]) assert.match(said({}, image).join(), /is Qdrant .* taken over from 1\.19\.2/);
    assert.deepEqual(said({}, "qdrant/qdrant:latest"), []);
    assert.deepEqual(said({ qdrantVersion: "" }, "qdrant/qdrant:v1.20.0"), []);
  });
});

describe("adopt/run", () => {
  it("stops who has Qdrant's volume last", () => {
    const mount = (name: string): Parameters<typeof inOrder>[0][number] => ({ Mounts: [{ Type: "volume", Name: name, Source: "", Destination: "", Mode: "", RW: true, Propagation: "" }] });
    const [a, b, c] = [mount("q"), mount("u"), mount("v")];
    assert.deepEqual(inOrder([a, b, c], "q"), [b, c, a]);
  });
});

describe("scripts/adoption", () => {
  it("counts from the first stop to the route, of this run alone", () => {
    const at = (seconds: number, phase: "route" | "gate"): Parameters<typeof downtimeMs>[1][number] => ({ time: new Date(seconds * 1000).toISOString(), run: "r", phase, event: "done", message: "" });
    assert.equal(downtimeMs(100_000, [at(90, "route"), at(103, "gate"), at(104, "route"), at(200, "route")]), 4000);
    assert.equal(downtimeMs(100_000, [at(103, "gate")]), null);
  });
});
