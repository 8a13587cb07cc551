import assert from "node:assert/strict";
import { unhealthyWords } from "../../components/backup/source.js";

describe("backup/source: a Qdrant that answers", () => {
  const state = (Status: string, Output: string) => ({ Name: "/db", State: { Health: { Status, FailingStreak: 9, Log: [{ Start: "", End: "", ExitCode: 1, Output }] } } });

  it("is taken whatever Docker's health check says, which is told", () => {
    assert.equal(unhealthyWords(state("unhealthy", "x\n/bin/sh: 1: wget: not found\n")), "Qdrant (container db) answers, and Docker calls it unhealthy: its health check is at fault (/bin/sh: 1: wget: not found)");
    assert.equal(unhealthyWords(state("healthy", "")), null);
    assert.equal(unhealthyWords({ Name: "/db", State: {} }), null);
  });
});
