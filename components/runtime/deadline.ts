/** A promise bounded in time. */

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
