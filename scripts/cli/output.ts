/**
 * Whoever reads a command's output may stop (`| head`, a terminal that went away), and a disk that it goes to may be full: that is no
 * reason to leave a release half done. What cannot be written is left out; the run's log has all of it.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}
