import assert from "node:assert/strict";
import { assertPaused, countRefused, pauseLeft, withoutPause } from "../../components/traffic/freeze.js";
import { table } from "./sample.js";

describe("a pause of writes", () => {
  it("is over when its moment has come, whoever is there", () => {
    assert.equal(pauseLeft(table({ frozenUntil: 1000 }), 999_500), 500);
    assert.equal(pauseLeft(table({ frozenUntil: 1000 }), 1_000_000), 0);
    assert.equal(pauseLeft(table(), 0), 0);
    assert.throws(() => assertPaused(table({ frozenUntil: Math.floor(Date.now() / 1000) - 1 })), /is over/);
    assert.doesNotThrow(() => assertPaused(table({ frozenUntil: Math.floor(Date.now() / 1000) + 60 })));
    assert.deepEqual(withoutPause(table({ frozenUntil: 1000 })), table());
  });

  it("counts what the proxy's log says was refused, and nothing that a client wrote", () => {
    const log = ['{"time":1.2,"backend":"front","kind":"frozen","method":"PUT","status":503}', '{"time":1.3,"kind":"page"}', "[NOTICE] kind frozen", ""].join("\n");
    assert.equal(countRefused(log), 1);
  });
});
