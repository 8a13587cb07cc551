import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun } from "../support/processes.js";
import { ROOT, type Project } from "../support/project.js";
import { ratio, row, type Measured } from "./stats.js";

const ROUNDS = 5;
const UP = ["up", "--yes", "--skip-preview", "--non-interactive", "--color", "never"];

/** An update that changes nothing of a released stack, against one of a program that declares nothing: what is ours of the time, and what Pulumi's. */
export async function measureNoChange(project: Project): Promise<Measured> {
  const empty = await emptyProgram(project.env);
  const ours = { cwd: project.dir, env: { ...project.env, PULUMI_BACKEND_URL: `file://${project.paths.state}` } };
  const up = async ({ cwd, env }: Program, stack: string): Promise<number> => (await mustRun(pulumiOf(env), [...UP, "--stack", stack], { cwd, env })).tookMs;
  try {
    const samples = { ours: [] as number[], empty: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      samples.empty.push(await up(empty, "empty"));
      samples.ours.push(await up(ours, project.stack));
    }
    const rows = [row("a released stack", "ms", samples.ours), row("an empty program", "ms", samples.empty)] as const;
    return { title: "pulumi up without a change", rows, ratios: [ratio("released to empty", ...rows)] };
  } finally {
    await rm(empty.cwd, { recursive: true });
  }
}

interface Program {
  cwd: string;
  env: Record<string, string>;
}

async function emptyProgram(env: Readonly<Record<string, string>>): Promise<Program> {
  const cwd = await mkdtemp(join(tmpdir(), "bench-empty-"));
  await mkdir(join(cwd, "state"));
  await symlink(join(ROOT, "node_modules"), join(cwd, "node_modules"));
  await writeFile(join(cwd, "Pulumi.yaml"), "name: empty\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
  await writeFile(join(cwd, "package.json"), JSON.stringify({ name: "empty", main: "index.js" }));
  await writeFile(join(cwd, "index.js"), "");
  const program = { cwd, env: { ...env, PULUMI_BACKEND_URL: `file://${join(cwd, "state")}` } };
  await mustRun(pulumiOf(env), ["stack", "init", "empty", "--non-interactive"], program);
  await mustRun(pulumiOf(env), [...UP, "--stack", "empty"], program);
  return program;
}

function pulumiOf({ PULUMI_BIN }: Readonly<Record<string, string>>): string {
  if (PULUMI_BIN === undefined) throw new Error("the project names no pulumi");
  return PULUMI_BIN;
}
