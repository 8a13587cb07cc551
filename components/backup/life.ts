/** What a container has done so far, as Docker tells it. */
export interface Done {
  /** Milliseconds of processor time. */
  cpuMs: number;
  /** The last line of its log. */
  said: string;
}

/** Processor time, in milliseconds, that is work: an idle Qdrant's threads wake up as well. */
const WORK_MS = 100;

/** Tells a container that works, however slowly, from one that hangs. Times in milliseconds, on one clock. */
export class SignsOfLife {
  private last: Done | null = null;
  private at: number;

  constructor(now: number) {
    this.at = now;
  }

  /**
   * @param done null: Docker did not tell, which is no fault of the container's
   * @returns for how long it has shown no sign
   */
  silence(now: number, done: Done | null): number {
    const shown = done === null || this.last === null || done.said !== this.last.said || done.cpuMs - this.last.cpuMs >= WORK_MS;
    if (shown) {
      this.at = now;
      this.last = done ?? this.last;
    }
    return now - this.at;
  }
}
