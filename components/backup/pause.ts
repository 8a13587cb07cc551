import type { Context } from "../runtime/task.js";
import { messageOf } from "../runtime/errors.js";
import { endPause, extendPause, type Keeper, keepPaused, type Paused, pauseWrites, refusedInAll, resumeWrites } from "../traffic/freeze.js";
import { pauseInWords } from "../traffic/pause-words.js";
import type { BackupRequest, HeldPause } from "./model.js";

/** The pause of users' writes that a backup was asked for, from its begin to where it ends or is handed over. */
export class WritePause {
  private held: { paused: Paused; keeper: Keeper; began: number } | null = null;
  private readonly options: { assertHolds: () => void; leaseMs: number };

  constructor(private readonly request: Pick<BackupRequest, "stack" | "pause">, private readonly context: Pick<Context, "say" | "assertHolds">) {
    this.options = { assertHolds: () => context.assertHolds(), leaseMs: request.pause?.leaseMs ?? 0 };
  }

  /** @throws ReleaseError, Error when the front door cannot pause them: nothing is paused then */
  async begin(): Promise<void> {
    const { stack, pause } = this.request;
    if (pause === undefined) return;
    const began = performance.now();
    try {
      const paused = await pauseWrites(stack, this.options);
      this.held = { paused, keeper: keepPaused(stack, this.options), began };
      this.context.say(`writes are paused: ${paused.closed} websockets closed`, { ...paused }, "info");
    } catch (error) {
      await this.resume();
      throw error;
    }
  }

  /** The uploads are read: a pause for the backup alone ends, and is told. @throws Error when it was over before */
  async read(): Promise<void> {
    const { stack, pause } = this.request;
    if (this.held === null || pause?.until !== "uploads") return;
    const { paused, keeper, began } = this.held;
    this.held = null;
    await keeper.stop();
    await endPause(stack, this.options);
    const pausedMs = Math.round(performance.now() - began);
    const refused = await refusedInAll(stack, paused.from);
    this.context.say(pauseInWords(pausedMs, paused.closed, refused), { pausedMs, refused, ...paused }, "info");
  }

  /** Leaves a pause that is to last until the route has moved to who comes next. @throws Error when it was over before */
  async handOver(): Promise<HeldPause | null> {
    // Where there was nothing to read, one for the backup alone ends here.
    await this.read();
    if (this.held === null) return null;
    const { paused, keeper } = this.held;
    await keeper.stop();
    await extendPause(this.request.stack, this.options);
    this.held = null;
    return { from: paused.from, closed: paused.closed };
  }

  /** After a failure: users write on. */
  async drop(): Promise<void> {
    if (this.held === null) return;
    const { keeper } = this.held;
    this.held = null;
    await keeper.stop();
    await this.resume();
  }

  private async resume(): Promise<void> {
    await resumeWrites(this.request.stack, this.options).catch((error: unknown) => {
      this.context.say(`the pause of writes ends by itself, as it could not be ended: ${messageOf(error)}`);
    });
  }
}
