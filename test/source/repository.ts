import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A throw-away git repository, and a project directory beside it. */
export class Repository {
  readonly root = mkdtempSync(path.join(tmpdir(), "pbjrag-source-"));
  readonly dir = path.join(this.root, "app");
  readonly project = path.join(this.root, "project");

  /** @param format of git's objects */
  constructor(format: "sha1" | "sha256" = "sha1") {
    mkdirSync(this.dir);
    mkdirSync(this.project);
    this.git("init", "--quiet", "--initial-branch=main", `--object-format=${format}`);
  }

  git(...args: string[]): string {
    const env = {
      PATH: process.env["PATH"], HOME: this.root, GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "Test", GIT_AUTHOR_EMAIL: "test@example.org", GIT_COMMITTER_NAME: "Test", GIT_COMMITTER_EMAIL: "test@example.org",
    };
    return execFileSync("git", args, { cwd: this.dir, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  }

  write(file: string, content: string | Buffer, mode = 0o644): void {
    const full = path.join(this.dir, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, content);
    chmodSync(full, mode);
  }

  link(file: string, target: string): void {
    symlinkSync(target, path.join(this.dir, file));
  }

  /** Commits everything, tags it, and returns the commit. */
  release(tag: string, options: { annotated?: boolean } = {}): string {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "-m", `Release ${tag}`);
    this.git("tag", ...(options.annotated === true ? ["-a", "-m", tag] : []), tag);
    return this.git("rev-parse", "HEAD");
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
