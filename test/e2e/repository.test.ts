import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { flip } from "../support/flip.js";
import { keptFor } from "../support/docker.js";
import { leaksBelow, plantedSecret, watchArguments } from "../support/secrets.js";
import type { Ended } from "../support/processes.js";
import { seeded } from "../support/random.js";
import { fullOnly } from "../support/suite.js";
import { type Data, TinyStack } from "../support/tiny-stack.js";

const PASSWORD = plantedSecret();

describe("e2e: backups off the machine, in a restic repository", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  /** Holds the repository, as a mount of another machine's disk would. */
  let mount: string;
  let then: Data;
  /** With the data as v1.0.0 left it. */
  let backup: string;
  let releases = 0;

  const backups = (args: readonly string[]): Promise<Ended> => tiny.project.script("backups", args);
  const here = (name: string): string => path.join(tiny.project.paths.backups, name);
  const repository = (): string => path.join(mount, "repository");
  async function next(args: readonly string[] = []): Promise<Ended> {
    const tag = `v${++releases}.0.0`;
    tiny.commit(tag);
    return tiny.deploy(tag, args);
  }

  before(async () => {
    mount = mkdtempSync(path.join(tmpdir(), "repository-"));
    tiny = await TinyStack.open("restic");
    await tiny.configure({ backup: { scratchCpus: 1, scratchMemory: "256MiB", repository: repository() } });
    await tiny.project.pulumi(["stack", "init"]);
    const set = await tiny.project.pulumi(["config", "set", "--secret", "--path", "pbjrag:backup.repositoryPassword"], { input: PASSWORD });
    assert.equal(set.exitCode, 0, set.all);
    assert.equal((await next()).exitCode, 0);
    await tiny.fill();
    then = await tiny.data();
  });
  after(async () => {
    await tiny.remove();
    rmSync(mount, { recursive: true, force: true });
  });

  it("sends each backup when it is proven, and its password is nowhere to be seen", async () => {
    const watched = watchArguments(PASSWORD);
    const ended = await next();
    const seen = watched();
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.all, /send: backup pre-deploy-\S+ is off this machine/);
    [backup = ""] = tiny.backups();
    const listed = await backups(["list", "--from-repository"]);
    assert.match(listed.stdout, new RegExp(`${backup} .*yes`));
    assert.deepEqual([...seen, ...leaksBelow(tiny.project.dir, PASSWORD, [path.join(tiny.project.dir, "node_modules")]), ...leaksBelow(mount, PASSWORD)], []);
    assert.ok(!ended.all.includes(PASSWORD));
  });

  it("changes nothing when it is asked again", async () => {
    const preview = await tiny.project.pulumi(["preview", "--expect-no-changes"]);
    assert.equal(preview.exitCode, 0, preview.all);
    const again = await backups(["send"]);
    assert.match(again.lastLine, /^DONE .*holds 1 backup.* 0 MiB were added/);
    assert.match(again.all, /is there already/);
  });

  it("reads one back to its end without bringing it here, and restores one that is only there", async () => {
    rmSync(here(backup), { recursive: true });
    const verified = await backups(["verify", backup, "--from-repository"]);
    assert.equal(verified.exitCode, 0, verified.all);
    assert.match(verified.stdout, /^good /m);
    assert.deepEqual(tiny.backups(), []);
    const qdrant = await tiny.qdrant();
    await qdrant.upsert("code", [{ id: 0, vector: [9, 9, 9, 9], payload: { file: "changed.py" } }]);
    const restored = await tiny.project.script("restore", [backup, "--yes"]);
    assert.equal(restored.exitCode, 0, restored.all);
    assert.deepEqual(await tiny.data(backup), then);
    assert.equal(statSync(here(backup)).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(here(backup)).map((name) => statSync(path.join(here(backup), name)).mode & 0o777).filter((mode) => mode !== 0o600), []);
    tiny.assertNoRemains();
  });

  fullOnly(() => {
    it("goes back with the data of one that is only there", async () => {
      rmSync(here(backup), { recursive: true });
      const looked = await tiny.project.script("rollback", [`--with-data=${backup}`, "--dry-run"]);
      assert.equal(looked.exitCode, 2, looked.all);
      assert.match(looked.lastLine, new RegExp(`bring it here first: scripts/backups\\.sh fetch ${backup}`));
      const ended = await tiny.project.script("rollback", [`--with-data=${backup}`, "--yes"]);
      assert.equal(ended.exitCode, 0, ended.all);
      assert.match(ended.lastLine, new RegExp(`v1\\.0\\.0 serves .*data generation ${backup}b`));
      assert.deepEqual(await tiny.data(`${backup}b`), then);
      tiny.assertNoRemains();
    });

    it("releases all the same when the repository is gone, says so, and makes no other in its place", async () => {
      renameSync(mount, `${mount}-away`);
      const ended = await next();
      assert.equal(ended.exitCode, 5, ended.all);
      assert.match(ended.lastLine, /serves at .*is on this machine alone: .*scripts\/backups\.sh send pre-/);
      assert.ok(!existsSync(repository()), "an empty repository was made where the disk was to be mounted");
      const refused = await backups(["send"]);
      assert.equal(refused.exitCode, 2, refused.all);
      renameSync(`${mount}-away`, mount);
      const sent = await backups(["send", "--all"]);
      assert.equal(sent.exitCode, 0, sent.all);
      const listed = await backups(["list", "--from-repository"]);
      for (const name of tiny.backups()) assert.ok(listed.stdout.includes(name), listed.stdout);
    });

    it("replaces a damaged backup by the repository's copy", async () => {
      const file = path.join(here(backup), "uploads.tar.gz");
      flip(file, 100);
      assert.equal((await backups(["verify", backup])).exitCode, 5);
      const fetched = await backups(["fetch", backup]);
      assert.equal(fetched.exitCode, 0, fetched.all);
      assert.equal((await backups(["verify", backup])).exitCode, 0);
      tiny.assertNoRemains();
    });

    it("rows 8 and 9: says that the password is another, sends nothing, and leaves the repository as it is", async () => {
      const password = async (value: string): Promise<void> => {
        const set = await tiny.project.pulumi(["config", "set", "--secret", "--path", "pbjrag:backup.repositoryPassword"], { input: value });
        assert.equal(set.exitCode, 0, set.all);
      };
      const keys = readdirSync(path.join(repository(), "keys"));
      await password("another one");
      // As on another machine, which has not used it yet.
      rmSync(path.join(tiny.project.paths.run, "repositories"), { recursive: true });
      for (const args of [["send"], ["verify", backup, "--from-repository"], ["fetch", backup]]) {
        const ended = await backups(args);
        assert.notEqual(ended.exitCode, 0, ended.all);
        assert.match(ended.all, /wrong password or no key found/);
      }
      assert.deepEqual(readdirSync(path.join(repository(), "keys")), keys);
      await password(PASSWORD);
      assert.equal((await backups(["send"])).exitCode, 0);
    });

    it("finds every damage of the repository's data, refuses to restore from it, and touches nothing", async () => {
      const random = seeded("damage of the repository");
      const packs = readdirSync(path.join(repository(), "data"), { recursive: true }).map((name) => path.join(repository(), "data", String(name))).filter((name) => statSync(name).isFile());
      for (const pack of packs) flip(pack, random.int(0, statSync(pack).size - 200));
      const verified = await backups(["verify", backup, "--from-repository"]);
      assert.equal(verified.exitCode, 5, verified.all);
      const [before, files] = [await keptFor(tiny.project.stack), readFileSync(path.join(here(backup), "manifest.json"))];
      const refused = await tiny.project.script("restore", [backup, "--from-repository", "--yes"]);
      assert.equal(refused.exitCode, 2, refused.all);
      assert.deepEqual(await keptFor(tiny.project.stack), before);
      assert.deepEqual(readFileSync(path.join(here(backup), "manifest.json")), files);
      tiny.assertNoRemains();
    });
  });

  it("refuses in the preview an address without a password, and a password in plain text", async () => {
    for (const [config, words] of [[{ repository: repository() }, /repositoryPassword: is missing/], [{ repository: "backups", repositoryPassword: "x" }, /no address of a restic repository[^]*stored as plain text/]] as const) {
      await tiny.configure({ backup: config });
      const ended = await tiny.deploy(`v${releases}.0.0`);
      assert.equal(ended.exitCode, 2, ended.all);
      assert.match(ended.all, words);
    }
  });
});
