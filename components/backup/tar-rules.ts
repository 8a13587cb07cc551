import { PathIndex } from "./path-index.js";
import { assertForm, BLOCK, sizeOf, TarError } from "./tar-header.js";
import { climbOf, depthOf, entryPath, entryTarget, insidePath, parentOf, shownPath } from "./tar-path.js";
import type { TarEntry, TarSink } from "./tar-scan.js";

/** What an archive holds, as its manifest says. */
export interface Expected {
  /** Regular files and hard links. */
  files: number;
  /** Bytes of regular files' content. */
  bytes: number;
}

/** Directories and symbolic links, which the manifest does not count: each is no more than a name. */
const MAX_OTHERS = 4_000_000;
/** Zeros that may follow the end: writers fill up to a record of theirs. Bytes. */
const MAX_TRAILER = 1024 * 1024;

/** In the index. From LINK on: a symbolic link that climbs so many directories more. */
const [DIRECTORY, FILE, LINK] = [1, 2, 3] as const;
const MAX_CLIMB = 250;

const PAX_KEYS = new Set(["path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime", "atime", "ctime"]);
const PAX_XATTR = "SCHILY.xattr.";

/**
 * Refuses what no archive of ours holds: a path that is absolute or climbs, a link that leads out, a device, a name that is used twice or
 * lies below something that is no directory, more than the manifest says, a form that two readers could read differently.
 * Memory is small and grows with the number of entries alone. Every method throws TarError.
 */
export class TarRules implements TarSink {
  private files = 0;
  private bytes = 0;
  private readonly index = new PathIndex();
  private others = 0;
  private trailer = 0;
  private lastParent = "";

  /** @param expected null where no manifest says it yet */
  constructor(private readonly expected: Expected | null) {}

  /** To be called when the archive is over: it holds no less than the manifest says. */
  assertComplete(): void {
    if (this.expected === null) return;
    const { files, bytes } = this.expected;
    if (this.files === files && this.bytes === bytes) return;
    throw new TarError(`it holds ${this.files} files with ${this.bytes} bytes, and the manifest says ${files} with ${bytes}`);
  }

  body(): void {
    // What a file holds is no business of these rules.
  }

  end(): void {
    this.trailer += BLOCK;
    if (this.trailer > MAX_TRAILER) throw new TarError("zeros without end follow the archive");
  }

  entry(entry: TarEntry): void {
    assertForm(entry.header);
    const { type } = entry;
    const raw = entryPath(entry);
    const refuse = (why: string): TarError => new TarError(`entry ${shownPath(raw)} ${why}`);
    const path = insidePath(raw);
    if (path === null) throw refuse("leads out of the archive");
    if (type === "device" || type === "fifo") throw refuse("is a device or a pipe");
    this.assertPax(entry, refuse);
    this.count(entry, refuse);
    if (type === "directory") return this.directory(path, refuse);
    // A regular file so named is a directory to some readers.
    if (path === "" || raw.at(-1) === 0x2f) throw refuse("is no directory and has a directory's name");
    this.directory(parentOf(path), refuse);
    if (this.index.get(path) !== 0) throw refuse("is there twice");
    this.index.set(path, type === "file" ? FILE : this.link(entry, path, refuse));
  }

  private assertPax({ type, header, pax }: TarEntry, refuse: (why: string) => TarError): void {
    const keys = (pax?.records ?? []).map(({ key }) => key);
    const unknown = keys.find((key) => !PAX_KEYS.has(key) && !key.startsWith(PAX_XATTR));
    if (unknown !== undefined) throw refuse(`has a pax record ${shownPath(Buffer.from(unknown))}, which is not known`);
    if (new Set(keys).size < keys.length) throw refuse("has a pax record twice");
    if (type !== "file" && (sizeOf(header) !== 0 || keys.includes("size"))) throw refuse("has content and is no file");
  }

  private count({ type, size }: TarEntry, refuse: (why: string) => TarError): void {
    if (type === "file" || type === "hardlink") this.files += 1;
    else this.others += 1;
    this.bytes += size;
    const { files, bytes } = this.expected ?? { files: Infinity, bytes: Infinity };
    if (this.files > files) throw refuse(`is one more than the ${files} files that the manifest says`);
    if (this.bytes > bytes) throw refuse(`makes more than the ${bytes} bytes that the manifest says`);
    if (this.others > MAX_OTHERS) throw refuse(`is one of more than ${MAX_OTHERS} directories and links`);
  }

  /** Everything above it is a directory from now on: what is anything else already cannot be. */
  private directory(path: string, refuse: (why: string) => TarError): void {
    if (path === this.lastParent) return;
    for (let at = path; at !== ""; at = parentOf(at)) {
      const known = this.index.get(at);
      if (known === DIRECTORY) break;
      if (known !== 0) throw refuse("takes something for a directory that is none");
      this.index.set(at, DIRECTORY);
    }
    this.lastParent = path;
  }

  /** @returns the link's value for the index: of a hard link, that of what it names */
  private link(entry: TarEntry, path: string, refuse: (why: string) => TarError): number {
    const target = entryTarget(entry);
    const out = (): TarError => refuse(`is a link to ${shownPath(target)}, which leads out of the archive`);
    if (entry.type === "symlink") {
      const climb = climbOf(target);
      if (climb === null || climb > Math.min(depthOf(path), MAX_CLIMB)) throw out();
      return LINK + climb;
    }
    const inside = insidePath(target);
    if (inside === null) throw out();
    const known = this.index.get(inside);
    if (known === 0 || known === DIRECTORY) throw refuse(`is a hard link to ${shownPath(target)}, which is no file of the archive`);
    if (known >= LINK && known - LINK > depthOf(path)) throw out();
    return known;
  }
}
