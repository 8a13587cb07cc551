/** Work bounded in time. */

/**
 * Runs `work` with a signal that is aborted after `ms`; rejects with `late()` then, even if the work ignores the signal.
 * The timer does not outlive the work.
 */
export async function withDeadline<T>(ms: number, late: () => Error, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      // Rejecting first: aborting makes the work reject too, with words that say less.
      reject(late());
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** A deadline that can be moved on while it runs. */
export class MovableDeadline {
  private readonly began = performance.now();
  private timer: NodeJS.Timeout;

  /**
   * @param allMs milliseconds from now on
   * @param late called once it has passed, with all the milliseconds that there were
   */
  constructor(private allMs: number, private readonly late: (allMs: number) => void) {
    this.timer = this.start();
  }

  /** Milliseconds left, at least 1. */
  remaining(): number {
    return Math.max(1, Math.round(this.began + this.allMs - performance.now()));
  }

  /** By so many milliseconds. */
  move(ms: number): void {
    clearTimeout(this.timer);
    this.allMs += ms;
    this.timer = this.start();
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  private start(): NodeJS.Timeout {
    return setTimeout(() => this.late(this.allMs), this.remaining());
  }
}
