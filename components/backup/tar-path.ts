import { nameOf, linkOf } from "./tar-header.js";
import type { TarEntry } from "./tar-scan.js";

/** Paths in an archive: bytes, as they need not be UTF-8. Texts made of them here are latin1, which keeps each byte. */

export function entryPath({ header, pax }: TarEntry): Buffer {
  return pax?.records.findLast((record) => record.key === "path")?.value ?? nameOf(header);
}

/** What a link points at. */
export function entryTarget({ header, pax }: TarEntry): Buffer {
  return pax?.records.findLast((record) => record.key === "linkpath")?.value ?? linkOf(header);
}

/** Its parts without `.`, so that `./a//b` is `a/b` and the root `""`; null for what is absolute, climbs or is no path. */
export function insidePath(path: Buffer): string | null {
  const text = path.toString("latin1");
  if (text === "" || text.startsWith("/") || text.includes("\0")) return null;
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? null : parts.join("/");
}

/** Directories between a path and the root: 0 for one that lies in the root. */
export function depthOf(inside: string): number {
  return inside.split("/").length - 1;
}

export function parentOf(inside: string): string {
  return inside.slice(0, Math.max(0, inside.lastIndexOf("/")));
}

/**
 * How many directories a symbolic link's target climbs. Null for one that nothing can be said of: an absolute one, and one
 * that climbs after it has gone down, as what it goes through may be a link itself. A link that climbs no higher than the
 * root stays within, whatever it leads on to: those links are within as well.
 */
export function climbOf(target: Buffer): number | null {
  const text = target.toString("latin1");
  if (text === "" || text.startsWith("/") || text.includes("\0")) return null;
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  const down = parts.findIndex((part) => part !== "..");
  const climb = down === -1 ? parts.length : down;
  return parts.slice(climb).includes("..") ? null : climb;
}

/** For messages: shortened, in quotes, nothing that a terminal would act on. */
export function shownPath(path: Buffer): string {
  const text = path.toString("utf8");
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "?");
}
