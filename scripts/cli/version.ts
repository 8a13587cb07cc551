import { errors } from "../../components/runtime/errors.js";
import type { Settings } from "../../components/settings/schema.js";
import { listTags, newestTag } from "../../components/source/tags.js";
import type { Workspace } from "./workspace.js";

/** The tag that was asked for, else the newest release tag of the source. @throws ReleaseError `usage` where there is none */
export async function tagOrNewest({ projectDir }: Pick<Workspace, "projectDir">, { source }: Pick<Settings, "source">, asked: string | undefined): Promise<string> {
  const tag = asked ?? newestTag(await listTags(source, projectDir));
  if (tag === null) throw errors.usage({ why: "the source has no release tag", next: "tag a commit (git tag -a v1.0.0) or name one with --version" });
  return tag;
}
