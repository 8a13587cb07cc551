import { execa } from "execa";
import { type Channel, Refused } from "./model.js";

/** Characters of what a hook says that are told when it fails. */
const SAID = 300;

/**
 * Runs a file of the operator's with the event as JSON on its standard input; exit code 0 means that it took it. Its environment holds
 * nothing of Pulumi's: neither passphrase nor token.
 * @param file absolute, or relative to `cwd`
 */
export function commandChannel(file: string, timeoutMs: number, cwd: string): Channel {
  return {
    name: "command",
    send: async (event) => {
      const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:PULUMI|PBJRAG)_/.test(name)));
      const child = execa(file, [], {
        cwd, input: `${JSON.stringify(event)}\n`, env, extendEnv: false, preferLocal: false, reject: false, detached: true, cleanup: false, stdout: "ignore", maxBuffer: 64 * 1024,
      });
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        endGroup(child.pid);
      }, timeoutMs);
      const result = await child.finally(() => clearTimeout(timer));
      if (late) throw new Error(`it did not end within ${timeoutMs} ms`);
      if (!result.failed) return;
      if (result.code === "ENOENT" || result.code === "EACCES") throw new Refused(`${file} cannot be run: ${result.code}`);
      throw new Error(`it ended with ${result.exitCode ?? result.signal ?? "an error"}: ${result.stderr.trim().slice(-SAID)}`);
    },
  };
}

/** With what it has started itself. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}
