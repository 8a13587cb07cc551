import { createHash } from "node:crypto";
import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Reads a text file; undefined when there is none. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a file whole or not at all: a kill leaves the old one. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.partial`;
  const handle = openSync(partial, "w", 0o644);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(partial, path);
}

/** Removes what killed processes had begun to write in a directory. */
export function sweepPartials(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const [, pid] = /\.(\d+)\.partial$/.exec(name) ?? [];
    if (pid !== undefined && !lives(Number(pid))) rmSync(join(directory, name), { force: true });
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Writes a file of the backend, with the sidecar that the real one keeps beside each. */
export function writeBlob(path: string, text: string, options: { backup?: boolean } = {}): void {
  if (options.backup === true && existsSync(path)) {
    copyFileSync(path, `${path}.bak`);
    if (existsSync(`${path}.attrs`)) copyFileSync(`${path}.attrs`, `${path}.bak.attrs`);
  }
  writeWhole(path, text);
  writeWhole(`${path}.attrs`, attributes(text));
}

/** Gives a file of the backend another name, its sidecar with it. */
export function moveBlob(from: string, to: string): void {
  renameSync(from, to);
  if (existsSync(`${from}.attrs`)) renameSync(`${from}.attrs`, `${to}.attrs`);
}

/** Removes a file of the backend with its sidecar. */
export function removeBlob(path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}.attrs`, { force: true });
}

function attributes(text: string): string {
  return JSON.stringify({
    "user.cache_control": "",
    "user.content_disposition": "",
    "user.content_encoding": "",
    "user.content_language": "",
    "user.content_type": "text/plain; charset=utf-8",
    "user.metadata": null,
    md5: createHash("md5").update(text).digest("base64"),
  });
}
