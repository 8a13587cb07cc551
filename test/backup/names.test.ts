import assert from "node:assert/strict";
import { backupName, isBackup, isLeftover, partialOf, scratchName, sweptName } from "../../components/backup/names.js";

describe("backup/names", () => {
  const at = new Date(2026, 0, 2, 3, 4, 5);

  it("stamps in local time, and counts on where that is taken, unfinished ones included", () => {
    assert.equal(backupName("pre-deploy", at, []), "pre-deploy-20260102-030405");
    assert.equal(backupName("pre-rollback", at, ["pre-deploy-20260102-030405"]), "pre-rollback-20260102-030405");
    assert.equal(backupName("pre-deploy", at, ["pre-deploy-20260102-030405"]), "pre-deploy-20260102-030405-2");
    const taken = ["pre-deploy-20260102-030405.partial", "pre-deploy-20260102-030405-2"];
    assert.equal(backupName("pre-deploy", at, taken), "pre-deploy-20260102-030405-3");
  });

  it("tells backups, leftovers and what is neither apart", () => {
    const name = backupName("pre-deploy", at, []);
    const swept = sweptName(partialOf(name), "ab12");
    assert.equal(swept, `${name}.swept-ab12`);
    assert.equal(sweptName(swept, "cd34"), `${name}.swept-cd34`);
    assert.deepEqual([name, `${name}-2`].map(isBackup), [true, true]);
    assert.deepEqual([partialOf(name), swept, "manual", ".", `${name}/..`].map(isBackup), [false, false, false, false, false]);
    assert.deepEqual([partialOf(name), `${name}-2.partial`, swept].map(isLeftover), [true, true, true]);
    assert.deepEqual([name, "manual", "manual.partial", "x.swept-1", `${name}.old`].map(isLeftover), [false, false, false, false, false]);
  });

  it("names what Docker keeps after the stack", () => {
    assert.equal(scratchName("dev", "reader", "00ff"), "pbjrag-dev-reader-00ff");
  });
});
