import assert from "node:assert/strict";
import { nearest } from "../../components/source/nearest.js";

describe("the name that was probably meant", () => {
  const tags = ["v3.2.0", "v3.1.0", "v3.0.0", "2026-11-30", "v2.9.0"];
  it("is the nearest that there is", () => {
    assert.equal(nearest("3.2.0", tags), "v3.2.0");
    assert.equal(nearest("V3.2.0", tags), "v3.2.0");
    assert.equal(nearest("v3.2.00", tags), "v3.2.0");
    assert.equal(nearest("v3.2", tags), null);
    assert.equal(nearest("v3.20", tags), "v3.2.0");
    assert.equal(nearest("v32.0", tags), "v3.2.0");
    assert.equal(nearest("2026-11-31", tags), "2026-11-30");
    assert.equal(nearest("v2.9.1", tags), "v2.9.0");
  });
  it("is none where nothing is near", () => {
    assert.deepEqual([nearest("nightly", tags), nearest("v", tags), nearest("v1.0.0", [])], [null, null, null]);
  });
});
