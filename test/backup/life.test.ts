import assert from "node:assert/strict";
import { SignsOfLife } from "../../components/backup/life.js";

describe("backup/life", () => {
  it("counts the time since a container has worked or said anything", () => {
    const life = new SignsOfLife(1000);
    assert.equal(life.silence(2000, { cpuMs: 0, said: "" }), 0, "the first look");
    assert.equal(life.silence(5000, { cpuMs: 20, said: "" }), 3000);
    assert.equal(life.silence(9000, { cpuMs: 99, said: "" }), 7000, "an idle one's threads");
    assert.equal(life.silence(10_000, { cpuMs: 100, said: "" }), 0, "slow work adds up");
    assert.equal(life.silence(70_000, { cpuMs: 150, said: "" }), 60_000);
    assert.equal(life.silence(71_000, { cpuMs: 150, said: "loading" }), 0);
    assert.equal(life.silence(72_000, { cpuMs: 150, said: "loading" }), 1000);
  });

  it("blames nobody for what Docker did not tell", () => {
    const life = new SignsOfLife(0);
    assert.equal(life.silence(90_000, null), 0);
    assert.equal(life.silence(100_000, { cpuMs: 5, said: "" }), 0);
    assert.equal(life.silence(160_000, null), 0);
    assert.equal(life.silence(161_000, { cpuMs: 5, said: "" }), 1000);
  });
});
