import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { ROOT } from "./project.js";

export const WORKFLOWS = join(ROOT, ".github", "workflows");

const step = z.looseObject({ name: z.string().optional(), uses: z.string().optional(), run: z.string().optional(), env: z.record(z.string(), z.string()).optional(), with: z.record(z.string(), z.unknown()).optional() });
const job = z.looseObject({
  "runs-on": z.union([z.string(), z.array(z.string())]),
  environment: z.string().optional(),
  permissions: z.record(z.string(), z.string()).optional(),
  concurrency: z.looseObject({ group: z.string() }).optional(),
  "timeout-minutes": z.number().optional(),
  steps: z.array(step),
});
const workflow = z.looseObject({ permissions: z.record(z.string(), z.string()).optional(), jobs: z.record(z.string(), job) });

export type Workflow = z.infer<typeof workflow>;
export type Step = z.infer<typeof step>;

export interface WorkflowFile {
  name: string;
  text: string;
  parsed: Workflow;
}

export function workflows(): WorkflowFile[] {
  return readdirSync(WORKFLOWS).sort().map((name) => {
    const text = readFileSync(join(WORKFLOWS, name), "utf8");
    return { name, text, parsed: workflow.parse(parse(text)) };
  });
}

/** A job's step that runs a script, by its name. */
export function stepOf(file: string, jobName: string, stepName: string): Step & { run: string } {
  const found = workflows().find(({ name }) => name === file)?.parsed.jobs[jobName]?.steps.find(({ name }) => name === stepName);
  if (found?.run === undefined) throw new Error(`${file} has no step "${stepName}" in job ${jobName} that runs a script`);
  return { ...found, run: found.run };
}
