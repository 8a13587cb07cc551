import assert from "node:assert/strict";
import { judge } from "../../scripts/cli/local-state.js";
import { fits } from "../../scripts/cli/passphrase.js";

/** Made by the real command with the passphrase `pass`. */
const SALT = "v1:TPPDoLAxWDI=:v1:vOysyhjHCH3G7FFX:7MHaUFMpinA2JQwz3X0qy3L6V+ycGg==";

describe("state in local files", () => {
  const whole = JSON.stringify({ version: 3, checkpoint: { stack: "organization/pbjrag/dev", latest: { secrets_providers: { state: { salt: SALT } } } } });

  it("is told from what is left of one", () => {
    assert.deepEqual(judge(whole), { problem: "", salt: SALT });
    assert.deepEqual(judge(JSON.stringify({ checkpoint: { stack: "x" } })), { problem: "", salt: null });
    assert.match(judge(whole.slice(0, 40)).problem, /^it is cut or overwritten \(40 bytes\)$/);
    assert.match(judge("\n").problem, /it is empty/);
    assert.match(judge("{}").problem, /no state of a stack/);
  });

  it("tells a wrong passphrase from the right one, as it is written", async () => {
    assert.equal(await fits("pass", SALT), true);
    for (const wrong of ["", "pass\n", "Pass"]) assert.equal(await fits(wrong, SALT), false, wrong);
    assert.equal(await fits("anything", "awskms:whatever"), true);
  });
});
