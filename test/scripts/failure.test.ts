import assert from "node:assert/strict";
import { failureOf, linesOf } from "../../scripts/cli/failure.js";

describe("scripts/failure", () => {
  it("tells the cause, not that there is one", () => {
    const port = "Error: failed to create proxy: Bind for 127.0.0.1:8501 failed: port is already allocated";
    assert.deepEqual(linesOf(`1 error occurred:\n\t* ${port}\n\n`), [port]);
    assert.deepEqual(linesOf("2 errors occurred:\n\t* one\n\t* two"), ["one", "two"]);
    assert.deepEqual(linesOf("an error occurred: and its words"), ["an error occurred: and its words"]);
    const { what } = failureOf([], linesOf(`1 error occurred:\n\t* ${port}`));
    assert.equal(what, port);
  });
});
