/** A commit's files as a directory: the context of the Docker build. From the commit only, whatever the work tree holds. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, lstat, rename, rm, symlink, utimes, lutimes, chmod } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "../runtime/errors.js";
import { readBlobs } from "./git.js";
import { CACHE, type Mirror } from "./mirror.js";
import { assertExportable, isLfsPointer, lfsRefused, linkRefused, linkStaysInside, POINTER_MAX, readTree, type TreeEntry } from "./tree.js";

/** Where exports are, below the project's directory. */
export const EXPORTS = `${CACHE}/source`;
const FILE_MODE = 0o644;
const EXECUTABLE_MODE = 0o755;
const DIRECTORY_MODE = 0o755;

/** The build context as it is declared to Pulumi, and so kept in its state: the same from every clone. */
export function contextOf(commit: string): string {
  return `${EXPORTS}/${commit}`;
}

/**
 * Makes sure that the commit's files are at {@link contextOf}, complete and as committed. An export that is there already
 * is looked over, and made anew if somebody changed it.
 * @throws ReleaseError for submodules, Git LFS, links that lead out
 */
export async function exportCommit(mirror: Mirror, commit: string, projectDir: string): Promise<void> {
  const target = path.join(projectDir, contextOf(commit));
  const entries = await readTree(mirror, commit);
  assertExportable(entries, commit);
  const seconds = await commitTime(mirror, commit);
  const isWhole = (): Promise<boolean> => isIntact(target, entries, seconds);
  if (await isWhole()) {
    return;
  }
  const aside = path.join(projectDir, EXPORTS, `.${commit}.${process.pid}.${randomBytes(4).toString("hex")}`);
  try {
    await write(mirror, commit, entries, aside, seconds);
    await replace(aside, target, isWhole);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Seconds since 1970 of the commit: its files' time, so that the same commit makes the same image anywhere. */
async function commitTime(mirror: Mirror, commit: string): Promise<number> {
  // Without a look at its parents, which a shallow clone does not have.
  const text = await mirror.git().raw(["rev-list", "--no-walk", "--timestamp", commit]);
  return Number(text.split(" ")[0]);
}

async function write(mirror: Mirror, commit: string, entries: readonly TreeEntry[], root: string, seconds: number): Promise<void> {
  await mkdir(root, { recursive: true, mode: DIRECTORY_MODE });
  for (const directory of directoriesOf(entries)) {
    await mkdir(path.join(root, directory), { mode: DIRECTORY_MODE });
  }
  const pointers: string[] = [];
  const links: { at: string; to: string }[] = [];
  await readBlobs(mirror.dir, entries, async (entry, size, content) => {
    if (entry.kind === "symlink") {
      const to = (await whole(content)).toString("utf8");
      if (!linkStaysInside(entry.path, to)) {
        throw linkRefused(commit, entry.path, to);
      }
      links.push({ at: entry.path, to });
    } else {
      const bytes = await writeFile(path.join(root, entry.path), size, content, entry.kind === "executable" ? EXECUTABLE_MODE : FILE_MODE, seconds);
      if (bytes !== null && isLfsPointer(bytes)) {
        pointers.push(entry.path);
      }
    }
  });
  if (pointers.length > 0) {
    throw lfsRefused(commit, pointers);
  }
  // Last, so that no file is ever written through a link.
  for (const { at, to } of links) {
    const file = path.join(root, at);
    await symlink(to, file);
    await lutimes(file, seconds, seconds);
  }
}

/** All directories, each after the one it is in. */
function directoriesOf(entries: readonly TreeEntry[]): string[] {
  const found = new Set<string>();
  for (const entry of entries) {
    const parts = entry.path.split("/").slice(0, -1);
    parts.forEach((_part, index) => found.add(parts.slice(0, index + 1).join("/")));
  }
  return [...found].sort();
}

/** @returns the content where it is small enough to be looked at, else null */
async function writeFile(file: string, size: number, content: AsyncIterable<Buffer>, mode: number, seconds: number): Promise<Buffer | null> {
  const small: Buffer[] = [];
  const handle = await open(file, "wx", mode);
  try {
    for await (const part of content) {
      await handle.writeFile(part);
      if (size < POINTER_MAX) {
        small.push(Buffer.from(part));
      }
    }
    // The mode given to open() is cut by the umask, which differs from user to user.
    await handle.chmod(mode);
    await handle.utimes(seconds, seconds);
  } finally {
    await handle.close();
  }
  return size < POINTER_MAX ? Buffer.concat(small) : null;
}

async function whole(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of content) {
    parts.push(Buffer.from(part));
  }
  return Buffer.concat(parts);
}

/** Moves a complete export into place. What is there stays if it is whole: another process may be building from it. */
async function replace(aside: string, target: string, isWhole: () => Promise<boolean>): Promise<void> {
  await fixDirectories(aside);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await rename(aside, target);
      return;
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(codeOf(error))) {
        throw error;
      }
    }
    if (await isWhole()) {
      return;
    }
    await discard(target);
  }
  throw new Error(`${target} is changed by somebody all the time`);
}

/** Out of the way first, so that nobody ever sees half of it. */
async function discard(target: string): Promise<void> {
  const old = path.join(path.dirname(target), `.${path.basename(target)}.old.${process.pid}.${randomBytes(4).toString("hex")}`);
  try {
    await rename(target, old);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") {
      throw error;
    }
  }
  await rm(old, { recursive: true, force: true });
}

/** The umask cuts a directory's mode too. */
async function fixDirectories(root: string): Promise<void> {
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) {
      await chmod(path.join(entry.parentPath, entry.name), DIRECTORY_MODE);
    }
  }
  await chmod(root, DIRECTORY_MODE);
}

/** By names, kinds, sizes, modes and times, not by content: an edit changes the time at least. */
async function isIntact(root: string, entries: readonly TreeEntry[], seconds: number): Promise<boolean> {
  try {
    const there = await readdir(root, { withFileTypes: true, recursive: true });
    const files = there.filter((entry) => !entry.isDirectory());
    if (files.length !== entries.length || there.length - files.length !== directoriesOf(entries).length) {
      return false;
    }
    const checks = entries.map(async (entry) => {
      const stat = await lstat(path.join(root, entry.path));
      const kind = entry.kind === "symlink" ? stat.isSymbolicLink() : stat.isFile() && (stat.mode & 0o777) === (entry.kind === "executable" ? EXECUTABLE_MODE : FILE_MODE);
      return kind && stat.size === entry.size && stat.mtimeMs === seconds * 1000;
    });
    return (await Promise.all(checks)).every(Boolean);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) {
      return false;
    }
    throw error;
  }
}

/** Marks an export as used now: the oldest are pruned. */
export async function touchExport(projectDir: string, commit: string, now: Date): Promise<void> {
  await utimes(path.join(projectDir, contextOf(commit)), now, now);
}
