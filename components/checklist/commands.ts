/** Which command looks at tests, types, or style of a tree, by what the tree says of itself. Pure but for reading the tree. */
import { z } from "zod";
import type { Tree } from "./model.js";

export type Looked = "lint" | "types" | "tests";

export interface Command {
  argv: readonly [string, ...string[]];
  /** Must succeed before it, else it cannot be run here at all: a tool that is not installed is no failed test. */
  first: readonly (readonly [string, ...string[]])[];
}

const PYTHON_TEST = /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/;
const packageSchema = z.object({ scripts: z.record(z.string(), z.string()).optional() });

/** Null: the tree says nothing of such a thing. @param configured the operator's own, for a shell */
export function commandFor(looked: Looked, tree: Tree, configured: string | undefined): Command | null {
  if (configured !== undefined) return { argv: ["bash", "-c", configured], first: [] };
  return ofNode(looked, tree) ?? ofPython(looked, tree);
}

function ofNode(looked: Looked, tree: Tree): Command | null {
  if (!tree.files.includes("package.json")) return null;
  const { scripts = {} } = packageSchema.parse(JSON.parse(tree.read("package.json")));
  const first: Command["first"] = tree.files.includes("package-lock.json") ? [["npm", "ci", "--no-audit", "--no-fund"]] : [];
  const name = { tests: "test", lint: "lint", types: "typecheck" }[looked];
  if (scripts[name] !== undefined) return { argv: ["npm", "run", "--silent", name], first };
  if (looked === "types" && tree.files.includes("tsconfig.json")) return { argv: ["npx", "--no-install", "tsc", "--noEmit"], first: [...first, ["npx", "--no-install", "tsc", "--version"]] };
  return null;
}

function ofPython(looked: Looked, tree: Tree): Command | null {
  const project = tree.files.includes("pyproject.toml") ? tree.read("pyproject.toml") : "";
  const module = (name: string, ...args: string[]): Command => ({ argv: ["python3", "-m", name, ...args], first: [["python3", "-m", name, "--version"]] });
  if (looked === "tests") return tree.files.some((file) => PYTHON_TEST.test(file)) ? module("pytest", "-q") : null;
  if (looked === "types") return tree.files.includes("mypy.ini") || /^\[tool\.mypy\]/m.test(project) ? module("mypy", ".") : null;
  return tree.files.some((file) => file === "ruff.toml" || file === ".ruff.toml") || /^\[tool\.ruff/m.test(project) ? module("ruff", "check", ".") : null;
}
