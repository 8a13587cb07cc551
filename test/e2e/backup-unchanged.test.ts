import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readIndex } from "../../components/backup/index/store.js";
import { type Manifest, parseManifest } from "../../components/backup/manifest.js";
import { verifyBackup } from "../../components/backup/verify.js";
import { BackupWorld } from "../support/backup.js";
import { dockerAnswers } from "../support/docker.js";
import { mustRun } from "../support/processes.js";
import { waitFor } from "../support/wait.js";

const FILL = `cd /data; mkdir -p 'a/b c'; head -c 300000 /dev/urandom > 'a/b c/ä.bin'; printf one > a/one; ln a/one hard; ln -s a/one link; printf y > "$(printf 'not-utf8-\\377')"`;

describe("e2e: uploads that are unchanged since the last backup", function () {
  this.timeout(180_000);
  let world: BackupWorld;
  let changedAt: number;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
  });

  beforeEach(async () => {
    world = new BackupWorld();
    await change(FILL);
  });

  afterEach(() => world.dispose());

  /** Qdrant's own image has no Python. */
  const MAPPED = "import mmap; f = open('/data/a/b c/ä.bin', 'r+b'); mmap.mmap(f.fileno(), 0)[5:6] = b'x'";

  async function change(script: string): Promise<void> {
    if (script === MAPPED) await mustRun("docker", ["run", "--rm", "--network", "none", "-v", `${world.uploadsVolume}:/data`, "python:3.11-slim", "python3", "-c", script], { cwd: world.dataDir });
    else await world.inVolume(world.uploadsVolume, script);
    changedAt = Date.now();
  }

  /** Times of files are relied on once they are older than what two of them may share. */
  const settled = (): Promise<true> => waitFor("what was written is some seconds old", () => Date.now() > changedAt + 3_000);

  interface Made {
    directory: string;
    manifest: Manifest;
    said: string;
    archive: { inode: number; links: number };
    /** The uploads' part of the index. */
    files: string[];
  }

  async function backUp(): Promise<Made> {
    const ended = await world.run();
    assert.equal(ended.exitCode, 0, ended.all);
    const directory = path.join(world.backups, ended.outcome?.backup ?? "");
    assert.deepEqual((await verifyBackup(directory)).problems, []);
    const { ino: inode, nlink: links } = statSync(path.join(directory, "uploads.tar.gz"));
    const files: string[] = [];
    for await (const entry of readIndex(directory)) if (entry.type === "file") files.push(`${entry.path} ${entry.content}`);
    return { directory, manifest: parseManifest(readFileSync(path.join(directory, "manifest.json"), "utf8")), said: ended.all, archive: { inode, links }, files };
  }

  it("are not read again: the archive is the former one, and all that is said of it as well", async () => {
    await settled();
    const first = await backUp();
    assert.ok(first.manifest.uploads.listing !== null, "Docker keeps its volumes on a file system whose times can be relied on");
    const second = await backUp();
    assert.match(second.said, /the uploads are unchanged since backup/);
    assert.doesNotMatch(second.said, /compressing the uploads/);
    assert.deepEqual([first.manifest.uploads.from, second.manifest.uploads.from], ["", first.manifest.name]);
    assert.deepEqual(second.archive, { inode: first.archive.inode, links: 2 });
    assert.deepEqual(second.files, first.files);
    assert.deepEqual(second.manifest.files["uploads.tar.gz"], first.manifest.files["uploads.tar.gz"]);
    const third = await backUp();
    assert.deepEqual([third.manifest.uploads.from, third.archive.links], [first.manifest.name, 3]);
    assert.equal(statSync(path.join(third.directory, "uploads.tar.gz")).mode & 0o777, 0o600);
  });

  it("are read again after any change, one that hides itself too", async () => {
    await settled();
    let former = await backUp();
    for (const [what, script] of [
      ["another content of the same size, its time put back", "cd /data; t=$(stat -c %y a/one); printf two > a/one; touch -d \"$t\" a/one"],
      ["a page that is written through a mapping", MAPPED],
      ["another owner", "chown 7 /data/a/one"],
      ["a file in another's place", "cd /data; cp -p hard new; mv new hard"],
      ["a file that is gone", "rm /data/link"],
    ] as const) {
      await change(script);
      await settled();
      const now = await backUp();
      assert.deepEqual([now.manifest.uploads.from, now.archive.links], ["", 1], what);
      assert.notEqual(now.manifest.uploads.listing?.digest, former.manifest.uploads.listing?.digest, what);
      former = now;
    }
    assert.equal((await backUp()).manifest.uploads.from, former.manifest.name);
  });

  it("are read again where the former backup was made just after a change, or the volume was made anew", async () => {
    await settled();
    await backUp();
    // While the next one lists them.
    const during = await world.until("to save:", () => change("printf 1 > /data/late"));
    assert.equal(during.exitCode, 0, during.all);
    const late = await backUp();
    assert.equal(late.manifest.uploads.from, "", late.said);
    await settled();
    const relied = await backUp();
    await world.docker.getVolume(world.uploadsVolume).remove();
    await change(FILL);
    await settled();
    const anew = await backUp();
    assert.deepEqual([anew.manifest.uploads.from, anew.archive.links], ["", 1], relied.manifest.name);
  });

  it("are read again where the former archive is damaged, which is said", async () => {
    await settled();
    const first = await backUp();
    const archive = path.join(first.directory, "uploads.tar.gz");
    const content = readFileSync(archive);
    content[100] = (content[100] ?? 0) ^ 1;
    writeFileSync(archive, content);
    const second = await backUp();
    assert.match(second.said, /its archive cannot be taken again: uploads\.tar\.gz is damaged/);
    assert.deepEqual([second.manifest.uploads.from, second.archive.links], ["", 1]);
    assert.deepEqual(second.files, first.files);
  });
});
