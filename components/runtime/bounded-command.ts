import { execa, type Options, type Result } from "execa";

/**
 * Runs a command of the operator's in a process group of its own, with no environment but what it is given; when its time is over it is
 * ended with all that it has started.
 * @returns its end, whatever that is, and whether it was ended for its time
 */
export async function runBounded<O extends Options>(file: string, args: readonly string[], options: O, timeoutMs: number): Promise<{ result: Result<O & Bounded>; late: boolean }> {
  const child = execa(file, args, { ...options, ...BOUNDED });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child.pid);
  }, timeoutMs);
  return { result: await child.finally(() => clearTimeout(timer)), late };
}

const BOUNDED = { extendEnv: false, preferLocal: false, reject: false, detached: true, cleanup: false } as const;
type Bounded = typeof BOUNDED;

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}
