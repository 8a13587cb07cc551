/** Rows 19 to 22: a release is a tag's commit, and nothing else that a repository, its work tree or a name might suggest. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ReleaseRecord } from "../../components/release/model.js";
import { execIn } from "../../components/runtime/docker-exec.js";
import { containersOf } from "../support/docker.js";
import { footprint, hashesBelow } from "../support/footprint.js";
import type { Ended } from "../support/processes.js";
import { fullOnly } from "../support/suite.js";
import { TinyStack } from "../support/tiny-stack.js";

describe("faults: the source (rows 19 to 22)", function () {
  this.timeout(300_000);
  let tiny: TinyStack;
  let marks: string;
  before(async () => {
    tiny = await TinyStack.open("src");
    marks = mkdtempSync(path.join(tmpdir(), "faults-source-"));
    tiny.commit("v1.0.0");
    await tiny.released("v1.0.0");
  });
  after(async () => {
    await tiny.remove();
    rmSync(marks, { recursive: true, force: true });
  });

  /** Exit 2 and a last line that says why; nothing is touched, here or in the source. */
  async function assertRefused(why: RegExp, ...commands: (() => Promise<Ended>)[]): Promise<void> {
    const look = async () => ({ stack: await footprint(tiny.project), source: hashesBelow(tiny.source.dir) });
    const before = await look();
    for (const { exitCode, lastLine, all } of await Promise.all(commands.map((command) => command()))) {
      assert.equal(exitCode, 2, all);
      assert.match(lastLine, /^REFUSED, nothing touched \(exit 2\): .+ Next: .+$/);
      assert.match(lastLine, why);
    }
    assert.deepEqual(await look(), before);
  }
  const releases = async (): Promise<ReleaseRecord[]> => JSON.parse((await tiny.project.pulumi(["stack", "output", "releases", "--json"])).stdout) as ReleaseRecord[];

  it("row 19: a tag that is not there", async () => {
    const tag = `v7.${randomBytes(2).readUInt16BE()}.0`;
    await assertRefused(new RegExp(`${tag} cannot be released.+there is no such tag in .+/app\\. Next: push the tag, or name another \\(the newest there is v1\\.0\\.0\\)`), () => tiny.deploy(tag));
    await assertRefused(/cannot go back to v7.+it was never released here\. Next: choose one of those listed above/, () => tiny.project.script("rollback", [tag]));
  });

  it("row 20: a tag that has moved since it was released", async () => {
    const { source } = tiny;
    const [commit, object] = [source.git("rev-parse", "v1.0.0^{commit}"), source.git("rev-parse", "v1.0.0")];
    assert.deepEqual((await releases()).map((one) => [one.tag, one.commit, one.tagObject]), [["v1.0.0", commit, object]]);
    source.write("extra", "one more commit");
    source.git("add", "--all");
    source.git("commit", "--quiet", "-m", "Not released");
    source.git("tag", "-f", "v1.0.0");
    const moved = new RegExp(`v1\\.0\\.0 has moved since it was released here \\(release 1\\): from commit ${commit.slice(0, 12)} to ${source.git("rev-parse", "HEAD").slice(0, 12)}`);
    await assertRefused(moved, () => tiny.deploy("v1.0.0"));
    source.git("tag", "-f", "-a", "-m", "Made anew", "v1.0.0", commit);
    await assertRefused(/v1\.0\.0 was made anew since it was released here \(release 1\): another tag object on the same commit/, () => tiny.deploy("v1.0.0"));
    source.git("tag", "-f", "v1.0.0", object);
  });

  it("row 21: a submodule, whose files the commit does not have, is refused", async () => {
    const { source } = tiny;
    source.write(".gitmodules", '[submodule "lib"]\n\tpath = lib\n\turl = ../lib\n');
    source.git("add", ".gitmodules");
    source.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},lib`);
    source.git("commit", "--quiet", "-m", "With a submodule");
    source.git("tag", "v1.5.0");
    await assertRefused(/has submodules \(\.gitmodules, lib\), whose content is not in the repository\. Next: put their content into the repository/, () => tiny.deploy("v1.5.0"));
    source.git("reset", "--quiet", "--hard", "HEAD~1");
  });

  it("row 21: a work tree with edits, staged and untracked files: the commit alone is built", async () => {
    const { source } = tiny;
    tiny.commit("v2.0.0", { dockerfile: ["COPY . /context/"] });
    source.write("app.py", "raise SystemExit('edited')\n");
    source.write("staged.txt", "staged");
    source.git("add", "staged.txt");
    source.write("untracked.txt", "untracked");
    source.write(".dockerignore", "app.py\n");
    const before = hashesBelow(source.dir);
    await tiny.released("v2.0.0");
    assert.deepEqual(hashesBelow(source.dir), before);
    const app = (await containersOf(tiny.project.stack, "app")).find(({ revision }) => revision.startsWith("v2.0.0-"));
    assert.ok(app !== undefined);
    const { stdout } = await execIn(app.id, ["sh", "-ec", "cd /context; ls -A; echo ---; cat app.py"], { timeoutMs: 30_000 });
    assert.deepEqual(stdout.split("---\n").map((part) => part.trim()), ["Dockerfile\napp.py\nextra", source.git("show", "v2.0.0:app.py")]);
  });

  fullOnly(() => {
    it("row 20: one may go back to a release whose tag has moved since, or is gone: its record says what it was", async () => {
      const { source } = tiny;
      const [first, second] = await releases();
      assert.ok(first !== undefined && second !== undefined);
      source.git("tag", "-f", "v1.0.0", "HEAD");
      const moved = await tiny.project.script("rollback");
      assert.equal(moved.exitCode, 0, moved.all);
      source.git("tag", "-d", "v2.0.0");
      const gone = await tiny.project.script("rollback", ["v2.0.0"]);
      assert.equal(gone.exitCode, 0, gone.all);
      const was = ({ tag, commit, tagObject, imageId }: ReleaseRecord): unknown => ({ tag, commit, tagObject, imageId });
      assert.deepEqual((await releases()).map(was), [first, second, first, second].map(was));
      source.git("tag", "-f", "v1.0.0", first.tagObject);
      source.git("tag", "v2.0.0", second.tagObject);
    });
  });

  it("row 22: a hostile name is never an option, a path or a command, also where such a tag is there", async () => {
    const { source } = tiny;
    const mark = path.join(marks, "mark");
    const hostile = [
      "-x", `--upload-pack=touch ${mark}`, "a/../b", "../../etc/passwd", "/etc/passwd", ".git/config", "$(id)", `$(touch ${mark})`, `\`touch ${mark}\``, `v1.0.0;touch ${mark}`,
      "v1.0.0\nv2.0.0", "v1.0.0\r", "v1.0.0\u202e0.0.9v", "v1.0.0\u200b", "v1.0.0\u00a0", "refs/tags/v1.0.0^{}", "v1.0.0@{1}", "HEAD~1", `v${"9".repeat(400)}`, "",
    ];
    // What git itself takes as a tag, made past its front door.
    for (const name of ["-x", "$(id)", "`id`", "v9.9.9\u202e", "v9.9.9;id"]) source.git("update-ref", `refs/tags/${name}`, "HEAD");
    await assertRefused(/(version|such a name).*(begins with a dash|has a character that no tag may have|is no valid name for a tag|longer than 200 characters|is empty)/,
      ...hostile.map((name) => () => tiny.deploy(name)), ...["$(id)", "../x", "v1.0.0\u202e"].map((name) => () => tiny.project.script("rollback", [name])));
    assert.equal(existsSync(mark), false, readFileSync(tiny.project.paths.journal, "utf8").slice(-2000));
    const newest = await tiny.project.script("deploy", ["--dry-run"]);
    assert.match(newest.lastLine, /^DONE \(exit 0\): this is what deploy would change/);
    assert.match(newest.all, /^ *= +\d+ unchanged$/m);
  });
});
