/** The vocabulary of the checklist before a release. */
import { z } from "zod";

/** `unknown`: it could not be looked at here, which is not for a program to wave through: a person must tick it. */
export const checkResultSchema = z.object({
  name: z.string(),
  status: z.enum(["pass", "fail", "unknown"]),
  /** In one sentence. */
  what: z.string(),
  /** Evidence. */
  lines: z.array(z.string()),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

/** What a check answers; its name is known by who asked. */
export type Answer = Omit<CheckResult, "name">;

export const pass = (what: string): Answer => ({ status: "pass", what, lines: [] });
export const fail = (what: string, lines: readonly string[] = []): Answer => ({ status: "fail", what, lines: [...lines] });
export const unknown = (what: string, lines: readonly string[] = []): Answer => ({ status: "unknown", what, lines: [...lines] });

/** Something that a person has looked at. */
export const tickSchema = z.object({ name: z.string(), by: z.string() });
export type Tick = z.infer<typeof tickSchema>;

/** A tree of files to look at: the app's, as committed. */
export interface Tree {
  /** Absolute. */
  root: string;
  /** Paths below it, sorted. */
  files: readonly string[];
  /** @throws where there is no such file */
  read(file: string): string;
}
