import assert from "node:assert/strict";
import { optionsFrom } from "./options.js";

describe("chaos/options", () => {
  it("has a count, an end and a seed", () => {
    assert.deepEqual(optionsFrom([]), { runs: 100, minutes: 45, seed: undefined });
    assert.deepEqual(optionsFrom(["--runs", "3", "--minutes", "1", "--seed", "0"]), { runs: 3, minutes: 1, seed: 0 });
    assert.equal(optionsFrom(["--help"]), null);
  });
  it("refuses the rest", () => {
    for (const args of [["--runs", "0"], ["--runs", "x"], ["--minutes", "1.5"], ["--seed", "-1"], ["--what"]]) assert.throws(() => optionsFrom(args), args.join(" "));
  });
});
