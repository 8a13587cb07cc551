import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { EarlySync } from "../../components/backup/early-sync.js";

describe("backup: sending a file to the disk while it grows", () => {
  let calls: string[];
  let pending: { resolve: () => void; reject: (error: Error) => void }[];
  const handle = {
    datasync: () => {
      calls.push("datasync");
      return new Promise<void>((resolve, reject) => pending.push({ resolve, reject }));
    },
    sync: () => Promise.resolve(void calls.push("sync")),
  };

  beforeEach(() => {
    [calls, pending] = [[], []];
  });

  it("does so a piece at a time, and never twice at once", async () => {
    const early = new EarlySync(handle, 100);
    early.grown(99);
    assert.deepEqual(calls, []);
    for (const size of [100, 250, 400]) early.grown(size);
    assert.deepEqual(calls, ["datasync"]);
    pending[0]?.resolve();
    await setImmediate();
    early.grown(401);
    assert.deepEqual(calls, ["datasync", "datasync"]);
  });

  it("waits for what is under way, and then for all of it", async () => {
    const early = new EarlySync(handle, 100);
    early.grown(100);
    const ended = early.end();
    await setImmediate();
    assert.deepEqual(calls, ["datasync"]);
    pending[0]?.resolve();
    await ended;
    assert.deepEqual(calls, ["datasync", "sync"]);
  });

  it("tells of a failure that the disk told before, though it says nothing of it any more", async () => {
    const early = new EarlySync(handle, 100);
    early.grown(100);
    pending[0]?.reject(new Error("EIO: i/o error, fdatasync"));
    await setImmediate();
    early.grown(1000);
    await assert.rejects(early.end(), /EIO/);
    assert.deepEqual(calls, ["datasync"]);
  });
});
