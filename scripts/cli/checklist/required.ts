import { passProblem } from "../../../components/checklist/passed.js";
import { EXIT, ReleaseError } from "../../../components/runtime/errors.js";
import type { Settings } from "../../../components/settings/schema.js";
import { listTags } from "../../../components/source/tags.js";
import type { Workspace } from "../workspace.js";
import { readChecked } from "./kept.js";

/**
 * A release on production needs a fresh pass of its tag's checklist, or a reason for none, which its record keeps.
 *
 * @returns what to write down of it; "" where none is needed
 * @throws ReleaseError `checklistOpen`
 */
export async function assertChecklist(ws: Workspace, settings: Pick<Settings, "environment" | "source" | "checklist">, version: string, now: number = Date.now()): Promise<string> {
  if (settings.environment !== "prod") return "";
  const { skipReason, maxAge } = settings.checklist;
  if (skipReason !== "") return `the checklist was skipped: ${skipReason}`;
  const commit = (await listTags(settings.source, ws.projectDir)).find(({ tag }) => tag === version)?.commit ?? version;
  const checked = readChecked(ws.paths, version);
  const problem = passProblem(checked, commit, now, maxAge);
  if (problem === null) return `the checklist of ${version} was passed at ${checked?.at ?? ""}`;
  throw new ReleaseError({
    code: "checklistOpen", exitCode: EXIT.refused, what: `The checklist of ${version} is not passed`, why: problem,
    next: `run scripts/checklist.sh --stack ${ws.stack} --version ${version}, or say why not: --skip-checklist "reason", which is recorded`,
  });
}
