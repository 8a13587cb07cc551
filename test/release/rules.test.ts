import assert from "node:assert/strict";
import {
  dockerContextProblems, dockerHostProblems, interruptionNotices, interruptionProblems, interruptions, movedTagProblems, portProblems, reapplyProblems, stateProblems, volumeChangeProblems, volumeProblems,
} from "../../components/release/rules.js";
import { commitOf, sourceOf, World } from "./world.js";

describe("release/rules", () => {
  const world = new World();
  world.up("v1.0.0");
  world.up("v2.0.0");
  const [first, second] = world.ledger;
  assert.ok(first !== undefined && second !== undefined);
  const serving = ({ revision, tag }: { revision: string; tag: string }): { revision: string; tag: string } => ({ revision, tag });

  it("refuses a tag that moved, or was made anew, since it was released (faults 20)", () => {
    assert.deepEqual(movedTagProblems(sourceOf("v1.0.0"), world.ledger), []);
    assert.deepEqual(movedTagProblems(sourceOf("v3.0.0"), world.ledger), []);
    assert.match(movedTagProblems({ ...sourceOf("v1.0.0"), commit: commitOf("x"), tagObject: commitOf("x") }, world.ledger)[0]?.what ?? "", /has moved since.*release 1/);
    assert.match(movedTagProblems({ ...sourceOf("v1.0.0"), tagObject: commitOf("x") }, world.ledger)[0]?.what ?? "", /made anew/);
  });

  it("refuses what interrupts, unless it is allowed; memory is changed in place", () => {
    const found = (more: Record<string, string>): string[] => interruptions(world.settings("v2.0.0", { more }), world.ledger);
    assert.deepEqual(found({}), []);
    assert.deepEqual(found({ "pbjrag:qdrant": '{"cpus":3}', "pbjrag:proxy": '{"memory":"64MiB"}' }), []);
    assert.deepEqual(found({ "pbjrag:proxy": '{"port":9000,"bind":"0.0.0.0"}' }), ["proxy.bind: 127.0.0.1 -> 0.0.0.0", "proxy.port: 8503 -> 9000"]);
    assert.deepEqual(found({ "pbjrag:reapply": "true", "pbjrag:proxy": '{"port":9000}' }), []);
    const settings = world.settings("v2.0.0", { more: { "pbjrag:proxy": '{"port":9000}' } });
    const changes = interruptions(settings, world.ledger);
    assert.deepEqual(interruptionProblems(changes, settings).map(({ subject }) => subject), ["pbjrag:proxy"]);
    assert.deepEqual(interruptionProblems(changes, world.settings("v2.0.0", { more: { "pbjrag:proxy": '{"allowInterruption":true}' } })), []);
    assert.match(interruptionNotices(changes)[0] ?? "", /^INTERRUPTS the front door.*8503 -> 9000/);
    assert.deepEqual(interruptions(settings, []), [], "nothing serves yet");
  });

  it("refuses other volumes once there is data, foreign volumes, and a port that is taken", () => {
    const other = world.settings("v2.0.0", { more: { "pbjrag:volumes": '{"qdrant":"other"}' } });
    assert.deepEqual(volumeChangeProblems(other, world.ledger).map(({ subject }) => subject), ["pbjrag:volumes.qdrant"]);
    assert.deepEqual(volumeChangeProblems(other, []), []);
    const volumes = [{ name: "a", owner: null }, { name: "b", owner: "" }, { name: "c", owner: "dev" }, { name: "d", owner: "prod" }];
    assert.deepEqual(volumeProblems("dev", volumes).map(({ what }) => what), ["d belongs to stack prod"]);
    const settings = world.settings("v2.0.0");
    assert.deepEqual(portProblems(settings, { state: "ours" }), []);
    assert.match(portProblems(settings, { state: "taken", by: "container x" })[0]?.what ?? "", /127\.0\.0\.1:8503 is taken by container x/);
  });

  it("tells a lost or old state from an update that was killed (faults 38)", () => {
    const judge = (seq: number, revision: { revision: string; tag: string } | null, ledger = world.ledger, target = "v3.0.0-00000000"): number =>
      stateProblems("dev", { table: { seq, serving: revision } }, ledger, target).length;
    const unknown = { revision: "v7.0.0-77777777", tag: "v7.0.0" };
    assert.equal(stateProblems("dev", { table: null }, [], "x").length, 0);
    assert.equal(judge(0, null, []), 0, "a proxy that serves nobody yet");
    assert.equal(judge(2, serving(second)), 0);
    assert.equal(judge(3, unknown), 0, "killed between route and ledger");
    assert.equal(judge(3, serving(first)), 0, "a warm rollback that was not recorded");
    assert.equal(judge(4, serving(first)), 0, "moved to and fro");
    assert.equal(judge(5, unknown), 1, "an old copy of the state");
    assert.equal(judge(1, unknown, []), 1, "no state at all");
    assert.equal(judge(1, unknown, [], unknown.revision), 0, "the first update, killed, and run again");
    assert.match(stateProblems("dev", { table: { seq: 1, serving: unknown } }, [], "x")[0]?.next ?? "", /deploy v7\.0\.0 again.*pulumi stack import/);
  });

  it("refuses to leave data behind that a stopped move had gone to", () => {
    const live = (generation: string | undefined, revision = "v9.0.0-99999999"): Parameters<typeof stateProblems>[1] => ({ table: { seq: 3, serving: { revision, tag: "v2.0.0", generation } } });
    assert.equal(stateProblems("dev", live(undefined), world.ledger, "x").length, 0);
    assert.match(stateProblems("dev", live("r1"), world.ledger, "x")[0]?.what ?? "", /serves on data generation r1, and the state of stack dev ends with generation 0/);
    assert.equal(stateProblems("dev", live("r1"), world.ledger, "v9.0.0-99999999").length, 0, "it goes on from there");
    assert.equal(stateProblems("dev", live("r1", first.revision), world.ledger, "x").length, 1, "also where the release is known");
  });

  it("refuses to apply again what never was, and two Dockers at once", () => {
    const settings = world.settings("v1.0.0", { reapply: true });
    assert.equal(reapplyProblems(settings, []).length, 1);
    assert.equal(reapplyProblems(settings, world.ledger).length, 0);
    const host = (value: string): { docker: { host: string; cpuOvercommit: number } } => ({ docker: { host: value, cpuOvercommit: 1 } });
    assert.equal(dockerHostProblems(host("unix:///var/run/docker.sock"), "/run/user/1000/docker.sock").length, 0);
    assert.equal(dockerHostProblems(host("unix:///tmp/d.sock"), "/tmp/d.sock").length, 0);
    assert.match(dockerHostProblems(host("unix:///tmp/d.sock"), "/var/run/docker.sock")[0]?.next ?? "", /DOCKER_HOST=unix:\/\/\/tmp\/d\.sock/);
    assert.match(dockerContextProblems({ host: "unix:///run/user/7/docker.sock", by: 'Docker\'s context "rootless"' })[0]?.next ?? "", /export DOCKER_HOST=unix:\/\/\/run\/user\/7\/docker\.sock/);
    assert.deepEqual([dockerContextProblems({ host: "unix:///x.sock", by: "DOCKER_HOST" }), dockerContextProblems({ host: "unix:///var/run/docker.sock", by: "" })], [[], []]);
  });
});
