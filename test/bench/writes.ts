import type { TestQdrant } from "../support/qdrant.js";
import type { randomPoints } from "../support/backup.js";

/** One user who writes the same points again and again, each time waiting for the answer. */
export class Writes {
  constructor(private readonly qdrant: TestQdrant, private readonly collection: string, private readonly points: ReturnType<typeof randomPoints>) {}

  /** As long as something lasts. @returns milliseconds of each write */
  async during(something: Promise<unknown>): Promise<number[]> {
    const state = { over: false };
    const over = something.finally(() => (state.over = true));
    // Told by whoever waits for the last line.
    over.catch(() => undefined);
    const took: number[] = [];
    do took.push(await this.one()); while (!state.over);
    await over;
    return took;
  }

  /** So many. @returns milliseconds of each write */
  async some(count: number): Promise<number[]> {
    const took: number[] = [];
    for (let written = 0; written < count; written += 1) took.push(await this.one());
    return took;
  }

  private async one(): Promise<number> {
    const began = performance.now();
    await this.qdrant.upsert(this.collection, this.points);
    return performance.now() - began;
  }
}
