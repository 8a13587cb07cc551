import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import Docker from "dockerode";
import type { Manifest } from "../../components/backup/manifest.js";
import type { Ended } from "../support/processes.js";
import { directory, file, packed, sha256, writeManifest } from "../support/crafted.js";
import { dockerAnswers, keptFor } from "../support/docker.js";
import { seeded } from "../support/random.js";
import { rounds } from "../support/suite.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";

interface Listed {
  name: string;
  of: string;
  before: string;
  proven: boolean;
  pinned: boolean;
  why: string[] | null;
}

/** Nothing is young, so that only what is needed stays. */
const STRICT = { backup: { scratchCpus: 1, scratchMemory: "256MiB", keepDays: 0, keepLast: 1 } };

describe("e2e: scripts/backups.sh", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  /** Taken before v2 and v3. */
  let first = "";
  let second = "";

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    tiny = await TinyStack.open("keep");
    for (const tag of ["v1.0.0", "v2.0.0", "v3.0.0", "v4.0.0"]) tiny.commit(tag);
    await tiny.released("v1.0.0");
    await tiny.fill();
    await tiny.released("v2.0.0");
    await tiny.released("v3.0.0");
    [first = "", second = ""] = tiny.backups();
  });

  after(() => tiny?.remove());

  const backups = (...args: string[]): Promise<Ended> => tiny.project.script("backups", args);
  const listed = async (): Promise<Listed[]> => JSON.parse((await backups("list", "--json")).stdout) as Listed[];
  const of = (name: string, part: string): string => path.join(tiny.project.paths.backups, name, part);
  const ends = (ended: Ended, exitCode: number, line: RegExp): void => {
    assert.equal(ended.exitCode, exitCode, ended.all);
    assert.match(ended.lastLine, line, ended.all);
  };
  const takeOne = async (): Promise<string> => {
    const before = tiny.backups();
    ends(await tiny.project.script("rollback", ["--backup-only"]), 0, /^DONE/);
    const [made] = tiny.backups().filter((name) => !before.includes(name));
    assert.ok(made !== undefined);
    return made;
  };

  it("lists what there is, whose data it is and what needs it", async () => {
    const ended = await backups("list");
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.stdout, /^stack t-keep-\w+: 2 backups, [\d.]+ \w+, in backups\/t-keep-\w+\n/);
    assert.match(ended.stdout, new RegExp(`${second} +(\\d+ minutes?|under a minute) +v2\\.0\\.0 +v3\\.0\\.0 +[\\d.]+ [KM]iB +yes +it was taken before v3\\.0\\.0 \\(#3\\); it is the newest with the data of v2\\.0\\.0`));
    assert.ok(ended.stdout.indexOf(second) < ended.stdout.indexOf(first), "newest first");
    assert.deepEqual((await listed()).map(({ name, of: data, before: next, proven, pinned }) => [name, data, next, proven, pinned]), [
      [second, "v2.0.0", "v3.0.0", true, false], [first, "v1.0.0", "v2.0.0", true, false],
    ]);
  });

  it("lists also where Pulumi cannot be asked", async () => {
    const ended = await tiny.project.script("backups", ["list"], { env: { PULUMI_BIN: "/bin/false" } });
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.stdout, new RegExp(`${first} .+ not known\\nwhat the stack needs is not known: pulumi`));
  });

  it("shows one in words, and refuses a name that is none", async () => {
    const ended = await backups("show", first);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.stdout, /data of +v1\.0\.0 \(.+\n.+1\.19\.0.+through its snapshots\n +code +50 points, green, no payload indexes\n +current is an alias of code\n/);
    assert.match(ended.stdout, /uploads +1 files, 97\.7 KiB/);
    assert.equal((JSON.parse((await backups("show", first, "--json")).stdout) as Manifest).name, first);
    for (const name of ["pre-deploy-20000101-000000", "../../etc", ".", "--"]) {
      const refused = await backups("show", name);
      assert.equal(refused.exitCode, 2, refused.all);
    }
    assert.match((await backups("show", "nothing")).all, new RegExp(`has no backup "nothing".+name one of ${second}, ${first}`));
  });

  describe("verify", () => {
    it("reads them to the end", async () => {
      ends(await backups("verify", "--all"), 0, /2 backups read to the end, no damage found/);
      ends(await backups("verify"), 0, /1 backup read to the end/);
      const checked = JSON.parse((await backups("verify", first, "--json")).stdout) as { name: string; good: boolean }[];
      assert.deepEqual(checked.map(({ name, good }) => [name, good]), [[first, true]]);
      assert.equal((await backups("verify", first, "--all")).exitCode, 2);
    });

    it("row 5: finds a flipped bit and a cut file, and touches nothing", async () => {
      const random = seeded("damage");
      const before = await tiny.look();
      // Not written in place: unchanged uploads are one file in both backups, and it would be both that are damaged.
      const replaced = (part: string, content: Buffer): void => {
        rmSync(of(first, part));
        writeFileSync(of(first, part), content, { mode: 0o600 });
      };
      for (let round = 0; round < rounds(3, 20); round++) {
        const part = random.pick(["qdrant-data.tar.gz", "uploads.tar.gz", "manifest.json", "stack-config.json"]);
        const content = readFileSync(of(first, part));
        const at = random.int(0, content.length - 1);
        const damaged = random.pick([true, false]) ? content.subarray(0, at) : Buffer.from(content).fill((content[at] ?? 0) ^ 1, at, at + 1);
        replaced(part, damaged);
        const ended = await backups("verify", "--all");
        ends(ended, 5, new RegExp(`1 of 2 backups cannot be restored: ${first}`));
        assert.match(ended.stdout, new RegExp(`good +${second}[^]+DAMAGED +${first}[^]+\\| .*${part.replaceAll(".", "\\.")}`), `${part} at ${at}: ${ended.all}`);
        replaced(part, content);
      }
      ends(await backups("verify", "--all"), 0, /2 backups read/);
      await tiny.assertAsBefore(before);
    });

    it("row 6: refuses a hostile archive whose sums are right, and touches nothing", async () => {
      const before = await tiny.look();
      const kept = new Map(["uploads.tar.gz", "manifest.json", "manifest.sha256"].map((part) => [part, readFileSync(of(first, part))]));
      const manifest = JSON.parse(String(kept.get("manifest.json"))) as Manifest;
      const hostile = gzipSync(await packed([directory("./"), file("../../escaped", "x")]));
      writeFileSync(of(first, "uploads.tar.gz"), hostile);
      const files = { ...manifest.files, "uploads.tar.gz": { size: hostile.length, sha256: sha256(hostile) } };
      writeManifest(path.dirname(of(first, "x")), JSON.stringify({ ...manifest, files, uploads: { ...manifest.uploads, files: 1, bytes: 1 } }));
      const ended = await backups("verify", first);
      ends(ended, 5, /1 of 1 backup cannot be restored/);
      assert.match(ended.stdout, /uploads\.tar\.gz is refused: entry "\.\.\/\.\.\/escaped" leads out of the archive/);
      for (const [part, content] of kept) writeFileSync(of(first, part), content);
      await tiny.assertAsBefore(before);
    });

    it("does not take what somebody else wrote for its own, though it is whole, until it is accepted", async () => {
      const before = await tiny.look();
      const [manifest, sum] = [readFileSync(of(first, "manifest.json")), readFileSync(of(first, "manifest.sha256"))];
      writeManifest(path.dirname(of(first, "x")), manifest.toString("utf8").replace('"run": "', '"run": "\\u001b[2Kof-another-'));
      const verified = await backups("verify", first);
      ends(verified, 5, /cannot be restored/);
      assert.match(verified.stdout, /UNKNOWN +.+not known to this stack.+scripts\/backups\.sh accept/s);
      assert.match((await backups("list")).stdout, new RegExp(`${first} .*UNKNOWN`));
      const restored = await tiny.project.script("restore", [first, "--yes"]);
      ends(restored, 2, /not known to this stack.+accept/s);
      ends(await backups("accept", first), 0, /the stack's own from now on/);
      ends(await backups("verify", first), 0, /1 backup read/);
      writeFileSync(of(first, "manifest.json"), manifest);
      writeFileSync(of(first, "manifest.sha256"), sum);
      ends(await backups("accept", first), 0, /own/);
      await tiny.assertAsBefore(before);
    });
  });

  describe("row 36: prune", () => {
    it("removes nothing that is young, and says why", async () => {
      const ended = await backups("prune", "--yes");
      ends(ended, 0, /there is nothing to remove/);
      assert.match(ended.stdout, new RegExp(`stays {2}backup ${first}: it was taken before v2\\.0\\.0 \\(#2\\);.+younger than 7 days`));
      assert.match(ended.stdout, /stays {2}image pbjrag-.+:v1\.0\.0-\w+: v1\.0\.0 \(#1\) runs it/);
      assert.match(ended.stdout, /stays {2}volume pbjrag-.+_qdrant_storage: the data of v3\.0\.0 \(#3\) lies in it; a container mounts it/);
      assert.deepEqual(tiny.backups(), [first, second]);
    });

    it("removes what nothing needs, but what is pinned, and only when it is not a dry run", async () => {
      const [a, b, c] = [await takeOne(), await takeOne(), await takeOne()];
      await tiny.configure(STRICT);
      ends(await backups("pin", a), 0, /is pinned/);
      ends(await backups("pin", "pre-deploy-20000101-000000"), 2, /has no backup/);
      assert.deepEqual((await listed()).filter(({ pinned }) => pinned).map(({ name }) => name), [a]);

      const dry = await backups("prune", "--dry-run");
      ends(dry, 0, /a prune would remove 1 backup, up to .+; nothing was touched/);
      assert.match(dry.stdout, new RegExp(`goes +backup ${b} \\(`));
      assert.ok(existsSync(of(b, "manifest.json")));

      ends(await backups("prune", "--yes"), 0, /removed 1 backup/);
      assert.deepEqual((await listed()).map(({ name }) => name), [c, a, second, first]);
      ends(await backups("unpin", a), 0, /no longer pinned/);
      ends(await backups("prune", "--yes"), 0, /removed 1 backup/);
      assert.deepEqual((await listed()).map(({ name }) => name), [c, second, first]);
      ends(await backups("prune", "--yes"), 0, /nothing to remove/);
      ends(await backups("verify", "--all"), 0, /3 backups read/);
      tiny.assertNoRemains();
    });

    it("waits for no backup that is under way: it is refused, and the backup is whole", async () => {
      const taking = tiny.project.startScript("rollback", ["--backup-only"]);
      await waitFor("the backup to be written", () => tiny.backups().some((name) => name.endsWith(".partial")));
      const refused = await backups("prune", "--yes");
      ends(await taking.ended, 0, /^DONE/);
      ends(refused, 6, /rollback, run rollback-/);
      ends(await backups("verify"), 0, /no damage/);
    });

    it("leaves an interrupted release's mark, so that the next one still takes a new backup", async () => {
      const mark = path.join(tiny.project.paths.run, "last-run.json");
      const interrupted = JSON.stringify({ run: "deploy-1", command: "deploy", exitCode: 4 });
      writeFileSync(mark, interrupted);
      ends(await backups("prune", "--yes"), 0, /^DONE/);
      assert.equal(readFileSync(mark, "utf8"), interrupted);
      writeFileSync(mark, JSON.stringify({ run: "deploy-1", command: "deploy", exitCode: 0 }));
    });

    it("happens after a successful deploy: what failed goes, everything that can be gone back to stays", async () => {
      const docker = new Docker();
      const { stack } = tiny.project;
      tiny.commit("v3.1.0", { command: ["sh", "-c", "exit 7"] });
      assert.equal((await tiny.deploy("v3.1.0")).exitCode, 3);
      const label = { "pbjrag.stack": stack, "pbjrag.role": "data", "pbjrag.generation": "failed" };
      const [left, foreign] = [`pbjrag-${stack}_qdrant_storage-failed`, `foreign-${stack}`];
      await docker.createVolume({ Name: left, Labels: label });
      await docker.createVolume({ Name: foreign, Labels: { "pbjrag.stack": `${stack}-other`, "pbjrag.role": "data" } });
      try {
        const images = (await keptFor(stack)).images.map((name) => name.replace(/-[^-]+$/, "").replace(/^.*:/, ""));
        assert.deepEqual(images, ["v1.0.0", "v2.0.0", "v3.0.0", "v3.1.0"]);

        const ended = await tiny.released("v4.0.0");
        assert.match(ended.stdout, /pruned: \d backups? and 1 image and 1 volume/);
        const kept = await keptFor(stack);
        assert.deepEqual(kept.images.map((name) => name.replace(/-[^-]+$/, "").replace(/^.*:/, "")), ["v1.0.0", "v2.0.0", "v3.0.0", "v4.0.0"]);
        assert.ok(!kept.volumes.includes(left));
        assert.equal((await docker.getVolume(foreign).inspect()).Name, foreign);
        const now = await listed();
        assert.deepEqual(now.map(({ of: data, before: next }) => [data, next]), [["v3.0.0", "v4.0.0"], ["v2.0.0", "v3.0.0"], ["v1.0.0", "v2.0.0"]]);
        ends(await backups("verify", "--all"), 0, /3 backups read/);
      } finally {
        await docker.getVolume(foreign).remove();
      }
    });

    it("leaves what it takes to go back to every release", async () => {
      for (const tag of ["v1.0.0", "v3.0.0"]) {
        const ended = await tiny.project.script("rollback", [tag, "--yes"]);
        ends(ended, 0, new RegExp(`${tag} serves`));
        ends(await backups("prune", "--yes"), 0, /^DONE/);
      }
      assert.equal(statSync(of(first, "manifest.json")).isFile(), true);
    });
  });
});
