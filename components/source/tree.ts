/** What a commit holds, and whether it can be a build context. Pure but for reading the list from the mirror. */
import { errors } from "../runtime/errors.js";
import type { Mirror } from "./mirror.js";
import { OBJECT_ID } from "./names.js";

export interface TreeEntry {
  /** Within the tree, POSIX. */
  path: string;
  /** Object's id. */
  id: string;
  kind: "file" | "executable" | "symlink" | "submodule";
  /** Bytes; 0 of a submodule. */
  size: number;
}

const KINDS: Readonly<Record<string, TreeEntry["kind"]>> = { "100644": "file", "100664": "file", "100755": "executable", "120000": "symlink", "160000": "submodule" };

export async function readTree(mirror: Mirror, commit: string): Promise<TreeEntry[]> {
  const text = await mirror.git().raw(["ls-tree", "-r", "-l", "-z", "--full-tree", commit]);
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => parseEntry(line, commit));
}

const ENTRY = new RegExp(`^(\\d{6}) \\w+ (${OBJECT_ID}) +(\\d+|-)\\t([^]+)$`);

function parseEntry(line: string, commit: string): TreeEntry {
  const match = ENTRY.exec(line);
  const kind = KINDS[match?.[1] ?? ""];
  if (match?.[2] === undefined || match[4] === undefined || kind === undefined) {
    throw refused(commit, `git lists an entry that is no file: ${JSON.stringify(line.slice(0, 120))}`, "remove it and tag again");
  }
  return { kind, id: match[2], size: match[3] === "-" ? 0 : Number(match[3]), path: match[4] };
}

/** @throws ReleaseError for what cannot be exported as it is meant: submodules, and paths that lead elsewhere */
export function assertExportable(entries: readonly TreeEntry[], commit: string): void {
  const submodules = entries.filter((entry) => entry.kind === "submodule" || entry.path === ".gitmodules");
  if (submodules.length > 0) {
    throw refused(commit, `it has submodules (${few(submodules.map((entry) => entry.path))}), whose content is not in the repository`, "put their content into the repository, or install it in the Dockerfile");
  }
  const bad = entries.filter((entry) => !isPlainPath(entry.path));
  if (bad.length > 0) {
    throw refused(commit, `it has paths that cannot be exported (${few(bad.map((entry) => JSON.stringify(entry.path)))})`, "rename them and tag again");
  }
}

function isPlainPath(path: string): boolean {
  // U+FFFD stands where a name is no UTF-8.
  return !/[\0-\x1f\ufffd]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part.toLowerCase() !== ".git");
}

/** Largest blob that may be a pointer of Git LFS, in bytes. */
export const POINTER_MAX = 1024;

export function isLfsPointer(content: Buffer): boolean {
  return content.length < POINTER_MAX && content.toString("utf8").startsWith("version https://git-lfs.github.com/spec/");
}

export function lfsRefused(commit: string, paths: readonly string[]): Error {
  return refused(commit, `it has files that Git LFS keeps elsewhere (${few(paths)}), so the build would get pointers in their place`, "put the files into git itself, or fetch them in the Dockerfile");
}

/**
 * Whether a link stays within the tree. `..` may only come first: further on it would depend on where other links lead.
 */
export function linkStaysInside(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0")) {
    return false;
  }
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const up = parts.findIndex((part) => part !== "..");
  const climbs = up < 0 ? parts.length : up;
  return !parts.slice(climbs).includes("..") && climbs < path.split("/").length;
}

export function linkRefused(commit: string, path: string, target: string): Error {
  return refused(commit, `its link ${path} leads out of the repository (to ${JSON.stringify(target)})`, "replace the link by what it leads to and tag again");
}

function refused(commit: string, why: string, next: string): Error {
  return errors.sourceRefused({ subject: `Commit ${commit.slice(0, 12)}`, why, next });
}

function few(names: readonly string[]): string {
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}
