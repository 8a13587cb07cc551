import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Tree } from "./model.js";

/** All files below a directory; links are not followed. */
export function treeAt(root: string): Tree {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
  return { root, files, read: (file) => readFileSync(path.join(root, file), "utf8") };
}
