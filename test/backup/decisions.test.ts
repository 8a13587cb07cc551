import assert from "node:assert/strict";
import { backupOutcomeSchema, backupRequestSchema, noBackup } from "../../components/backup/model.js";
import { lateSnapshot, type Mark } from "../../components/backup/pending.js";
import { BackupProblem } from "../../components/backup/problem.js";
import { parseMeasured } from "../../components/backup/reader.js";
import { assertSpace, neededFor } from "../../components/backup/space.js";
import type { SnapshotInfo } from "../../components/qdrant/schema.js";

const MiB = 1024 * 1024;

describe("backup: decisions", () => {
  describe("the late snapshot of a given-up request", () => {
    const requestedAt = Date.UTC(2026, 0, 2, 3, 4, 5);
    const mark = (before: string[]): Mark => ({ run: "r", collection: "a", before, requestedAt, name: null });
    const snapshot = (time: string): SnapshotInfo => ({ name: `a-123-2026-01-02-${time}.snapshot`, size: 1 });

    it("is the earliest new one since the request, and nothing else", () => {
      const there = [snapshot("03-09-00"), snapshot("03-04-09"), snapshot("03-04-05")];
      assert.equal(lateSnapshot(mark(["a-123-2026-01-02-03-04-05.snapshot"]), there), "a-123-2026-01-02-03-04-09.snapshot");
      assert.equal(lateSnapshot(mark([]), there), "a-123-2026-01-02-03-04-05.snapshot");
    });

    it("is none that is older, was there before, or is named by somebody else", () => {
      assert.equal(lateSnapshot(mark([]), [snapshot("03-03-59"), { name: "mine.snapshot", size: 1 }]), null);
      assert.equal(lateSnapshot(mark([]), []), null);
    });
  });

  describe("space", () => {
    const output = "10485760\t/pbjrag/qdrant\n5242880\t/pbjrag/uploads\nFilesystem 1B-blocks Used Available Use% Mounted on\noverlay 1000000000 1 400000000 1% /\n";

    it("is read from what du and df print", () => {
      assert.deepEqual(parseMeasured(output), { used: { qdrant: 10 * MiB, uploads: 5 * MiB }, docker: { total: 1_000_000_000, free: 400_000_000 } });
      assert.deepEqual(parseMeasured(output.slice(output.indexOf("5242880")))?.used, { qdrant: 0, uploads: 5 * MiB });
      assert.equal(parseMeasured("sh: du: not found"), null);
      assert.equal(parseMeasured(""), null);
    });

    const measured = (dockerTotal: number, dockerFree: number) => ({ used: { qdrant: 100 * MiB, uploads: 50 * MiB }, docker: { total: dockerTotal, free: dockerFree } });
    const full = (error: unknown): boolean => error instanceof BackupProblem && error.code === "disk-full";

    it("must do for both archives, and for the scratch where Docker keeps its data", () => {
      assert.equal(neededFor(measured(1, 1)), 166 * MiB);
      assert.doesNotThrow(() => assertSpace("/b", { total: 2, free: 166 * MiB }, measured(1, 300 * MiB)));
      assert.throws(() => assertSpace("/b", { total: 2, free: 165 * MiB }, measured(1, 300 * MiB)), full);
      assert.throws(() => assertSpace("/b", { total: 2, free: 166 * MiB }, measured(1, 299 * MiB)), full);
    });

    it("must do for all of it where both are one file system", () => {
      assert.throws(() => assertSpace("/b", { total: 1, free: 465 * MiB }, measured(1, 465 * MiB)), /466 MiB in \/b and 465 MiB are free/);
      assert.doesNotThrow(() => assertSpace("/b", { total: 1, free: 466 * MiB }, measured(1, 466 * MiB)));
    });
  });

  it("has an outcome without a backup that its own form takes", () => {
    assert.deepEqual(backupOutcomeSchema.parse(noBackup("none")), noBackup("none"));
    assert.equal(backupRequestSchema.safeParse({}).success, false);
  });
});
