import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { ReleaseError } from "../../components/runtime/errors.js";
import { exportSource, isCached, resolveSource, type Wanted } from "../../components/source/source.js";
import { Repository } from "./repository.js";

describe("source/source", () => {
  let repository: Repository;
  beforeEach(() => {
    repository = new Repository();
    repository.write("Dockerfile", "FROM scratch\n");
    repository.write("run.sh", "#!/bin/sh\n", 0o755);
    repository.write("sub/dir/data.bin", Buffer.from([0, 255, 10, 13, 10, 0]));
  });
  afterEach(() => repository.remove());

  const wanted = (version: string, over: Partial<Wanted> = {}): Wanted => ({ source: "../app", version, allowUntagged: false, projectDir: repository.project, ...over });
  async function release(version: string, over: Partial<Wanted> = {}): Promise<string> {
    const resolved = await resolveSource(wanted(version, over));
    await exportSource(wanted(version, over), resolved.commit);
    return path.join(repository.project, resolved.context);
  }
  async function refusal(work: Promise<unknown>): Promise<ReleaseError> {
    const error = await work.then(() => null, (caught: unknown) => caught);
    assert.ok(error instanceof ReleaseError, String(error));
    assert.equal(error.exitCode, 2);
    return error;
  }

  it("resolves a lightweight and an annotated tag", async () => {
    const first = repository.release("v1.0.0");
    const second = repository.release("v2.0.0", { annotated: true });
    assert.deepEqual(await resolveSource(wanted("v1.0.0")), { tag: "v1.0.0", commit: first, tagObject: first, context: `.release/cache/source/${first}` });
    const resolved = await resolveSource(wanted("v2.0.0"));
    assert.equal(resolved.commit, second);
    assert.equal(resolved.tagObject, repository.git("rev-parse", "refs/tags/v2.0.0"));
    assert.notEqual(resolved.tagObject, second);
  });

  it("exports the commit's bytes, with modes that do not depend on the umask", async () => {
    repository.link("link", "sub/dir/data.bin");
    repository.release("v1.0.0");
    const before = process.umask(0o077);
    let root: string;
    try {
      root = await release("v1.0.0");
    } finally {
      process.umask(before);
    }
    assert.deepEqual(readdirSync(root).sort(), ["Dockerfile", "link", "run.sh", "sub"]);
    assert.deepEqual(readFileSync(path.join(root, "sub/dir/data.bin")), Buffer.from([0, 255, 10, 13, 10, 0]));
    assert.equal(statSync(path.join(root, "Dockerfile")).mode & 0o777, 0o644);
    assert.equal(statSync(path.join(root, "run.sh")).mode & 0o777, 0o755);
    assert.equal(statSync(path.join(root, "sub/dir")).mode & 0o777, 0o755);
    assert.equal(readlinkSync(path.join(root, "link")), "sub/dir/data.bin");
    assert.equal(Math.floor(statSync(path.join(root, "run.sh")).mtimeMs / 1000), Number(repository.git("log", "-1", "--format=%ct")));
  });

  it("ignores a dirty work tree and leaves it, the index, HEAD and the refs as they are (faults 21)", async () => {
    repository.release("v1.0.0");
    repository.write("Dockerfile", "FROM edited\n");
    repository.write("untracked", "x");
    repository.write("staged", "y");
    repository.git("add", "staged");
    const picture = (): string => digestOf(repository.dir);
    const before = picture();
    const root = await release("v1.0.0");
    assert.equal(readFileSync(path.join(root, "Dockerfile"), "utf8"), "FROM scratch\n");
    assert.equal(existsSync(path.join(root, "untracked")), false);
    assert.equal(picture(), before);
  });

  it("runs no hook and no filter, and applies no attribute", async () => {
    const trap = path.join(repository.root, "trapped");
    repository.write(".gitattributes", "*.txt filter=evil eol=crlf export-subst\nhidden export-ignore\n");
    repository.write("a.txt", "one\n$Format:%H$\n");
    repository.write("hidden", "seen\n");
    repository.release("v1.0.0");
    const config = path.join(repository.root, "gitconfig");
    writeFileSync(config, `[filter "evil"]\n\tsmudge = touch ${trap}\n\tprocess = touch ${trap}\n\trequired = true\n[core]\n\tautocrlf = true\n`);
    for (const hook of ["post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"]) {
      repository.write(`.git/hooks/${hook}`, `#!/bin/sh\ntouch ${trap}\n`, 0o755);
    }
    const saved = process.env["GIT_CONFIG_GLOBAL"];
    process.env["GIT_CONFIG_GLOBAL"] = config;
    try {
      const root = await release("v1.0.0");
      assert.equal(readFileSync(path.join(root, "a.txt"), "utf8"), "one\n$Format:%H$\n");
      assert.equal(readFileSync(path.join(root, "hidden"), "utf8"), "seen\n");
    } finally {
      restoreEnv("GIT_CONFIG_GLOBAL", saved);
    }
    assert.equal(existsSync(trap), false);
  });

  it("is not led astray by the repository of a caller that is a git hook", async () => {
    const commit = repository.release("v1.0.0");
    const saved = process.env["GIT_DIR"];
    process.env["GIT_DIR"] = path.join(repository.root, "nowhere");
    try {
      assert.equal((await resolveSource(wanted("v1.0.0"))).commit, commit);
    } finally {
      restoreEnv("GIT_DIR", saved);
    }
  });

  it("refuses a tag that is not there, and names the newest (faults 19)", async () => {
    repository.release("v1.0.0");
    const error = await refusal(resolveSource(wanted("v9.9.9")));
    assert.match(error.message, /v9\.9\.9 cannot be released, nothing was touched: there is no such tag.*newest there is v1\.0\.0/);
  });

  it("refuses branches and commits, but a commit with allowUntagged", async () => {
    repository.release("v1.0.0");
    repository.write("more", "x");
    repository.git("add", "--all");
    repository.git("commit", "--quiet", "-m", "untagged");
    const commit = repository.git("rev-parse", "HEAD");
    await refusal(resolveSource(wanted("main")));
    assert.match((await refusal(resolveSource(wanted(commit)))).message, /allowUntagged/);
    const resolved = await resolveSource(wanted(commit, { allowUntagged: true }));
    assert.deepEqual([resolved.tag, resolved.commit, resolved.tagObject], [commit, commit, commit]);
    await refusal(resolveSource(wanted("0".repeat(40), { allowUntagged: true })));
  });

  it("refuses a tag on what is no commit", async () => {
    repository.release("v1.0.0");
    repository.git("tag", "tree", "HEAD^{tree}");
    assert.match((await refusal(resolveSource(wanted("tree")))).message, /does not lead to a commit/);
  });

  for (const version of ["-x", "a/../b", "$(id)", "a\nb", "v1.lock", ""]) {
    it(`refuses the name ${JSON.stringify(version)} before git sees it (faults 22)`, async () => {
      await refusal(resolveSource(wanted(version, { source: "/nowhere" })));
      assert.equal(existsSync(path.join(repository.project, ".release")), false);
    });
  }

  it("refuses transports that run commands, and a source that is not there", async () => {
    const trap = path.join(repository.root, "trapped");
    assert.match((await refusal(resolveSource(wanted("v1", { source: `ext::touch ${trap}` })))).message, /runs commands/);
    assert.equal(existsSync(trap), false);
    assert.match((await refusal(resolveSource(wanted("v1", { source: "../nothing" })))).message, /there is nothing at/);
  });

  it("refuses submodules, LFS pointers and links that lead out", async () => {
    repository.release("v1.0.0");
    repository.git("update-index", "--add", "--cacheinfo", `160000,${repository.git("rev-parse", "HEAD")},vendored`);
    repository.git("commit", "--quiet", "-m", "submodule");
    repository.git("tag", "v1.1.0");
    assert.match((await refusal(release("v1.1.0"))).message, /submodules \(vendored\)/);
    repository.git("rm", "--quiet", "--cached", "vendored");
    repository.write("model.bin", `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`);
    repository.release("v1.2.0");
    assert.match((await refusal(release("v1.2.0"))).message, /Git LFS keeps elsewhere \(model\.bin\)/);
    repository.git("rm", "--quiet", "-f", "model.bin");
    repository.link("out", "../../etc/passwd");
    repository.release("v1.3.0");
    assert.match((await refusal(release("v1.3.0"))).message, /link out leads out of the repository/);
    assert.deepEqual(readdirSync(path.join(repository.project, ".release/cache/source")), []);
  });

  it("refuses a link that leads out also while git has much more to say", async () => {
    repository.link("a-link", "../../etc/passwd");
    repository.write("z.bin", Buffer.alloc(4_000_000, 1));
    repository.release("v1.0.0");
    assert.match((await refusal(release("v1.0.0"))).message, /link a-link leads out of the repository/);
  });

  it("makes an export that somebody edited anew", async () => {
    repository.release("v1.0.0");
    const root = await release("v1.0.0");
    const file = path.join(root, "Dockerfile");
    writeFileSync(file, "FROM hacked!\n");
    await release("v1.0.0");
    assert.equal(readFileSync(file, "utf8"), "FROM scratch\n");
    writeFileSync(path.join(root, "added"), "x");
    await release("v1.0.0");
    assert.equal(existsSync(path.join(root, "added")), false);
    const inode = statSync(file).ino;
    await release("v1.0.0");
    assert.equal(statSync(file).ino, inode, "an intact export stays");
  });

  it("follows the source: a new tag, and a moved one", async () => {
    const first = repository.release("v1.0.0");
    assert.equal((await resolveSource(wanted("v1.0.0"))).commit, first);
    repository.write("Dockerfile", "FROM scratch\n# 2\n");
    const second = repository.release("v2.0.0");
    assert.equal((await resolveSource(wanted("v2.0.0"))).commit, second);
    repository.git("tag", "-f", "v1.0.0", second);
    assert.equal((await resolveSource(wanted("v1.0.0"))).commit, second);
  });

  it("knows what is cached when the source is gone", async () => {
    const commit = repository.release("v1.0.0");
    assert.equal(await isCached(wanted("v1.0.0"), commit), false);
    await resolveSource(wanted("v1.0.0"));
    execFileSync("mv", [repository.dir, `${repository.dir}.away`]);
    assert.equal(await isCached(wanted("v1.0.0"), commit), true);
    await exportSource(wanted("v1.0.0"), commit);
    assert.ok(existsSync(path.join(repository.project, `.release/cache/source/${commit}/Dockerfile`)));
    mkdirSync(repository.dir);
    await refusal(resolveSource(wanted("v1.0.0")));
  });

  it("is safe to run many times at once", async () => {
    for (let index = 0; index < 30; index += 1) {
      repository.write(`files/${index}`, `${index}\n`.repeat(1000));
    }
    repository.release("v1.0.0");
    const roots = await Promise.all(Array.from({ length: 8 }, () => release("v1.0.0")));
    const root = roots[0] ?? "";
    assert.equal(readdirSync(path.join(root, "files")).length, 30);
    assert.deepEqual(readdirSync(path.dirname(root)), [path.basename(root)], "no leftovers");
  });

  it("gives up on a server that accepts and never answers, and leaves nothing running", async () => {
    const open = new Set<Socket>();
    const server: Server = createServer((socket) => open.add(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const address = server.address();
      assert.ok(typeof address === "object" && address !== null);
      const started = performance.now();
      const error = await refusal(resolveSource(wanted("v1.0.0", { source: `https://127.0.0.1:${address.port}/app.git`, silenceMs: 700 })));
      assert.equal(error.code, "sourceUnreachable");
      assert.match(error.message, /did not answer within 0\.7 s/);
      assert.ok(performance.now() - started < 5000);
      const asking = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(`127.0.0.1:${address.port}/app.git`));
      assert.deepEqual(asking.map(commandOf), []);
    } finally {
      server.close();
      open.forEach((socket) => socket.destroy());
    }
  });

  it("says in git's words why a server cannot be reached, without asking for a password", async () => {
    const error = await refusal(resolveSource(wanted("v1.0.0", { source: "https://127.0.0.1:1/app.git" })));
    assert.match(error.message, /127\.0\.0\.1/);
    assert.match(error.next, /git ls-remote/);
  });
});

/** "" where it is gone. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function restoreEnv(name: string, value: string | undefined): void {
  if (value === undefined) {
    delete process.env[name];
  } else {
    process.env[name] = value;
  }
}

/** Names, modes, times and contents of everything below a directory. */
function digestOf(root: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true }).sort((a, b) => (path.join(a.parentPath, a.name) < path.join(b.parentPath, b.name) ? -1 : 1))) {
    const file = path.join(entry.parentPath, entry.name);
    const stat = lstatSync(file);
    hash.update(`${file} ${stat.mode} ${stat.mtimeMs} ${stat.size}\n`);
    if (stat.isFile()) {
      hash.update(readFileSync(file));
    }
  }
  return hash.digest("hex");
}
