/** Row 39: what is secret is in nothing that is shown, kept or handed on, but for the environments that need it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import Docker from "dockerode";
import { hostPort } from "../../components/runtime/docker.js";
import { containersOf, keptFor } from "../support/docker.js";
import type { Ended } from "../support/processes.js";
import { TestQdrant } from "../support/qdrant.js";
import { leaksBelow, leaksIn, leaksOf, plantedSecret, watchArguments } from "../support/secrets.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";

/** Variables of containers that must hold a secret, for it is of use to nobody else. */
const NEEDED = /^(GREETING|QDRANT_API_KEY|QDRANT__SERVICE__API_KEY)=/;

describe("faults: secrets (row 39)", function () {
  this.timeout(600_000);
  const secrets = { apiKey: plantedSecret(), secretEnv: `${plantedSecret()} ü"'\`$(id)`, passphrase: plantedSecret(), credential: plantedSecret() };
  const said: Ended[] = [];
  const seen = new Map<string, string>();
  let tiny: TinyStack;
  let stopWatching: (() => string[])[];
  let inspecting: NodeJS.Timeout;

  before(async () => {
    const docker = new Docker();
    stopWatching = Object.entries(secrets).map(([name, secret]) => {
      const stop = watchArguments(secret);
      return () => leaksOf({ [name]: secret }, stop);
    });
    tiny = await TinyStack.open("secr", { env: { PULUMI_CONFIG_PASSPHRASE: secrets.passphrase } });
    // Scratch containers live for seconds only: each is looked at when it is there.
    inspecting = setInterval(() => void keptFor(tiny.project.stack).then(async ({ containers }) => {
      for (const name of containers.filter((one) => !seen.has(one))) seen.set(name, JSON.stringify(await docker.getContainer(name).inspect()));
    }).catch(() => undefined), 100);
  });
  after(async () => {
    clearInterval(inspecting);
    stopWatching.forEach((stop) => stop());
    await tiny.remove();
  });

  async function script(name: string, args: readonly string[], exitCode: number): Promise<Ended> {
    const ended = await tiny.project.script(name, args);
    said.push(ended);
    assert.equal(ended.exitCode, exitCode, ended.all);
    return ended;
  }
  async function set(key: string, secret: string): Promise<void> {
    const ended = await tiny.project.pulumi(["config", "set", "--secret", "--path", key], { input: secret });
    said.push(ended);
    assert.equal(ended.exitCode, 0, ended.all);
  }
  const clean = (look: (secret: string) => ReturnType<typeof leaksIn>): void => assert.deepEqual(leaksOf(secrets, look), []);

  it("releases with secrets, backs their data up, is undone with an app that shows them, and goes back", async () => {
    await set("pbjrag:qdrant.apiKey", secrets.apiKey);
    await set("pbjrag:app.secretEnv.GREETING", secrets.secretEnv);
    tiny.commit("v1.0.0");
    await script("deploy", ["--version", "v1.0.0"], 0);
    const port = await waitFor("Qdrant's port", () => hostPort(tiny.names.qdrantContainer("0"), 6333));
    const qdrant = new TestQdrant(`http://127.0.0.1:${port}`, secrets.apiKey);
    await waitFor("Qdrant to take the key", () => qdrant.ready());
    await qdrant.create("code", { size: 2, distance: "Dot" });
    await qdrant.upsert("code", [{ id: 1, vector: [1, 2], payload: { file: "a.py" } }]);
    tiny.commit("v2.0.0");
    assert.match((await script("deploy", ["--version", "v2.0.0"], 0)).lastLine, /backup pre-deploy-/);

    const tell = "import os,sys; print('starting with', os.environ['GREETING'], os.environ['QDRANT_API_KEY']); sys.exit('RuntimeError: '+os.environ['GREETING'])";
    tiny.commit("v3.0.0", { command: ["python3", "-uc", tell] });
    const broken = await script("deploy", ["--version", "v3.0.0"], 3);
    assert.match(broken.all, /RuntimeError: \*\*\*/, "the app's own words are not shown");
    await script("rollback", [], 0);
    await script("status", ["--json"], 0);
    await script("deploy", ["--version", "v2.0.0", "--dry-run"], 0);
    for (const args of [["stack", "output", "--json"], ["stack", "export"], ["config"], ["preview", "--diff", "--non-interactive"]]) said.push(await tiny.project.pulumi(args));
  });

  it("refuses an address with a credential, without showing it", async () => {
    const file = path.join(tiny.project.dir, `Pulumi.${tiny.project.stack}.yaml`);
    const address = `https://user:${encodeURIComponent(secrets.credential)}@example.invalid/app.git`;
    const { all, exitCode } = await tiny.project.pulumi(["config", "set", "pbjrag:source"], { input: address });
    assert.equal(exitCode, 0, all);
    for (const args of [["--version", "v2.0.0"], [], ["--dry-run"]]) {
      assert.match((await script("deploy", args, 2)).lastLine, /pbjrag:source: holds a user name or password.+git's credential helper/);
    }
    const plain = await tiny.project.pulumi(["preview", "--non-interactive"]);
    said.push(plain);
    assert.match(plain.all, /pbjrag:source: holds a user name or password/);
    assert.match(readFileSync(file, "utf8"), /example\.invalid/);
    await tiny.project.pulumi(["config", "set", "pbjrag:source", tiny.source.dir]);
  });

  it("what the commands said holds none of them", () => {
    assert.ok(said.length > 10);
    clean((secret) => said.flatMap((ended, at) => leaksIn(`output ${at}: ${ended.lastLine}`, ended.all, secret)));
  });

  it("nor do the logs, the journal, the state, its copies, the backups, or anything else that is kept", () => {
    for (const kept of ["logs", "states", ".release/run", ".release/state", "backups"]) assert.ok(leaksBelow(path.join(tiny.project.dir, kept), tiny.project.stack).length > 0, kept);
    clean((secret) => leaksBelow(tiny.project.dir, secret));
    clean((secret) => leaksBelow(tiny.temporary, secret));
  });

  it("nor did the arguments of any process", () => {
    assert.deepEqual(stopWatching.splice(0).flatMap((stop) => stop()), []);
  });

  it("nor does Docker of any container or image, but for the environments that need them", async () => {
    clearInterval(inspecting);
    const docker = new Docker();
    const names = [...seen.keys()];
    for (const what of [/-app-v1/, /-app-v3/, /-qdrant-0$/, /-proxy$/, /-scratch-/]) assert.ok(names.some((name) => what.test(name)), `${what} was not seen: ${names.join(", ")}`);
    const withoutNeeded = (inspected: string): string => {
      const info = JSON.parse(inspected) as { Config: { Env: string[] } };
      const needed = info.Config.Env.filter((item) => NEEDED.test(item));
      return JSON.stringify({ ...info, Config: { ...info.Config, Env: info.Config.Env.filter((item) => !needed.includes(item)) } });
    };
    clean((secret) => [...seen].flatMap(([name, inspected]) => leaksIn(`docker inspect ${name}`, withoutNeeded(inspected), secret)));
    const [app] = await containersOf(tiny.project.stack, "app");
    assert.ok(seen.get(app?.name ?? "")?.includes(JSON.stringify(`GREETING=${secrets.secretEnv}`)), "the app got another value than was set");
    const { images } = await keptFor(tiny.project.stack);
    assert.ok(images.length >= 3);
    for (const image of images) {
      const told = JSON.stringify([await docker.getImage(image).history(), await docker.getImage(image).inspect()]);
      clean((secret) => leaksIn(`image ${image}`, told, secret));
    }
  });
});
