/** Pulumi's state as it lies in its file, without asking Pulumi. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Project } from "../../support/project.js";

export interface State {
  outputs: { releases?: { tag: string }[] };
  /** Docker's names. */
  containers: string[];
  pending: unknown[];
}

interface Checkpoint {
  checkpoint: { latest?: { resources?: { type: string; inputs?: { name?: string }; outputs?: State["outputs"] }[]; pending_operations?: unknown[] } };
}

/** Null while there is none, or it is being written. */
export function readState({ paths, stack }: Project): State | null {
  let text: string;
  try {
    text = readFileSync(join(paths.state, ".pulumi", "stacks", "pbjrag", `${stack}.json`), "utf8");
  } catch {
    return null;
  }
  const { resources = [], pending_operations: pending = [] } = (parse(text))?.checkpoint.latest ?? {};
  return {
    outputs: resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {},
    containers: resources.filter(({ type }) => type === "docker:index/container:Container").map(({ inputs }) => inputs?.name ?? "").sort(),
    pending,
  };
}

function parse(text: string): Checkpoint | null {
  try {
    return JSON.parse(text) as Checkpoint;
  } catch {
    return null;
  }
}
