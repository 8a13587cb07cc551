import { errors, ReleaseError } from "../../components/runtime/errors.js";
import type { Settings } from "../../components/settings/schema.js";
import { UNREACHABLE } from "../../components/source/git.js";
import { wantedProblem } from "../../components/source/source.js";
import { listTags, newestTag } from "../../components/source/tags.js";
import { localBackend, readLocalState } from "./local-state.js";
import type { Workspace } from "./workspace.js";

/**
 * The tag that was asked for, else the newest release tag of the source. Looked for there before an engine is started, which takes ten
 * seconds to say the same.
 *
 * @throws ReleaseError `usage` where there is none, `sourceRefused` where the one asked for is none, `sourceUnreachable`
 */
export async function tagOrNewest(ws: Workspace, settings: Pick<Settings, "source" | "allowUntagged">, asked: string | undefined): Promise<string> {
  if (asked !== undefined) {
    await assertWanted(ws, settings, asked);
    return asked;
  }
  const tag = newestTag(await listTags(settings.source, ws.projectDir));
  if (tag === null) throw errors.usage({ why: "the source has no release tag", next: "tag a commit (git tag -a v1.0.0) or name one with --version" });
  return tag;
}

async function assertWanted(ws: Workspace, { source, allowUntagged }: Pick<Settings, "source" | "allowUntagged">, version: string): Promise<void> {
  try {
    const problem = await wantedProblem({ source, version, allowUntagged, projectDir: ws.projectDir });
    if (problem !== null) throw problem;
  } catch (error) {
    // What was released here can be declared again while its source is out of reach: only the ledger, and so the engine, knows of it.
    if (error instanceof ReleaseError && error.code === UNREACHABLE && mayBeRecorded(ws)) return;
    throw error;
  }
}

function mayBeRecorded(ws: Workspace): boolean {
  return localBackend(ws) === null || readLocalState(ws) !== null;
}
