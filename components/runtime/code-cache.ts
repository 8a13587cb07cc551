/**
 * Loads a program that was made one file, `NAME.code.cjs`, with what V8 compiled of it beside it, `NAME.cache` (see scripts/lib/bundle.mjs).
 * Without that, a third of the time in which a short command starts goes into compiling. Node has the same from version 22 on as `module.enableCompileCache`.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire, wrap } from "node:module";
import path from "node:path";
import vm from "node:vm";

/** Environment variable with the name of the program whose cache is to be made: when the process ends, of all that it has run by then. */
export const MAKE = "PBJRAG_MAKE_CODE_CACHE";

type Body = (exports: unknown, require: NodeJS.Require, module: { exports: unknown }, filename: string, dirname: string) => void;

/**
 * Runs it as `require` would, but that it cannot `import()`. A cache that is missing, or of another V8, of other flags, or of a text of another length, costs time and nothing else.
 *
 * @param directory absolute, where its files are
 * @returns what it exports
 * @throws Error when `NAME.code.cjs` cannot be read, and whatever the program throws
 */
export function load(directory: string, name: string): unknown {
  const file = path.join(directory, `${name}.code.cjs`);
  const cache = path.join(directory, `${name}.cache`);
  const script = new vm.Script(wrap(readFileSync(file, "utf8")), { filename: file, cachedData: readCache(cache) });
  if (process.env[MAKE] === name) process.once("exit", () => writeCache(cache, script.createCachedData()));
  const module = { exports: {} as unknown };
  (script.runInThisContext() as Body)(module.exports, createRequire(file), module, file, directory);
  return module.exports;
}

function readCache(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

function writeCache(file: string, data: Buffer): void {
  writeFileSync(`${file}.new`, data);
  renameSync(`${file}.new`, file);
}
