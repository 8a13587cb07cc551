/** Repositories of other kinds, and what is said of a tag before anything is started. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { Mirror } from "../../components/source/mirror.js";
import { exportSource, resolveSource, type Wanted, wantedProblem } from "../../components/source/source.js";
import { Repository } from "./repository.js";

describe("source: kinds of repositories", () => {
  let repository: Repository;
  beforeEach(() => {
    repository = new Repository();
    repository.write("Dockerfile", "FROM scratch\n");
  });
  afterEach(() => repository.remove());

  const wanted = (version: string, over: Partial<Wanted> = {}): Wanted => ({ source: "../app", version, allowUntagged: false, projectDir: repository.project, ...over });
  async function release(version: string, over: Partial<Wanted> = {}): Promise<string> {
    const resolved = await resolveSource(wanted(version, over));
    await exportSource(wanted(version, over), resolved.commit);
    return path.join(repository.project, resolved.context);
  }

  it("takes a shallow clone, and goes on with it once it is none", async () => {
    repository.release("v1.0.0");
    repository.write("Dockerfile", "FROM scratch\n# 2\n");
    repository.release("v2.0.0");
    const shallow = path.join(repository.root, "shallow");
    const git = (...args: string[]): string => execFileSync("git", args, { cwd: repository.root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    git("clone", "--quiet", "--depth", "1", `file://${repository.dir}`, shallow);
    const source = { source: shallow };
    assert.match(readFileSync(path.join(await release("v2.0.0", source), "Dockerfile"), "utf8"), /# 2/);
    repository.write("Dockerfile", "FROM scratch\n# 3\n");
    repository.release("v3.0.0");
    git("-C", shallow, "fetch", "--quiet", "--depth", "1", "origin", "tag", "v3.0.0");
    assert.match(readFileSync(path.join(await release("v3.0.0", source), "Dockerfile"), "utf8"), /# 3/);
    git("-C", shallow, "fetch", "--quiet", "--unshallow", "--tags");
    for (const [tag, said] of [["v1.0.0", /^FROM scratch\n$/], ["v2.0.0", /# 2/], ["v3.0.0", /# 3/]] as const) {
      assert.match(readFileSync(path.join(await release(tag, source), "Dockerfile"), "utf8"), said);
    }
  });

  it("takes what a cache got of a shallow clone without its parents", async () => {
    repository.release("v1.0.0");
    const commit = repository.release("v2.0.0");
    const git = (...args: string[]): string => execFileSync("git", args, { cwd: repository.root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const shallow = path.join(repository.root, "shallow");
    git("clone", "--quiet", "--depth", "1", `file://${repository.dir}`, shallow);
    // As it was left by a fetch that rejects the ref and keeps the objects.
    await release("v2.0.0", { source: shallow });
    const { dir } = new Mirror(wanted("v2.0.0"), shallow);
    git("-C", dir, "update-ref", "-d", `refs/kept/${commit}`);
    rmSync(path.join(dir, "shallow"));
    rmSync(path.join(repository.project, ".release/cache/source"), { recursive: true });
    assert.ok(existsSync(path.join(await release("v2.0.0", { source: shallow }), "Dockerfile")));
  });

  it("takes a repository whose objects are named by SHA-256", async () => {
    const newer = new Repository("sha256");
    try {
      newer.write("Dockerfile", "FROM scratch\n");
      const commit = newer.release("v1.0.0", { annotated: true });
      assert.equal(commit.length, 64);
      const over = { source: newer.dir };
      assert.deepEqual(await resolveSource(wanted("v1.0.0", over)).then(({ commit: found, tagObject }) => [found, tagObject.length]), [commit, 64]);
      assert.equal(readFileSync(path.join(await release("v1.0.0", over), "Dockerfile"), "utf8"), "FROM scratch\n");
      assert.equal((await resolveSource(wanted(commit, { ...over, allowUntagged: true }))).commit, commit);
    } finally {
      newer.remove();
    }
  });

  it("says before anything is started what the source does not have, and which tag was meant", async () => {
    repository.release("v1.2.0");
    assert.equal(await wantedProblem(wanted("v1.2.0")), null);
    assert.match((await wantedProblem(wanted("1.2.0")))?.message ?? "", /1\.2\.0 cannot be released, nothing was touched: there is no such tag in .+\/app\. Next: did you mean v1\.2\.0\?/);
    assert.match((await wantedProblem(wanted("v9.9.9")))?.message ?? "", /push the tag, or name another \(the newest there is v1\.2\.0\)/);
    await assert.rejects(wantedProblem(wanted("v1.2.0", { source: "../gone" })), /there is nothing at/);
  });
});
