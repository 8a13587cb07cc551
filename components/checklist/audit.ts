/** Known holes in what is depended on: npm's own list. */
import { z } from "zod";
import { type Answer, fail, pass, type Tree, unknown } from "./model.js";
import { runCommand } from "./run-command.js";

const report = z.object({
  vulnerabilities: z.record(z.string(), z.object({ severity: z.string(), fixAvailable: z.unknown().optional() })),
});

/** @param projectDir of this program, which has its own dependencies; the app's are looked at where they are npm's */
export async function checkAudit(projectDir: string, tree: Tree, deadlineMs: number): Promise<Answer> {
  const places = [{ name: "this program", dir: projectDir }, ...(tree.files.includes("package-lock.json") ? [{ name: "the app", dir: tree.root }] : [])];
  const answers: Answer[] = [];
  for (const { name, dir } of places) {
    const { stdout, why } = await runCommand(["npm", "audit", "--omit=dev", "--json"], dir, deadlineMs);
    answers.push(auditAnswer(name, stdout, why));
  }
  answers.push(...(await pythonAnswers(tree, deadlineMs)));
  return worst(answers);
}

/** Pure. @param why it did not end by itself, "" where it did */
export function auditAnswer(name: string, stdout: string, why: string): Answer {
  if (why !== "") return unknown(`npm audit of ${name} did not answer: ${why}`);
  const parsed = report.safeParse(json(stdout));
  if (!parsed.success) return unknown(`npm audit of ${name} could not be had: ${wordsOf(json(stdout))}`);
  const grave = Object.entries(parsed.data.vulnerabilities).filter(([, { severity }]) => severity === "high" || severity === "critical");
  return grave.length === 0 ? pass(`nothing grave is known of what ${name} depends on`) : fail(`${name} depends on what has known holes`, grave.map(([module, { severity }]) => `${module}: ${severity}`));
}

/** What a Python app depends on, where pip-audit is installed. */
async function pythonAnswers(tree: Tree, deadlineMs: number): Promise<Answer[]> {
  const lists = tree.files.filter((file) => /^requirements[^/]*\.(?:txt|lock)$/.test(file));
  if (lists.length === 0) return [];
  const { exitCode, lines, why } = await runCommand(["pip-audit", "--progress-spinner", "off", ...lists.flatMap((file) => ["-r", file])], tree.root, deadlineMs);
  if (why !== "") return [unknown(`the app has ${lists.join(", ")}, and pip-audit is not to be had here: ${why}`)];
  if (exitCode === 0) return [pass("nothing is known of what the app depends on")];
  return lines.some((line) => /\bFound \d+ known vulnerabilit/.test(line)) ? [fail("the app depends on what has known holes", lines)] : [unknown("pip-audit could not look", lines)];
}

/** The gravest decides, and all are told. Pure. */
export function worst(answers: readonly Answer[]): Answer {
  const status = (["fail", "unknown"] as const).find((one) => answers.some((answer) => answer.status === one)) ?? "pass";
  const told = answers.filter((answer) => answer.status === status);
  return { status, what: told.map(({ what }) => what).join("; "), lines: told.flatMap(({ lines }) => lines) };
}

const failure = z.object({ error: z.object({ summary: z.string().optional(), code: z.string().optional() }).optional(), message: z.string().optional() });

function wordsOf(value: unknown): string {
  const { data } = failure.safeParse(value);
  const { summary, code } = data?.error ?? {};
  return [summary, code, data?.message].find((text) => text !== undefined && text !== "") ?? "no list came";
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
