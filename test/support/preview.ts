import assert from "node:assert/strict";
import { z } from "zod";
import type { Project } from "./project.js";

const schema = z.object({ steps: z.array(z.object({ op: z.string(), urn: z.string() })) });

/**
 * What `pulumi preview` would do with the stack's config: `create docker:index/image:Image image-v3.0.0-c2efaa7a2226`, sorted. What
 * stays the same or is only read is left out; the digests in revisions are written as `#`.
 */
export async function operations(project: Project, args: readonly string[] = []): Promise<string[]> {
  const ended = await project.pulumi(["preview", "--json", "--non-interactive", ...args]);
  assert.equal(ended.exitCode, 0, ended.all);
  return schema.parse(JSON.parse(ended.stdout)).steps
    .filter(({ op }) => op !== "same" && op !== "read")
    .map(({ op, urn }) => {
      const [type = "", name = ""] = urn.split("::").slice(-2);
      return `${op} ${type.split("$").at(-1) ?? ""} ${name.replace(/-[0-9a-f]{8}(?=$|-\d+$)/, "-#")}`;
    })
    .sort();
}

/** Nothing is to be done. */
export async function assertNoChange(project: Project): Promise<void> {
  const ended = await project.pulumi(["preview", "--expect-no-changes", "--non-interactive"]);
  assert.equal(ended.exitCode, 0, ended.all);
}
