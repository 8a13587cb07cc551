import assert from "node:assert/strict";
import { MovableDeadline, withDeadline } from "../../components/runtime/deadline.js";

describe("runtime/deadline", () => {
  it("ends work that takes too long, and leaves what is done in time", async () => {
    assert.equal(await withDeadline(10_000, () => new Error("late"), () => Promise.resolve(7)), 7);
    await assert.rejects(withDeadline(1, () => new Error("late"), () => new Promise(() => undefined)), /late/);
  });

  it("can be moved on while it runs, and tells all the time that there was", async () => {
    const began = performance.now();
    const late = new Promise<number>((resolve) => {
      const deadline = new MovableDeadline(50, resolve);
      deadline.move(150);
      assert.ok(deadline.remaining() > 50 && deadline.remaining() <= 200, `${deadline.remaining()}`);
    });
    assert.equal(await late, 200);
    assert.ok(performance.now() - began >= 195);
  });

  it("says nothing once it is cleared, and never less than a millisecond", async () => {
    let told = 0;
    const deadline = new MovableDeadline(1, () => void (told += 1));
    deadline.clear();
    await new Promise<number>((resolve) => new MovableDeadline(20, resolve));
    assert.deepEqual([told, deadline.remaining()], [0, 1]);
  });
});
