import assert from "node:assert/strict";
import { isWhole } from "../../components/repository/send.js";

describe("repository/send", () => {
  it("takes a copy for whole that has every file in its full size, and no other", () => {
    const files = new Map([["manifest.json", 10], ["uploads.tar.gz", 2000]]);
    assert.ok(isWhole(new Map([...files].reverse()), files));
    assert.ok(!isWhole(new Map([["manifest.json", 10]]), files));
    assert.ok(!isWhole(new Map([...files, ["more", 1]]), files));
    assert.ok(!isWhole(new Map([["manifest.json", 10], ["uploads.tar.gz", 1999]]), files));
    assert.ok(!isWhole(new Map(), files));
  });
});
