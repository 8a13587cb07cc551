import { accessSync, chmodSync, constants, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Which `pulumi` the end-to-end tests run on: PBJRAG_ENGINE=real is the one on PATH, else the stand-in of offline/engine.
 * The scripts take theirs from PULUMI_BIN, so both are tried through the same commands.
 */
export const engine: "stand-in" | "real" = process.env.PBJRAG_ENGINE === "real" ? "real" : "stand-in";

/** The real `pulumi` on PATH, or null. A wrapper that our set-up made (`.release/bin`) is none. */
export function realPulumi(path = process.env.PATH ?? ""): string | null {
  const found = path.split(delimiter).filter((dir) => dir !== "" && !dir.endsWith(join(".release", "bin"))).map((dir) => join(dir, "pulumi"));
  return found.find((file) => existsSync(file) && isExecutable(file)) ?? null;
}

/** The environment that makes the scripts in `projectDir` use an engine. Throws when the real one is asked for and not there. */
export function engineEnv(projectDir: string, which: "stand-in" | "real" = engine): Record<string, string> {
  if (which === "stand-in") return { PULUMI_BIN: standIn(projectDir) };
  const real = realPulumi();
  if (real === null) throw new Error("PBJRAG_ENGINE=real, but there is no pulumi on PATH");
  return { PULUMI_BIN: real };
}

function standIn(projectDir: string): string {
  const dir = join(projectDir, ".release", "test-bin");
  const file = join(dir, "pulumi");
  mkdirSync(dir, { recursive: true });
  writeFileSync(file, `#!/bin/sh\nexec node "$(dirname "$0")/../../dist/offline/engine/main.js" "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
