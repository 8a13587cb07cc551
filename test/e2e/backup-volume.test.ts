import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { dockerTar, type LineSink, type TarSource } from "../../components/backup/archive.js";
import { archiveVolume } from "../../components/backup/archive-volume.js";
import { type Context, Leftovers } from "../../components/backup/context.js";
import { Gzip } from "../../components/backup/gzip.js";
import { fileEntries } from "../../components/backup/index/files.js";
import type { FileEntry } from "../../components/backup/index/format.js";
import { readIndex } from "../../components/backup/index/store.js";
import { parseManifest } from "../../components/backup/manifest.js";
import { hostDirectory, mapsUsers, type Mount } from "../../components/backup/host-volume.js";
import { LISTING, readListing } from "../../components/backup/unchanged/listing.js";
import { openVolume, openVolumeTar } from "../../components/backup/volume-tar.js";
import { dataPaths } from "../../components/runtime/paths.js";
import { BackupWorld, QDRANT_IMAGE } from "../support/backup.js";
import { dockerAnswers } from "../support/docker.js";
import { argumentsOf } from "../support/secrets.js";
import { waitFor } from "../support/wait.js";

/** Files of every kind: names that are long, no UTF-8, or options; links within and out; a hole; a device, a pipe and a socket's name. */
const FILES = `cd /data; mkdir -p 'a/b c' empty; head -c 700000 /dev/urandom > 'a/b c/ä ü.bin'; printf x > a/one; : > zero; ln -s a/one link; ln -s /etc/passwd out; ln a/one hard
printf y > "$(printf 'not-utf8-\\377\\376')"; d=$(printf 'l%.0s' $(seq 120)); mkdir -p "$d/$d"; printf z > "$d/$d/deep"; printf o > ./--checkpoint-action=exec=false; printf n > 'new
line'; mkdir a-b a.d; printf 1 > a-b/1; printf 2 > a.d/2; truncate -s 3000000 hole; mkfifo pipe; mknod device b 7 250; chmod 600 a/one; chmod 4755 a/b\\ c; chown -R 1000:1000 a; chown 12:3000000 zero`;

describe("e2e: reading a volume", function () {
  this.timeout(180_000);
  let world: BackupWorld;
  let leftovers: Leftovers;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
  });

  beforeEach(() => {
    world = new BackupWorld();
    leftovers = new Leftovers();
  });

  afterEach(async () => {
    await leftovers.clear((what, error) => assert.fail(`${what}: ${String(error)}`));
    assert.deepEqual([await world.scratches(), pipes()], [[], []]);
    await world.dispose();
  });

  const pipes = (): string[] => {
    const directory = path.join(world.dataDir, ".release", "run", world.stack);
    return existsSync(directory) ? readdirSync(directory).filter((name) => name.startsWith("reader-")) : [];
  };

  async function context(): Promise<Context> {
    return {
      paths: dataPaths(world.dataDir, world.stack), run: "test", token: "t", gzip: await Gzip.find(), signal: AbortSignal.timeout(120_000),
      remaining: () => 120_000, allow: () => undefined, say: () => undefined, assertHolds: () => undefined,
    };
  }

  const open = async (image = QDRANT_IMAGE, directory: string | null = null): Promise<TarSource | null> =>
    openVolumeTar(await context(), { stack: world.stack, volume: world.uploadsVolume, directory, image, n: `tar-${directory === null ? "inside" : "here"}` }, leftovers);

  /** A container that is made only, with a volume at `/v`. */
  async function mounted(volume: string): Promise<Mount> {
    const { id } = await world.docker.createContainer({ Image: QDRANT_IMAGE, Labels: { "pbjrag.stack": world.stack }, HostConfig: { Binds: [`${volume}:/v`] } });
    return { container: id, path: "/v" };
  }

  async function listed(stream: TarSource["stream"], base: string): Promise<FileEntry[]> {
    const all: FileEntry[] = [];
    for await (const entry of fileEntries(stream, base)) all.push(entry);
    return all;
  }

  it("gives by tar what Docker's own archive gives, in the same order", async () => {
    await world.inVolume(world.uploadsVolume, FILES);
    const tar = await open();
    assert.ok(tar !== null);
    const byTar = await listed(tar.stream, tar.base);
    await tar.assertMade();
    const { archive, base } = await world.uploads();
    const byDocker = await listed(archive, base);
    assert.deepEqual(byTar, byDocker);
    assert.equal(byTar.length, 12);
  });

  it("gives on this host what a container gives, and lists the same, where it is root's and Docker's files are here", async function () {
    await world.inVolume(world.uploadsVolume, FILES);
    const directory = await hostDirectory(world.uploadsVolume, await mounted(world.uploadsVolume), mapsUsers());
    if (process.getuid?.() !== 0) return void assert.equal(directory, null);
    assert.ok(directory !== null);
    const [files, listings] = [[] as FileEntry[][], [] as unknown[]];
    // No container can be had for the first.
    for (const [where, image] of [[directory, "no-such-image:at-all"], [null, QDRANT_IMAGE]] as const) {
      const tar = await open(image, where);
      assert.ok(tar !== null);
      files.push(await listed(tar.stream, tar.base));
      await tar.assertMade();
      const listing = await openVolume(await context(), { stack: world.stack, volume: world.uploadsVolume, directory: where, image, n: `listing-${image}`.replace(/[^a-z]+/g, "-"), script: LISTING }, leftovers);
      assert.ok(listing !== null);
      listings.push((await readListing(listing.stream, ""))?.digest);
      await listing.assertMade();
    }
    assert.deepEqual(files[0], files[1]);
    assert.deepEqual([listings[0], files[0]?.length], [listings[1], 12]);
  });

  it("is not read on this host where its path could be another's, or is somewhere else", async () => {
    await world.inVolume(world.uploadsVolume, "true");
    await world.inVolume(world.qdrantVolume, "true");
    assert.equal(await hostDirectory(world.uploadsVolume, await mounted(world.qdrantVolume), mapsUsers()), null, "another directory");
    assert.equal(await hostDirectory("no-such-volume", await mounted(world.uploadsVolume), mapsUsers()), null, "no volume");
    const Name = `${world.uploadsVolume}_elsewhere`;
    await world.docker.createVolume({ Name, Labels: { "pbjrag.stack": world.stack }, DriverOpts: { type: "none", o: "bind", device: world.dataDir } });
    assert.equal(await hostDirectory(Name, await mounted(Name), mapsUsers()), null, "a volume with options");
  });

  it("reads no longer than the backup lives", async function () {
    if (process.getuid?.() !== 0) this.skip();
    await world.inVolume(world.uploadsVolume, "truncate -s 200G /data/f");
    const { Mountpoint } = await world.docker.getVolume(world.uploadsVolume).inspect();
    const readers = (): string[] => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && argumentsOf(pid).includes(`--directory=${Mountpoint}`));
    const running = world.start();
    await waitFor("tar reads", () => readers().length > 0);
    process.kill(running.pid, "SIGKILL");
    await running.finished;
    await waitFor("tar has ended", () => readers().length === 0);
    assert.equal((await world.run({ skipReason: "to sweep" })).exitCode, 0);
  });

  it("backs up and restores the same, whether by tar and igzip or by Docker and zlib", async () => {
    await world.inVolume(world.uploadsVolume, FILES);
    const lists: string[] = [];
    const restores: string[] = [];
    const empty = path.join(world.dataDir, "bin");
    mkdirSync(empty);
    for (const env of [process.env.PATH ?? "", empty]) {
      const ended = await world.run({}, { env: { PATH: env } });
      assert.equal(ended.exitCode, 0, ended.all);
      assert.match(ended.all, /3 devices, pipes or links to outside the uploads are left out/);
      const directory = path.join(world.backups, ended.outcome?.backup ?? "");
      const manifest = parseManifest(readFileSync(path.join(directory, "manifest.json"), "utf8"));
      assert.deepEqual([manifest.uploads.files, manifest.proof.read], [11, true]);
      const lines = createHash("sha256");
      for await (const entry of readIndex(directory)) lines.update(JSON.stringify(entry));
      lists.push(lines.digest("hex"));
      const restored = `${world.uploadsVolume}_${lists.length}`;
      await world.inVolume(restored, "true");
      execFileSync("docker", ["run", "--rm", "--network", "none", "-v", `${restored}:/data`, "-v", `${directory}:/backup:ro`, "--entrypoint", "tar", QDRANT_IMAGE, "xzf", "/backup/uploads.tar.gz", "-C", "/data"]);
      restores.push(await world.listing(restored));
    }
    await world.inVolume(world.uploadsVolume, "cd /data; rm pipe device out");
    const kept = await world.listing(world.uploadsVolume);
    assert.deepEqual(restores, [kept, kept]);
    assert.equal(lists[0], lists[1]);
  });

  it("packs the same without this process between tar and the disk", async () => {
    await world.inVolume(world.uploadsVolume, `${FILES}; rm pipe device out`);
    const { gzip, ...rest } = await context();
    const what = { stack: world.stack, volume: world.uploadsVolume, directory: null, image: QDRANT_IMAGE, n: "1" };
    const byDocker = (): Promise<never> => Promise.reject(new Error("Docker was asked"));
    const lists: string[][] = [];
    const begin = (): Promise<LineSink> => {
      const lines: string[] = [];
      lists.push(lines);
      return Promise.resolve((line) => void lines.push(line));
    };
    const packed = await archiveVolume({ ...rest, gzip }, what, path.join(world.dataDir, "packed"), leftovers, begin, byDocker);
    assert.equal(lists.length, 1);
    const zlib = await Gzip.find({ PATH: "" });
    const passed = await archiveVolume({ ...rest, gzip: zlib }, { ...what, n: "2" }, path.join(world.dataDir, "passed"), leftovers, begin, byDocker);
    assert.deepEqual(packed.content, passed.content);
    assert.deepEqual(lists[0], lists.at(-1));
  });

  it("leaves it to Docker where the image has no tar", async () => {
    await world.inVolume(world.uploadsVolume, "printf x > /data/f");
    const image = `pbjrag-${world.stack}:bare`;
    execFileSync("docker", ["import", "-", image], { input: Buffer.alloc(1024) });
    assert.equal(await open(image), null);
    assert.equal(await open("no-such-image:at-all"), null);
    const { archive, base } = await world.uploads();
    const what = { stack: world.stack, volume: world.uploadsVolume, directory: null, image, n: "2" };
    const { content } = await archiveVolume(await context(), what, path.join(world.dataDir, "a"), leftovers, () => Promise.resolve(undefined), () => Promise.resolve(dockerTar(archive, base)));
    assert.deepEqual([content.files, content.bytes], [1, 1]);
  });

  it("lets go of everything when nobody reads on", async () => {
    await world.inVolume(world.uploadsVolume, "truncate -s 300M /data/f");
    const tar = await open();
    assert.ok(tar !== null);
    tar.stream.destroy();
    await assert.rejects(tar.assertMade(), /tar ended with code|tar:/);
  });

  it("begins again when a file shrinks meanwhile, and fails when that goes on", async () => {
    // Several, as one alone may be met in the moment in which it is small, time after time.
    await world.inVolume(world.uploadsVolume, "touch /data/f1 /data/f2 /data/f3 /data/f4");
    const writer = await world.docker.createContainer({
      Image: QDRANT_IMAGE, Labels: { "pbjrag.stack": world.stack }, HostConfig: { Binds: [`${world.uploadsVolume}:/data`] },
      Entrypoint: ["sh", "-c", "for n in 1 2 3 4; do (while :; do truncate -s 500M /data/f$n; sleep 0.05; truncate -s 1M /data/f$n; done) & done; wait"],
    });
    await writer.start();
    await waitFor("the writer writes", async () => (await world.inVolume(world.uploadsVolume, "stat -c %s /data/f4")).trim() !== "0");
    const ended = await world.run();
    assert.equal(ended.exitCode, 2, ended.all);
    assert.match(ended.all, /the uploads changed while they were read: beginning again/);
    assert.match(ended.lastLine, /the uploads could not be read whole, in 3 attempts/);
    assert.deepEqual(world.directories, []);
    await writer.kill();
    const again = await world.run();
    assert.equal(again.exitCode, 0, again.all);
  });

  it("does not mind files that grow, come and go", async () => {
    await world.inVolume(world.uploadsVolume, "head -c 30000000 /dev/urandom > /data/large");
    const writer = await world.docker.createContainer({
      Image: QDRANT_IMAGE, Labels: { "pbjrag.stack": world.stack }, HostConfig: { Binds: [`${world.uploadsVolume}:/data`] },
      Entrypoint: ["sh", "-c", "n=0; while :; do n=$((n+1)); echo more >> /data/log; echo x > /data/new$n; rm -f /data/new$((n-20)); done"],
    });
    await writer.start();
    const ended = await world.run();
    assert.equal(ended.exitCode, 0, ended.all);
    await writer.kill();
  });
});
