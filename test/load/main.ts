/**
 * The load generator's process. Exit codes: 0 clean, 1 something failed or was cut, 2 wrong arguments, 3 the wanted rate was not reached.
 * SIGTERM or SIGINT ends the run; the result is written in any case.
 */
import { rename, writeFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { CommanderError } from "commander";
import { parseOptions, type LoadOptions } from "./options.js";
import { run } from "./run.js";

async function main(): Promise<number> {
  let options: LoadOptions;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.stderr.write(error.exitCode === 0 ? "" : `load: ${error.message}\n`);
    return error.exitCode === 0 ? 0 : 2;
  }
  keepTime();
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => stop.abort());
  const result = await run(options, stop.signal, (line) => process.stderr.write(`${line}\n`));
  await writeFile(`${options.out}.partial`, `${JSON.stringify(result, null, 1)}\n`);
  await rename(`${options.out}.partial`, options.out);
  if (!result.valid) {
    process.stderr.write(`load: INVALID: ${Math.floor(result.rate.reached * 1000) / 10} % of the requests left on time; 99 % are needed\n`);
    return 3;
  }
  return result.clean ? 0 : 1;
}

/** Image builds beside it would else delay the sender and not only the answers. Needs root; without it the result says whether the rate was reached. */
function keepTime(): void {
  try {
    setPriority(-10);
  } catch {
    process.stderr.write("load: running at normal priority\n");
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`load: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
    process.exit(3);
  },
);
