import { mkdirSync } from "node:fs";
import path from "node:path";
import { type Checked, checkedSchema } from "../../../components/checklist/passed.js";
import { tagSlug } from "../../../components/release/names.js";
import type { DataPaths } from "../../../components/runtime/paths.js";
import { readJson } from "../../../components/runtime/whole-file.js";
import { replaceFile } from "../replace-file.js";

const fileOf = (paths: Pick<DataPaths, "run">, tag: string): string => path.join(paths.run, "checklist", `${tagSlug(tag)}.json`);

/** How the checklist of a tag went last on this machine. Null: not at all, or nobody can read it. */
export function readChecked(paths: Pick<DataPaths, "run">, tag: string): Checked | null {
  const checked = readJson(fileOf(paths, tag), checkedSchema);
  return checked?.tag === tag ? checked : null;
}

export function writeChecked(paths: Pick<DataPaths, "run">, checked: Checked): void {
  const file = fileOf(paths, checked.tag);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  replaceFile(file, `${JSON.stringify(checked, null, 2)}\n`, 0o600);
}
