import assert from "node:assert/strict";
import { z } from "zod";
import type { Project } from "../../support/project.js";

/** What `status --json` must have at least. */
const schema = z.object({
  stack: z.string(),
  url: z.string().nullable(),
  version: z.string().nullable(),
  revision: z.string(),
  previous: z.string().nullable(),
  outcome: z.enum(["healthy", "unhealthy", "not released"]),
  sessions: z.record(z.string(), z.number()),
  backup: z.object({ name: z.string() }).nullable(),
  releases: z.array(z.object({ seq: z.number(), tag: z.string(), kind: z.string(), outcome: z.string() })),
  lock: z.object({ held: z.boolean() }),
});

export type StatusJson = z.infer<typeof schema>;

/** The JSON that `scripts/status.sh --json` prints: for a stack that is released and healthy. */
export async function statusOf(project: Project): Promise<StatusJson> {
  const ended = await project.script("status", ["--json"]);
  assert.equal(ended.exitCode, 0, ended.all);
  const status = schema.parse(JSON.parse(ended.stdout));
  assert.deepEqual([status.stack, status.url], [project.stack, project.url]);
  return status;
}
