import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./processes.js";
import { ROOT } from "./project.js";

const EXAMPLE = { qdrant: "qdrant_storage", uploads: "uploaded_codebases", backup: "backups/prod/pre-deploy-20260101-120000", image: "alpine" };

/** The README's three commands of a restore by hand, for these volumes, this backup (relative to where they run) and an image that has tar. */
export function restoreCommands(names: typeof EXAMPLE): string[] {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const block = /To restore by hand.*?```bash\n(.*?)```/s.exec(readme)?.[1];
  const commands = block?.replaceAll("\\\n", " ").trim().split("\n") ?? [];
  if (commands.length !== 3) throw new Error(`the README has ${commands.length} commands of a restore by hand, not 3`);
  return commands.map((command) => (Object.keys(EXAMPLE) as (keyof typeof EXAMPLE)[]).reduce((text, key) => text.replace(EXAMPLE[key], names[key]), command));
}

/** The README's image where it is here; else one of ours that has tar. */
export async function imageWithTar(): Promise<string> {
  const here = await run("docker", ["image", "inspect", EXAMPLE.image], { cwd: ROOT });
  return here.exitCode === 0 ? EXAMPLE.image : "python:3.11-slim";
}
