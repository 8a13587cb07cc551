import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Tree } from "../../components/checklist/model.js";
import { treeAt } from "../../components/checklist/tree.js";

/** A tree of these files, in memory. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return { root: "/nowhere", files: Object.keys(files).sort(), read: (file) => files[file] ?? "" };
}

/** The same on the disk, for as long as it is looked at. */
export async function withTree<T>(files: Readonly<Record<string, string>>, look: (tree: Tree) => Promise<T>): Promise<T> {
  const root = mkdtempSync(path.join(tmpdir(), "tree-"));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    }
    return await look(treeAt(root));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
