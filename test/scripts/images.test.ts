import assert from "node:assert/strict";
import { namedImages } from "../../scripts/cli/images.js";

describe("images that a stack names", () => {
  it("are the defaults where config says nothing, and config's where it does", () => {
    assert.deepEqual(namedImages("", "dev").map(([key]) => key), ["qdrant.image", "proxy.image"]);
    const file = "config:\n  pbjrag:qdrant:\n    image: qdrant/qdrant:v1.18.2\n    memory: 2GiB\n";
    assert.deepEqual(namedImages(file, "prod")[0], ["qdrant.image", "qdrant/qdrant:v1.18.2"]);
  });

  it("leaves what is no text to the program to refuse", () => {
    assert.deepEqual(namedImages("config:\n  pbjrag:proxy:\n    image: 7\n  pbjrag:qdrant: x\n", "dev").map(([key]) => key), ["qdrant.image"]);
  });
});
