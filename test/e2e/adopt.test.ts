import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { verifyBackup } from "../../components/backup/verify.js";
import path from "node:path";
import { QDRANT_IMAGE } from "../support/backup.js";
import { ComposeInstall } from "../support/compose.js";
import { dockerAnswers } from "../support/docker.js";
import { mustRun } from "../support/processes.js";
import type { Dump } from "../support/qdrant.js";
import { fullOnly } from "../support/suite.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, PAGE } from "./traffic/client.js";

const SERVES = [{ running: true, restart: "unless-stopped" }, { running: true, restart: "unless-stopped" }];
const STOPPED = [{ running: false, restart: "no" }, { running: false, restart: "no" }];
/** Milliseconds by which what is measured from outside and what is told may differ on a busy machine. */
const SLACK_MS = 3_000;

describe("e2e: adopting a docker compose install", function () {
  this.timeout(600_000);
  let tiny: TinyStack;
  let install: ComposeInstall;
  let points: Dump;
  let uploads: string;

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    tiny = await TinyStack.open("adopt");
    tiny.commit("v1.0.0");
    const image = `${tiny.names.prefix}:compose`;
    await mustRun("docker", ["build", "-q", "--label", "install=compose", "-t", image, tiny.source.dir], { cwd: tiny.source.dir });
    install = new ComposeInstall(tiny.project.stack, tiny.project.port);
    await install.up(image);
    await install.client.create("code", { size: 4, distance: "Dot" });
    await install.client.upsert("code", Array.from({ length: 300 }, (_, id) => ({ id, vector: [id, 1, 0, -id], payload: { file: `${id}.py` } })));
    await install.client.index("code", "file", "keyword");
    await install.client.alias("current", "code");
    await mustRun("docker", ["exec", install.webui, "sh", "-c", "mkdir -p /app/uploads/d && head -c 300000 /dev/urandom > /app/uploads/d/file && printf x > '/app/uploads/a b'"], { cwd: "/" });
    [points, uploads] = [await install.dump(), await install.uploads()];
    await tiny.configure({ adopt: { qdrantVolume: install.qdrantVolume, uploadsVolume: install.uploadsVolume, containers: [install.qdrant, install.webui] } });
  });
  after(async () => {
    await tiny?.remove();
    await install?.remove();
  });

  const by = async (): Promise<string> => (await ask(tiny.project.url, { headers: PAGE })).by;

  async function untouched(): Promise<void> {
    assert.deepEqual(await install.states(), SERVES);
    await waitFor("the install to serve", async () => (await by()) === "compose");
    await waitFor("its Qdrant", () => install.client.ready());
    assert.deepEqual(await install.dump(), points);
    assert.equal(await install.uploads(), uploads);
  }

  it("announces what it will stop, and touches nothing in a preview", async () => {
    const ended = await tiny.deploy("v1.0.0", ["--dry-run"]);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.all, new RegExp(`ADOPTS ${install.qdrant}, ${install.webui}: backed up first.*DOWNTIME`));
    await untouched();
  });

  it("refuses what cannot be taken over, all of it at once, before anything is touched", async () => {
    const other = `${tiny.project.stack}-other`;
    await install.docker.createContainer({ name: other, Image: QDRANT_IMAGE, HostConfig: { Binds: [`${install.uploadsVolume}:/data`] } });
    try {
      await tiny.configure({ adopt: { qdrantVolume: install.qdrantVolume, uploadsVolume: install.uploadsVolume, containers: [install.qdrant, "nobody"] }, qdrant: { cpus: 1, memory: "256MiB", image: "qdrant/qdrant:v1.20.0" } });
      const ended = await tiny.deploy("v1.0.0");
      assert.equal(ended.exitCode, 2, ended.all);
      for (const words of [/there is no container nobody/, new RegExp(`${install.webui}.* uses? ${install.uploadsVolume}|${other}.* use`), /is Qdrant 1\.20\.0, and the data is taken over from 1\.19/, /is taken by container/]) assert.match(ended.all, words);
      await untouched();
    } finally {
      await install.docker.getContainer(other).remove({ force: true });
      await tiny.configure({ adopt: { qdrantVolume: install.qdrantVolume, uploadsVolume: install.uploadsVolume, containers: [install.qdrant, install.webui] } });
    }
  });

  it("gives everything back, as it was, when the first release fails", async () => {
    tiny.commit("v0.9.0", { command: ["sh", "-c", "echo broken on purpose; exit 7"] });
    const ended = await tiny.deploy("v0.9.0");
    assert.equal(ended.exitCode, 3, ended.all);
    assert.match(ended.lastLine, new RegExp(`${install.qdrant}, ${install.webui} serve again, after .* of downtime`));
    await untouched();
  });

  fullOnly(() => it("goes on after a kill in the middle, when nobody serves", async () => {
    tiny.commit("v0.9.1");
    const running = await tiny.deployUntil("v0.9.1", ({ phase, event }) => phase === "adopt" && event === "done");
    running.killTree();
    await running.ended;
    assert.deepEqual(await install.states(), STOPPED);
    tiny.commit("v0.9.2", { command: ["sh", "-c", "exit 7"] });
    const ended = await tiny.deploy("v0.9.2");
    assert.equal(ended.exitCode, 3, ended.all);
    await untouched();
  }));

  it("takes over: backed up first, the same volumes, no data moved or lost, the downtime measured and told", async () => {
    const before = tiny.backups();
    const watch = new AbortController();
    const served = watchServed(by, watch.signal);
    const ended = await tiny.deploy("v1.0.0");
    await waitFor("the new release to be seen", async () => (await by()) === "v1.0.0");
    watch.abort();
    assert.equal(ended.exitCode, 0, ended.all);
    const [, told = ""] = /which are stopped and kept, with ([\d.]+) s of downtime/.exec(ended.lastLine) ?? assert.fail(ended.lastLine);
    const [toldMs, measuredMs] = [Number(told) * 1000, await served];
    process.stdout.write(`    downtime: ${toldMs} ms told, ${Math.round(measuredMs)} ms measured\n`);
    assert.ok(Math.abs(toldMs - measuredMs) < SLACK_MS, `${toldMs} ms told, ${measuredMs} ms measured`);
    assert.deepEqual(await install.states(), STOPPED);
    assert.deepEqual(await (await tiny.qdrant()).dump(), points);
    assert.equal(await install.uploads(), uploads);
    const [backup = ""] = tiny.backups().filter((name) => !before.includes(name));
    const { manifest, problems } = await verifyBackup(path.join(tiny.project.paths.backups, backup));
    assert.deepEqual(problems, []);
    assert.deepEqual([manifest?.qdrant?.collections.code?.points, manifest?.qdrant?.volume], [300, install.qdrantVolume]);
  });

  it("changes nothing when it is asked again, also when Docker is asked what is there", async () => {
    for (const more of [[], ["--refresh"]]) {
      const preview = await tiny.project.pulumi(["preview", "--expect-no-changes", "--diff", ...more]);
      assert.equal(preview.exitCode, 0, preview.all);
    }
  });

  it("releases as ever from then on, and leaves what was stopped as it is", async () => {
    tiny.commit("v2.0.0");
    tiny.startProbes();
    const ended = await tiny.deploy("v2.0.0");
    assert.equal(ended.exitCode, 0, ended.all);
    await tiny.answered("v1.0.0", "v2.0.0");
    assert.deepEqual(await install.states(), STOPPED);
    assert.deepEqual(await (await tiny.qdrant()).dump(), points);
    assert.equal(await install.uploads(), uploads);
  });
});

/** @returns milliseconds between the last answer of the install and the first of the release, seen from outside */
async function watchServed(by: () => Promise<string>, signal: AbortSignal): Promise<number> {
  let [last, first] = [NaN, NaN];
  while (!signal.aborted) {
    const who = await by().catch(() => "");
    if (who === "compose") last = performance.now();
    else if (who !== "" && Number.isNaN(first)) first = performance.now();
    await delay(20);
  }
  return first - last;
}
