/** How long a step may take that reads or writes all data. Pure. */

const GIB = 1024 ** 3;
const MINUTE_MS = 60_000;
/** For each GiB: 9 MB/s from end to end, however often it is read and written on the way. */
const PER_GIB_MS = 2 * MINUTE_MS;
/** The most that size may add, whatever a manifest or a file system says of it: that of 720 GiB. */
const MOST_MS = 24 * 60 * MINUTE_MS;
/** For removing what an ended step had made. */
const CLEAN_UP_MS = 10 * MINUTE_MS;

/** Milliseconds to add to a step's deadline for so many bytes: whole seconds, as people are told of it. */
export function allowanceFor(bytes: number): number {
  return Math.min(MOST_MS, Math.floor((Math.max(0, bytes) / GIB) * (PER_GIB_MS / 1000)) * 1000);
}

/**
 * Pulumi's own time-out for a step whose process keeps its deadline by itself, as Go writes durations. It is for a process that
 * cannot end any more: never the first to end one, however large the data turns out to be, which no plan can know.
 * @param deadlineMs of the process, without what its size adds
 */
export function engineTimeout(deadlineMs: number): string {
  return `${Math.ceil((deadlineMs + MOST_MS + CLEAN_UP_MS) / MINUTE_MS)}m`;
}
