import assert from "node:assert/strict";
import fc from "fast-check";
import { GENERATION_NAME, stackNameProblem, stackNames, tagSlug } from "../../components/release/names.js";
import { revisionName, secretDigests } from "../../components/release/revision.js";
import { tagProblem } from "../../components/source/names.js";
import { toRecorded } from "../../components/settings/recorded.js";
import { settingsOf } from "../settings/sample.js";
import { commitOf } from "./world.js";

describe("release/names", () => {
  it("makes a tag part of a name", () => {
    assert.equal(tagSlug("v3.0.0"), "v3.0.0");
    assert.equal(tagSlug("release/v3.0.0+b_1"), "release-v3.0.0-b-1");
    assert.equal(tagSlug("ü"), "x");
  });
  it("makes names that Docker and DNS take, of any tag", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((tag) => tagProblem(tag) === null), (tag) => {
        const names = stackNames("dev");
        assert.match(tagSlug(tag), /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,22}[A-Za-z0-9])?$/);
        assert.match(names.imageName(tag, commitOf("a")), /^pbjrag-dev:[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/);
        assert.ok(names.appContainer(`${tagSlug(tag)}-01234567`, 99).length <= 63);
      }),
    );
  });
  it("takes volumes that are there already", () => {
    assert.equal(stackNames("dev", { qdrant: "qdrant_storage" }).qdrantVolume("0"), "qdrant_storage");
    assert.equal(stackNames("dev", { qdrant: "qdrant_storage" }).uploadsVolume("0"), "pbjrag-dev_uploaded_codebases");
    assert.equal(stackNames("Prod").imageName("v1", commitOf("a")).split(":")[0], "pbjrag-prod");
  });
  it("names the volumes of later generations after the first one's, and never two alike", () => {
    const names = stackNames("dev", { qdrant: "qdrant_storage" });
    assert.equal(names.qdrantVolume("pre-deploy-20260101-120000"), "qdrant_storage-pre-deploy-20260101-120000");
    assert.equal(names.uploadsVolume("g7"), "pbjrag-dev_uploaded_codebases-g7");
    fc.assert(
      fc.property(fc.stringMatching(GENERATION_NAME), (generation) => {
        const volume = names.qdrantVolume(generation);
        assert.match(volume, /^[A-Za-z0-9][A-Za-z0-9_.-]+$/);
        assert.equal(volume === names.qdrantVolume("0"), generation === "0");
      }),
    );
    const longest = "x".repeat(15);
    assert.equal(stackNameProblem(longest), null);
    assert.ok(stackNames(longest).qdrantContainer("g".repeat(32)).length <= 63);
  });
  it("refuses stack names that would not fit", () => {
    assert.equal(stackNameProblem("prod"), null);
    assert.equal(stackNameProblem("team.prod-eu"), null);
    assert.match(stackNameProblem("x".repeat(40)) ?? "", /too long/);
    for (const name of ["", "-a", "a--b", "a/b", "a b", "a.", "ü"]) {
      assert.notEqual(stackNameProblem(name), null, name);
    }
  });
});

describe("release/revision", () => {
  const input = { tag: "v1.0.0", commit: commitOf("v1.0.0"), settings: toRecorded(settingsOf()), env: { A: "1", B: "2" }, secrets: "", generation: "0" };
  it("is the same for the same content, in any order of keys", () => {
    assert.equal(revisionName(input), revisionName({ ...input, env: { B: "2", A: "1" } }));
    assert.match(revisionName(input), /^v1\.0\.0-[0-9a-f]{8}$/);
  });
  it("differs with everything that makes a container, and with nothing else", () => {
    const app = input.settings.app;
    const changed = [
      { ...input, commit: commitOf("b") }, { ...input, tag: "v1.0.0+1" }, { ...input, env: { A: "1" } }, { ...input, secrets: "x" }, { ...input, generation: "1" },
      ...[{ replicas: 3 }, { cpus: 9 }, { memory: 1 }, { port: 1 }, { dockerfile: "D" }, { uploadsPath: "/u" }, { hardening: { ...app.hardening, readOnlyRoot: true } }, { health: { path: "/x", script: "" } }].map((over) => ({ ...input, settings: { app: { ...app, ...over } } })),
    ];
    assert.equal(new Set([input, ...changed].map(revisionName)).size, changed.length + 1);
    assert.equal(revisionName({ ...input, settings: { ...input.settings, keepWarm: false } as typeof input.settings }), revisionName(input));
  });
  it("digests secrets with the stack, and nothing where there are none", () => {
    const settings = settingsOf({ "pbjrag:app": '{"secretEnv":{"A":"1","B":"2"}}', "pbjrag:qdrant": '{"apiKey":"k"}' });
    const swapped = settingsOf({ "pbjrag:app": '{"secretEnv":{"B":"2","A":"1"}}', "pbjrag:qdrant": '{"apiKey":"k"}' });
    assert.deepEqual(secretDigests("dev", settings), secretDigests("dev", swapped));
    assert.notDeepEqual(secretDigests("dev", settings), secretDigests("prod", settings));
    assert.match(secretDigests("dev", settings).qdrantKey, /^[0-9a-f]{8}$/);
    assert.deepEqual(secretDigests("dev", settingsOf()), { app: "", qdrantKey: "" });
  });
});
