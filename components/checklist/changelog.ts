/** Whether the changelog tells of the tag, and of nothing newer. Pure but for reading the tree. */
import semver from "semver";
import { versionOf } from "../source/tags.js";
import { type Answer, fail, pass, type Tree, unknown } from "./model.js";

/** `## [3.0.0] - 2024-05-06`, `## v3.0.0`, `# 3.0.0 (2024-05-06)`. */
const HEADING = /^#{1,3}\s+\[?v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\b/;

export function checkChangelog(tree: Tree, tag: string): Answer {
  const file = tree.files.find((name) => /^(?:changelog|changes|history|news)(?:\.(?:md|markdown|txt|rst))?$/i.test(name));
  if (file === undefined) return unknown("there is no changelog at the root of the tree");
  const version = versionOf(tag);
  if (version === null) return unknown(`the tag ${tag} is no version that ${file} could tell of`);
  const told = tree.read(file).split(/\r?\n/).flatMap((line) => HEADING.exec(line)?.[1] ?? []);
  if (!told.includes(version.version)) return fail(`${file} has no heading for ${version.version}`, told.slice(0, 3).map((one) => `it begins with ${one}`));
  const newer = told.filter((one) => semver.gt(one, version));
  return newer.length === 0 ? pass(`${file} tells of ${version.version}`) : fail(`${file} tells of ${newer.join(", ")}, which this tag is older than`);
}
