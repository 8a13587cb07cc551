import { createHash } from "node:crypto";
import { createReadStream, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { basename, join, posix, relative, resolve } from "node:path";
import { Readable } from "node:stream";

/** One file of a build context. */
interface ContextFile {
  path: string;
  /** Relative to the context, with slashes. */
  name: string;
  stats: Stats;
}

/** A directory that an image is built from, without what its .dockerignore names. */
export class BuildContext {
  /** The Dockerfile's path as seen from the context. */
  readonly dockerfile: string;

  constructor(
    private readonly directory: string,
    private readonly dockerfilePath: string,
  ) {
    this.dockerfile = relative(directory, dockerfilePath).split("\\").join("/");
  }

  /** The digest by which the real provider decides whether an image must be built again. */
  async digest(): Promise<string> {
    const hash = createHash("sha256");
    const add = (name: string, mode: string, content: Buffer): void => {
      hash.update(posix.normalize(name)).update(mode);
      hash.update(createHash("sha256").update(content).digest()).update("\0");
    };
    add("Dockerfile", "----------", readFileSync(this.dockerfilePath));
    for (const file of await this.files()) add(file.name, modeText(file.stats), content(file));
    return hash.digest("hex");
  }

  /** The context as the daemon wants it, owned by root as with the real provider. */
  async tar(): Promise<{ stream: Readable; dockerfile: string }> {
    const { pack: newPack } = await import("tar-stream");
    const pack = newPack();
    const outside = this.dockerfile.startsWith("../");
    const dockerfile = outside ? `.dockerfile.${createHash("sha256").update(this.dockerfilePath).digest("hex").slice(0, 20)}` : this.dockerfile;
    const files = await this.files([basename(this.dockerfile), this.dockerfile, ".dockerignore"]);
    const fill = async (): Promise<void> => {
      for (const file of files) await addFile(pack, file);
      if (outside) pack.entry({ name: dockerfile, mode: 0o600 }, readFileSync(this.dockerfilePath));
      pack.finalize();
    };
    fill().catch((error: unknown) => pack.destroy(error instanceof Error ? error : new Error(String(error))));
    return { stream: Readable.from(pack), dockerfile };
  }

  /** The files in the real provider's order. `always` are taken whether or not they are ignored. */
  private async files(always: string[] = []): Promise<ContextFile[]> {
    const patterns = this.ignorePatterns();
    if (patterns === undefined) return walk(this.directory, "", () => false);
    const { default: dockerignore } = await import("@balena/dockerignore");
    const ignored = dockerignore.default({ ignorecase: false }).add(patterns);
    return walk(this.directory, "", (name) => ignored.ignores(name) && !always.includes(name));
  }

  private ignorePatterns(): string | undefined {
    const candidates = [`${this.dockerfilePath}.dockerignore`, join(this.directory, ".dockerignore")];
    const file = candidates.find((path) => existsSync(path));
    return file === undefined ? undefined : readFileSync(file, "utf8");
  }
}

function walk(root: string, below: string, ignored: (name: string) => boolean): ContextFile[] {
  return readdirSync(join(root, below))
    .sort()
    .flatMap((entry) => {
      const name = below === "" ? entry : `${below}/${entry}`;
      const path = join(root, name);
      const stats = lstatSync(path);
      // A directory that is ignored is entered still: an exception may name a file below it.
      if (stats.isDirectory()) return walk(root, name, ignored);
      return ignored(name) ? [] : [{ path, name, stats }];
    });
}

function content(file: ContextFile): Buffer {
  if (file.stats.isSymbolicLink()) return Buffer.from(realpathSync(resolve(file.path)));
  return file.stats.isFile() ? readFileSync(file.path) : Buffer.alloc(0);
}

/** A file's mode as Go writes it. */
export function modeText(stats: { mode: number; isSymbolicLink(): boolean }): string {
  const { mode } = stats;
  const kind = [
    stats.isSymbolicLink() ? "L" : "",
    mode & 0o4000 ? "u" : "",
    mode & 0o2000 ? "g" : "",
    mode & 0o1000 ? "t" : "",
  ].join("");
  const bits = [..."rwxrwxrwx"].map((letter, index) => (mode & (0o400 >> index) ? letter : "-"));
  return (kind === "" ? "-" : kind) + bits.join("");
}

type Pack = ReturnType<(typeof import("tar-stream"))["pack"]>;

function addFile(pack: Pack, { path, name, stats }: ContextFile): Promise<void> {
  const header = { name, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: 0, gid: 0 };
  return new Promise((done, failed) => {
    const ended = (error?: Error | null): void => (error ? failed(error) : done());
    if (stats.isSymbolicLink()) {
      pack.entry({ ...header, type: "symlink", linkname: readlinkSync(path) }, ended);
      return;
    }
    if (!stats.isFile()) return done();
    const entry = pack.entry({ ...header, size: stats.size }, ended);
    createReadStream(path).on("error", failed).pipe(entry);
  });
}
