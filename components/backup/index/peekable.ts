/** A stream whose next value can be looked at before it is taken. */
export class Peekable<T> {
  private readonly values: AsyncIterator<T>;
  private held: T | null = null;
  private ended = false;

  constructor(source: AsyncIterable<T>) {
    this.values = source[Symbol.asyncIterator]();
  }

  /** Null at the end. */
  async peek(): Promise<T | null> {
    if (this.held !== null || this.ended) return this.held;
    const result = await this.values.next();
    if (result.done === true) this.ended = true;
    else this.held = result.value;
    return this.held;
  }

  async next(): Promise<T | null> {
    const value = await this.peek();
    this.held = null;
    return value;
  }

  /** Lets the source end early. */
  async close(): Promise<void> {
    await this.values.return?.();
  }
}
