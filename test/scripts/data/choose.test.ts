import assert from "node:assert/strict";
import type { BackupSummary } from "../../../components/backup/list.js";
import { backupOfGeneration, chooseRollback, generationName, type RollbackAsk } from "../../../scripts/cli/data/choose.js";
import { backupNamed } from "../../../scripts/cli/data/restore.js";
import { dataPaths } from "../../../components/runtime/paths.js";
import { ReleaseError } from "../../../components/runtime/errors.js";
import { World } from "../../release/world.js";

const BACKUP = "pre-deploy-20260101-120000";
const summary = (name: string, of: string, problem = ""): BackupSummary => ({
  name, of, problem, kind: "pre-deploy", created: "", revision: "", before: "", qdrantVersion: "", collections: {}, files: 0, bytes: 0, proven: true, pinned: false,
});

describe("scripts/data/choose", () => {
  let world: World;
  /** v1, v2, v3 on the first generation; the world names the backup before the nth release pre-deploy-n. */
  const backups = [summary("pre-deploy-2", "v1.0.0"), summary("pre-deploy-3", "v2.0.0"), summary(BACKUP, "v2.0.0")];

  beforeEach(() => {
    world = new World();
    ["v1.0.0", "v2.0.0", "v3.0.0"].forEach((tag) => world.up(tag));
  });

  const chosen = (ask: RollbackAsk, there: readonly BackupSummary[] = backups): unknown => {
    const choice = chooseRollback(ask, world.ledger, there);
    return "why" in choice ? choice.why : [choice.target.tag, choice.target.generation, choice.data];
  };

  it("takes the backup made before the release that followed; the release before this one without a tag", () => {
    assert.deepEqual(chosen({ withData: "" }), ["v2.0.0", "0", { restoreFrom: "pre-deploy-3" }]);
    assert.deepEqual(chosen({ tag: "v1.0.0", withData: "" }), ["v1.0.0", "0", { restoreFrom: "pre-deploy-2" }]);
  });

  it("takes the newest whole one with the release's data where that is gone, and says so where there is none", () => {
    assert.deepEqual(chosen({ withData: "" }, [summary("pre-deploy-1", "v2.0.0"), summary(BACKUP, "v2.0.0"), summary("pre-deploy-9", "v2.0.0", "damaged")]), ["v2.0.0", "0", { restoreFrom: BACKUP }]);
    assert.match(String(chosen({ withData: "" }, [])), /no backup is left that holds the data of v2\.0\.0/);
  });

  it("goes with a named backup to the release whose data it holds, or to the one that is named as well", () => {
    assert.deepEqual(chosen({ withData: "pre-deploy-2" }), ["v1.0.0", "0", { restoreFrom: "pre-deploy-2" }]);
    assert.deepEqual(chosen({ tag: "v2.0.0", withData: "pre-deploy-2" }), ["v2.0.0", "0", { restoreFrom: "pre-deploy-2" }]);
    assert.match(String(chosen({ withData: "pre-deploy-20200101-000000", tag: "v2.0.0" })), /there is no backup/);
    assert.match(String(chosen({ tag: "v9", withData: "" })), /v9 was never released here/);
  });

  it("goes forward again to data as it was left, whichever backups there are", () => {
    world.up("v2.0.0", { data: { generation: BACKUP, restoreFrom: BACKUP } });
    assert.deepEqual(chosen({ tag: "v3.0.0", withData: "" }), ["v3.0.0", "0", { generation: "0" }]);
    assert.deepEqual(chosen({ tag: "v3.0.0", generation: "0" }), ["v3.0.0", "0", { generation: "0" }]);
    assert.deepEqual(chosen({ generation: "0" }), ["v3.0.0", "0", { generation: "0" }]);
    assert.match(String(chosen({ generation: "r9" })), /no release has run on the data generation r9/);
    assert.equal(backupOfGeneration("0", world.ledger), "pre-deploy-4", "made when it was left");
    assert.equal(backupOfGeneration(BACKUP, world.ledger), null, "it has not been left");
  });

  it("goes back over a change of Qdrant with the backup that it made, as the uploads were written on since", () => {
    world.up("v3.0.0", { qdrant: { cpus: 2 } });
    world.up("v4.0.0", { qdrant: { cpus: 2 } });
    const made = summary("pre-deploy-4", "v3.0.0");
    assert.deepEqual(chosen({ tag: "v2.0.0", withData: "" }, [made]), ["v2.0.0", "0", { restoreFrom: "pre-deploy-4" }]);
    assert.deepEqual(chosen({ tag: "v2.0.0", withData: "" }, [summary("pre-deploy-4", "v3.0.0", "damaged")]), ["v2.0.0", "0", { generation: "0" }]);
    const choice = chooseRollback({ tag: "v3.0.0", generation: "0" }, world.ledger, []);
    assert.ok("target" in choice);
    assert.deepEqual([choice.target.seq, choice.target.settings.qdrant.cpus], [3, 1], "with the Qdrant that it had");
  });

  it("names a generation after its backup, and another from the same one with a letter", async () => {
    const taken = new Set<string>();
    const name = async (): Promise<string | null> => generationName("pre-rollback-20260101-120000-2", (one) => Promise.resolve(!taken.has(one)));
    assert.equal(await name(), "pre-rollback-20260101-120000-2");
    taken.add("pre-rollback-20260101-120000-2");
    assert.equal(await name(), "pre-rollback-20260101-120000-2b");
    for (const letter of "bcdefghijklmnopqrstuvwxyz") taken.add(`pre-rollback-20260101-120000-2${letter}`);
    assert.equal(await name(), null);
  });

  it("takes a backup's name or its path, and nothing else", () => {
    const place = { stack: "dev", paths: dataPaths("/data", "dev") };
    assert.equal(backupNamed(place, BACKUP), BACKUP);
    assert.equal(backupNamed(place, `/data/backups/dev/${BACKUP}/`), BACKUP);
    for (const text of ["", "..", "-x", `../other/${BACKUP}`, `/data/backups/prod/${BACKUP}`, `${BACKUP}.partial`]) {
      assert.throws(() => backupNamed(place, text), ReleaseError, text);
    }
  });
});
