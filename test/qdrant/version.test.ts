import assert from "node:assert/strict";
import { versionOfImage, versionProblem } from "../../components/qdrant/version.js";

describe("qdrant/version", () => {
  it("reads the version of an image's name, and none where it tells none", () => {
    const read: [image: string, version: string | null][] = [
      ["qdrant/qdrant:v1.19.0", "1.19.0"], ["qdrant/qdrant:v1.19.0-unprivileged", "1.19.0"], ["host:5000/qdrant:1.18", "1.18.0"],
      // Forms that Qdrant publishes.
      ["qdrant/qdrant:v1.19.0-gpu-nvidia", "1.19.0"], ["qdrant/qdrant:v1.19.0-gpu-amd", "1.19.0"], ["qdrant/qdrant:v1.19-unprivileged", "1.19.0"], ["qdrant/qdrant:v1.13.0-gpu-nvidia-latest", "1.13.0"],
      ["qdrant/qdrant:v1", null], ["qdrant/qdrant:gpu-nvidia-latest", null], ["qdrant/qdrant:dev-0123456789abcdef", null], ["qdrant/qdrant:master", null],
      [`qdrant/qdrant:v1.19.0@sha256:${"0".repeat(64)}`, "1.19.0"], ["qdrant/qdrant:latest", null], ["qdrant/qdrant", null], ["host:5000/qdrant", null],
      [`qdrant/qdrant@sha256:${"1".repeat(64)}`, null],
    ];
    for (const [image, version] of read) assert.equal(versionOfImage(image), version, image);
  });

  it("lets data go to the same or the next minor version, and nowhere else (faults 17, 18)", () => {
    for (const [from, to] of [["1.19.0", "1.19.0"], ["1.19.3", "1.19.0"], ["1.18.2", "1.19.0"]] as const) assert.equal(versionProblem(from, to), null, `${from} -> ${to}`);
    assert.match(versionProblem("1.17.0", "1.19.0") ?? "", /a minor version is skipped/);
    assert.match(versionProblem("1.19.0", "1.18.4") ?? "", /cannot read what Qdrant 1\.19\.0 wrote/);
    assert.match(versionProblem("1.19.0", "2.0.0") ?? "", /skipped/);
    assert.equal(versionProblem("", "1.19.0"), null, "what is not known is for Qdrant itself to tell");
  });
});
