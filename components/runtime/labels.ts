/** Labels on everything that Docker keeps for a stack: how a run finds what is ours without the Pulumi state. */

export const LABEL = {
  stack: "pbjrag.stack",
  role: "pbjrag.role",
  revision: "pbjrag.revision",
  generation: "pbjrag.generation",
  run: "pbjrag.run",
} as const;

export type Role = "app" | "qdrant" | "proxy" | "scratch" | "helper" | "data";

export interface LabelValues {
  stack: string;
  role: Role;
  /** Of an app container. */
  revision?: string;
  /** Of Qdrant and of data volumes. */
  generation?: string;
  /** Run id, on what handlers and backups make and remove themselves. */
  run?: string;
}

/** Labels as Docker takes them; what is undefined is left out. */
export function labels(values: LabelValues): Record<string, string> {
  const result: Record<string, string> = { [LABEL.stack]: values.stack, [LABEL.role]: values.role };
  for (const key of ["revision", "generation", "run"] as const) {
    const value = values[key];
    if (value !== undefined) {
      result[LABEL[key]] = value;
    }
  }
  return result;
}

/** The same as Docker's API filters by: `key=value`. */
export function labelFilter(values: Partial<LabelValues>): string[] {
  return (["stack", "role", "revision", "generation", "run"] as const).flatMap((key) => {
    const value = values[key];
    return value === undefined ? [] : [`${LABEL[key]}=${value}`];
  });
}

/** The same as Pulumi's Docker resources take them. */
export function labelList(values: LabelValues): { label: string; value: string }[] {
  return Object.entries(labels(values)).map(([label, value]) => ({ label, value }));
}
