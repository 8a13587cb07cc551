import assert from "node:assert/strict";
import { capacityProblems, capacityTable, type HostFacts, IMAGE_ESTIMATE, needOf, type Need } from "../../components/release/capacity.js";
import { type Ask, World } from "./world.js";

const GIB = 1024 ** 3;
const laptop: HostFacts = { memory: 8 * GIB, cpus: 2, dockerDisk: { free: 50 * GIB, device: "1" }, dataDisk: { free: 50 * GIB, device: "1" } };

function needFor(world: World, tag: string, ask: Ask = {}, data = { qdrant: 0, uploads: 0, restored: 0, image: null as number | null }): Need {
  return needOf(world.plan(tag, ask), world.settings(tag, ask), world.ledger, data);
}

describe("release/capacity", () => {
  it("counts what is there until the end: new, present, the one before it, scratch", () => {
    const world = new World();
    assert.deepEqual(needFor(world, "v1.0.0").rows.map(({ name, count }) => `${count} ${name}`), ["2 v1.0.0, to serve", "1 Qdrant", "1 proxy", "1 scratch Qdrant of the backup"]);
    ["v1.0.0", "v2.0.0"].forEach((tag) => world.up(tag));
    const need = needFor(world, "v3.0.0");
    assert.deepEqual(need.rows.map(({ name }) => name), ["v3.0.0, to serve", "v2.0.0, serves now, kept warm", "v1.0.0, removed at the end", "Qdrant", "proxy", "scratch Qdrant of the backup"]);
    assert.deepEqual([need.cpus, need.memory], [8, 3 * GIB + GIB + GIB / 4 + GIB]);
    assert.deepEqual(needFor(world, "v1.0.0").rows.map(({ name }) => name).slice(0, 3), ["v1.0.0, to serve", "v2.0.0, serves now, kept warm", "Qdrant"], "a warm rollback starts nothing");
    assert.deepEqual(needFor(world, "v3.0.0", { keepWarm: false }).rows.map(({ name }) => name).slice(0, 3), ["v3.0.0, to serve", "v2.0.0, removed at the end", "v1.0.0, removed at the end"]);
  });

  it("counts a Qdrant for each generation of data that is there at the peak, as it was recorded", () => {
    const world = new World();
    world.up("v1.0.0", { more: { "pbjrag:qdrant": '{"memory":"3GiB"}' } });
    const need = needFor(world, "v1.0.0", { data: { generation: "r1", restoreFrom: "pre-deploy-20260101-120000" } });
    assert.deepEqual(need.rows.flatMap(({ name, memory }) => (name.startsWith("Qdrant") ? [[name, memory / GIB]] : [])), [["Qdrant", 1], ["Qdrant of data generation 0", 3]]);
  });

  it("lets a laptop of 2 cores and 8 GiB deploy again and again with the defaults of dev", () => {
    const world = new World();
    for (const tag of ["v1.0.0", "v2.0.0", "v3.0.0", "v4.0.0", "v3.0.0"]) {
      assert.deepEqual(capacityProblems(needFor(world, tag), laptop, 4), []);
      world.up(tag);
    }
  });

  it("needs disk for image, snapshot, scratch and backup; on one file system together", () => {
    const need = needFor(new World(), "v1.0.0", {}, { qdrant: 10 * GIB, uploads: 5 * GIB, restored: 0, image: null });
    assert.deepEqual([need.dockerDisk, need.dataDisk], [IMAGE_ESTIMATE + 30 * GIB, 15 * GIB]);
    const small = { ...laptop, dockerDisk: { free: 40 * GIB, device: "1" }, dataDisk: { free: 40 * GIB, device: "1" } };
    assert.match(capacityProblems(need, small, 4)[0]?.what ?? "", /image, snapshot and backup need 47 GiB, and 40 GiB is free/);
    assert.deepEqual(capacityProblems(need, { ...small, dataDisk: { free: 40 * GIB, device: "2" } }, 4), []);
    assert.deepEqual(capacityProblems(need, { ...small, dockerDisk: null, dataDisk: null }, 4), [], "what cannot be seen is not judged");
    const skipped = needFor(new World(), "v1.0.0", { more: { "pbjrag:backup": '{"skipReason":"empty"}' } }, { qdrant: 10 * GIB, uploads: 0, restored: 0, image: GIB });
    assert.deepEqual([skipped.dockerDisk, skipped.dataDisk], [GIB, 0]);
  });

  it("refuses more than the host has, each kind in its own words", () => {
    const need = needFor(new World(), "v1.0.0");
    const problems = (host: Partial<HostFacts>, overcommit = 1): string[] => capacityProblems(need, { ...laptop, ...host }, overcommit).map(({ what }) => what);
    assert.match(problems({})[0] ?? "", /limits add up to 4 cores at the peak, and the host has 2$/);
    assert.deepEqual(problems({}, 2), []);
    assert.match(problems({ cpus: 16, memory: 2 * GIB })[0] ?? "", /3\.3 GiB of memory at the peak, and the host has 2 GiB/);
    assert.match(problems({ cpus: 0.75 }, 100)[0] ?? "", /v1\.0\.0, to serve: one container may use 1 cores, and the host has 0\.75/);
  });

  it("shows the need beside what the host has", () => {
    const table = capacityTable(needFor(new World(), "v1.0.0"), laptop, 4);
    assert.match(table, /^at the peak of this update +cores +memory\nv1\.0\.0, to serve: 2 replicas +2 +1 GiB\n/);
    assert.match(table, /\ntogether +4 +3\.3 GiB\nthe host has +2 x 4 +8 GiB\ndisk: image, snapshot and backup need up to 2 GiB, 50 GiB is free$/);
  });
});
