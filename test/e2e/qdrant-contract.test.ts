import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import semver from "semver";
import { z } from "zod";
import { liveEntries } from "../../components/backup/index/live.js";
import { readIndex } from "../../components/backup/index/store.js";
import { lossInWords, lossOf } from "../../components/backup/loss.js";
import { parseManifest } from "../../components/backup/manifest.js";
import { verifyBackup } from "../../components/backup/verify.js";
import { versionOfImage } from "../../components/qdrant/version.js";
import { docker } from "../../components/runtime/docker.js";
import { CALLS, type ContractCall } from "../qdrant/contract/calls.js";
import { type Kind, KINDS } from "../qdrant/contract/kinds.js";
import { ContractServer } from "../qdrant/contract/server.js";
import { BackupWorld, PLANTED_KEY } from "../support/backup.js";
import { dockerAnswers } from "../support/docker.js";
import { contractImages } from "../support/qdrant-real.js";

const body = z.object({ result: z.unknown() });
const failure = z.object({ status: z.object({ error: z.string() }), time: z.number() });

/** What a line of the table relies on, of an answer's text. */
function usedOf({ error, open, path: where }: ContractCall, text: string): unknown {
  if (error === "json") return failure.parse(JSON.parse(text)).status.error;
  if (error !== undefined || where === "/metrics" || (open === true && where !== "/")) return text;
  const parsed: unknown = JSON.parse(text);
  return where === "/" ? parsed : body.parse(parsed).result;
}

describe("e2e: the contract with Qdrant", function () {
  this.timeout(1_800_000);
  let images: string[] = [];

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    images = await contractImages();
  });

  interface Tried {
    image: string;
    standIn: boolean;
    /** Whether its version has what came with this minor one; all have what has none. */
    has: (thing: { since?: string }) => boolean;
  }

  async function each(work: (world: BackupWorld, server: ContractServer, tried: Tried) => Promise<void>, some = images): Promise<void> {
    for (const image of some) {
      const world = new BackupWorld();
      try {
        const { baseUrl } = await world.startQdrant(world.qdrantVolume, world.container, image);
        const version = versionOfImage(image) ?? "";
        const has = ({ since }: { since?: string }): boolean => since === undefined || semver.gte(version, `${since}.0`);
        await work(world, new ContractServer(baseUrl, PLANTED_KEY), { image, standIn: await isStandIn(image), has });
      } catch (error) {
        throw new Error(`on ${image}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      } finally {
        await world.dispose();
      }
    }
  }

  const isStandIn = async (image: string): Promise<boolean> => (await docker().getImage(image).inspect()).Config.Labels?.["pbjrag.standin"] === "true";
  const kindsFor = ({ standIn, has }: Tried): Kind[] => KINDS.filter((kind) => !(standIn && kind.realOnly === true) && has(kind));

  it("answers each request that the program makes as the table has it", () => each(async (_world, server, { has }) => {
    await server.prepare();
    const wrong: string[] = [];
    for (const call of CALLS.filter(has)) {
      const { status, headers, text } = await server.send(call.method, call.path, call.body, call.headers, call.open);
      const differs = (what: string): unknown => wrong.push(`${call.name}: ${what}; answered ${status} ${text.slice(0, 200)}`);
      if (status !== call.status) differs(`not ${call.status}`);
      else if (!call.used.safeParse(usedOf(call, text)).success) differs(z.prettifyError(call.used.safeParse(usedOf(call, text)).error ?? new z.ZodError([])));
      for (const [header, form] of Object.entries(call.answered ?? {})) if (!form.test(String(headers[header]))) differs(`${header} is ${String(headers[header])}`);
      if (headers["content-encoding"] !== undefined) differs("it is compressed");
    }
    assert.deepEqual(wrong, []);
  }));

  it("gives a snapshot to the byte, takes it by its SHA-256 and refuses any other", () => each(async (world, server) => {
    await server.prepare();
    const client = await world.client();
    const { name, size, checksum } = await client.createSnapshot("plain", 60_000);
    const { body: stream, size: told } = await client.downloadSnapshot("plain", name, 60_000);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const content = Buffer.concat(chunks);
    const sha256 = createHash("sha256").update(content).digest("hex");
    assert.deepEqual([content.length, told, sha256], [size, size, checksum]);
    const upload = async (collection: string, bytes: Buffer, sum: string): Promise<void> => {
      const { Readable } = await import("node:stream");
      await client.uploadSnapshot(collection, { body: Readable.from([bytes], { objectMode: false }), size: bytes.length, sha256: sum, timeoutMs: 60_000 });
    };
    await assert.rejects(upload("other", content, "0".repeat(64)), /400 Checksum mismatch/);
    await assert.rejects(upload("other", Buffer.from("no snapshot".repeat(100)), createHash("sha256").update("no snapshot".repeat(100)).digest("hex")), /500 /);
    await upload("other", content, sha256);
    assert.equal(await client.count("other"), 20);
    await client.deleteSnapshot("plain", name);
    assert.deepEqual(await client.snapshots("plain"), []);
  }));

  it("backs up, proves, lists and restores collections of every kind, to the letter, while one of them is written to", () => each(async (world, server, tried) => {
    const { image } = tried;
    const kinds = kindsFor(tried);
    for (const kind of kinds) await server.make(kind);
    const written = kinds.find(({ name }) => name === "hybrid");
    assert.ok(written !== undefined);
    await server.must("PATCH", "/collections/empty", { params: { read_fan_out_factor: 1, read_fan_out_delay_ms: 5 } });
    // Before 1.19 there are none.
    const quotas = async (one: ContractServer): Promise<unknown> => {
      const { status, text } = await one.send("GET", "/quotas");
      return status === 200 ? (JSON.parse(text) as { result: { config: unknown } }).result.config : null;
    };
    await server.send("PUT", "/quotas?wait=true", { enabled: false, max_disk_usage_percent: 99 });
    const [before, limits] = [await server.dump(["hybrid"]), await quotas(server)];
    const writer = server.write(written, 50);
    const ended = await world.run({ qdrantImage: image, deadlineMs: 800_000 }, { timeoutMs: 900_000 });
    const writes = await writer.stop();
    assert.equal(ended.exitCode, 0, ended.all);
    const directory = path.join(world.backups, ended.outcome?.backup ?? "");
    const manifest = parseManifest(readFileSync(path.join(directory, "manifest.json"), "utf8"));
    const saved = manifest.qdrant?.collections ?? {};
    assert.deepEqual(Object.keys(saved).sort(), kinds.map(({ name }) => name).sort());
    for (const { name, points = 60 } of kinds.filter((kind) => kind !== written)) assert.equal(saved[name]?.points, points, name);
    assert.ok(ended.outcome?.proven === true && manifest.proof.sampled && writes > 0, ended.all);
    assert.deepEqual((await verifyBackup(directory)).problems, []);
    assert.deepEqual(await server.dump(["hybrid"]), before, "the live one is as it was");

    const loss = lossInWords(await lossOf(readIndex(directory), liveEntries(await world.client(), manifest.index?.details ?? {}, null)));
    assert.deepEqual(loss.filter((line) => !line.startsWith("collection hybrid")), []);

    const request = world.restoreRequest("again", path.basename(directory), { qdrantImage: image });
    assert.equal((await world.startRestore(request).ended).exitCode, 0);
    const { baseUrl } = await world.startQdrant(request.volumes.qdrant, `${world.container}-again`, image);
    const again = new ContractServer(baseUrl, PLANTED_KEY);
    assert.deepEqual([await again.dump(["hybrid"]), await quotas(again)], [before, limits], "what came back");
  }));

  it("restores what an older minor version saved on the next one, point by point", async function () {
    const real = (await Promise.all(images.map(async (image) => ({ image, standIn: await isStandIn(image) })))).filter(({ standIn }) => !standIn).map(({ image }) => image);
    const sorted = real.sort((a, b) => semver.compare(versionOfImage(a) ?? "", versionOfImage(b) ?? ""));
    const [older, newer] = sorted;
    if (older === undefined || newer === undefined) this.skip();
    await each(async (world, server, tried) => {
      for (const kind of kindsFor(tried)) await server.make(kind);
      const before = await server.points();
      const ended = await world.run({ qdrantImage: older, deadlineMs: 800_000 }, { timeoutMs: 900_000 });
      assert.equal(ended.exitCode, 0, ended.all);
      const request = world.restoreRequest("newer", ended.outcome?.backup ?? "", { qdrantImage: newer });
      assert.equal((await world.startRestore(request).ended).exitCode, 0);
      const { baseUrl } = await world.startQdrant(request.volumes.qdrant, `${world.container}-newer`, newer);
      assert.deepEqual(await new ContractServer(baseUrl, PLANTED_KEY).points(), before);
    }, [older]);
  });
});
