import { readFileSync } from "node:fs";
import { run, start, type Running } from "./processes.js";
import { waitFor } from "./wait.js";

/** Whether strace is here and may trace. */
export async function hasStrace(): Promise<boolean> {
  const probe = await run("strace", ["-o", "/dev/null", "true"], { cwd: process.cwd() }).catch(() => null);
  return probe?.exitCode === 0;
}

/**
 * Interferes with the system calls of a process that runs already, and of its threads: `inject` as strace's `-e inject=` takes it, such as
 * `rename:signal=KILL:when=2`. strace counts by thread: with UV_THREADPOOL_SIZE=1 one thread makes all of a node program's. The process
 * stands still until it is traced; the tracer ends with it.
 */
export async function interfere(pid: number, inject: string): Promise<Running> {
  process.kill(pid, "SIGSTOP");
  const tracer = start("strace", ["-f", "-qq", "-o", "/dev/null", "-p", String(pid), "-e", `inject=${inject}`], { cwd: "/" });
  await waitFor(`strace to trace ${pid}`, () => !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/status`, "utf8")), { everyMs: 5 });
  process.kill(pid, "SIGCONT");
  return tracer;
}
