import { runBounded } from "../runtime/bounded-command.js";
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
      const { result, late } = await runBounded(file, [], { cwd, input: `${JSON.stringify(event)}\n`, env, stdout: "ignore", maxBuffer: 64 * 1024 }, timeoutMs);
      if (late) throw new Error(`it did not end within ${timeoutMs} ms`);
      if (!result.failed) return;
      if (result.code === "ENOENT" || result.code === "EACCES") throw new Refused(`${file} cannot be run: ${result.code}`);
      throw new Error(`it ended with ${result.exitCode ?? result.signal ?? "an error"}: ${result.stderr.trim().slice(-SAID)}`);
    },
  };
}
