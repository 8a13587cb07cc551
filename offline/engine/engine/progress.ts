/** How far an update is, and whether it still goes on. */
export class Progress {
  /** Nothing new is begun any more: a step has failed, or the operator wants it to end. */
  stopped = false;
  /** Whether a step, or the program, has failed. */
  failed = false;
  /** Whether the operator has cancelled. */
  cancelled = false;

  private running = 0;
  private waiting: (() => void)[] = [];
  private readonly finish: () => void;
  private readonly done: () => void;

  /** Settles when the update has ended. */
  readonly ended: Promise<void>;
  /** Settles when the program has said that it has registered everything. */
  readonly registered: Promise<void>;

  constructor() {
    let finish = (): void => undefined;
    let done = (): void => undefined;
    this.ended = new Promise((resolve) => (finish = resolve));
    this.registered = new Promise((resolve) => (done = resolve));
    this.finish = finish;
    this.done = done;
  }

  /** The program has registered everything. */
  programDone(): void {
    this.done();
  }

  /** The update has ended. */
  end(): void {
    this.finish();
  }

  /** A step has failed: the running ones end, no other begins. */
  fail(): void {
    this.failed = true;
    this.stop();
  }

  /** The program has reported an error, but may go on: nothing is deleted in the end. */
  sawError(): void {
    this.failed = true;
  }

  /** The operator wants it to end after the running steps. */
  cancel(): void {
    this.cancelled = true;
    this.stop();
  }

  /** Runs a step that a stop must wait for. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.running += 1;
    try {
      return await work();
    } finally {
      this.running -= 1;
      this.settle();
    }
  }

  /** Settles when the update has been stopped and the last step has ended. */
  get idle(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.settle();
    });
  }

  private stop(): void {
    this.stopped = true;
    this.settle();
  }

  private settle(): void {
    if (!this.stopped || this.running > 0) return;
    // A turn later: the step that has just ended is still to report its error.
    setImmediate(() => {
      if (this.running > 0) return;
      for (const resolve of this.waiting.splice(0)) resolve();
    });
  }
}
