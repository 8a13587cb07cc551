import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

const MAIN = resolve(__dirname, "../../../offline/engine/main.js");

describe("stand-in engine: the command", function () {
  // Each key takes a million rounds, and each command a process.
  this.timeout(120_000);
  let directory: string;

  const pulumi = (args: string[], env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      cwd: directory,
      encoding: "utf8",
      env: {
        ...process.env,
        PULUMI_BACKEND_URL: `file://${directory}`,
        PULUMI_HOME: join(directory, "home"),
        PULUMI_CONFIG_PASSPHRASE: "pass",
        ...env,
      },
    });
    return { status, stdout, stderr };
  };
  const config = (): string => readFileSync(join(directory, "Pulumi.dev.yaml"), "utf8");

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "command-"));
    writeFileSync(join(directory, "Pulumi.yaml"), "name: play\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
    assert.equal(pulumi(["stack", "init", "dev"]).status, 0);
  });
  after(() => rmSync(directory, { recursive: true }));

  it("refuses by name what it does not do", () => {
    for (const [args, named] of [
      [["up", "--target", "x"], /--target/],
      [["watch"], /watch/],
      [["stack", "rename", "x"], /rename/],
      [["login", "s3://bucket"], /s3:\/\/bucket/],
      [["stack", "init", "x", "--secrets-provider", "awskms://k"], /awskms/],
    ] as const) {
      const { status, stderr } = pulumi([...args]);
      assert.notEqual(status, 0, args.join(" "));
      assert.match(stderr, named);
      assert.match(stderr, /offline stand-in/);
    }
  });

  it("reads a state in each form that the real one keeps it in, and writes it plain", () => {
    const stacks = join(directory, ".pulumi/stacks/play");
    const plain = join(stacks, "dev.json");
    for (const [form, pack] of [[".gz", gzipSync], [".zst", zstdCompressSync]] as const) {
      writeFileSync(`${plain}${form}`, pack(readFileSync(plain)));
      rmSync(plain);
      assert.match(pulumi(["stack", "ls", "--json"]).stdout, /"name": ?"dev"/);
      const exported = pulumi(["stack", "export"]);
      assert.equal(exported.status, 0, exported.stderr);
      writeFileSync(join(directory, "exported.json"), exported.stdout);
      const imported = pulumi(["stack", "import", "--file", join(directory, "exported.json")]);
      assert.equal(imported.status, 0, imported.stderr);
      assert.ok(existsSync(plain) && !existsSync(`${plain}${form}`) && existsSync(`${plain}${form}.bak`));
    }
  });

  it("wants a word before it changes anything", () => {
    const { status, stderr } = pulumi(["up", "--non-interactive"]);
    assert.equal(status, 2);
    assert.match(stderr, /--yes or --skip-preview/);
  });

  it("quotes what YAML readers would take for something else than text", () => {
    for (const [key, value] of [
      ["octal", "0755"],
      ["date", "2020-01-01"],
      ["number", "5"],
      ["flag", "true"],
      ["tilde", "~"],
    ] as const) {
      assert.equal(pulumi(["config", "set", key, value]).status, 0);
      assert.ok(config().includes(`play:${key}: "${value}"`), config());
    }
    assert.equal(pulumi(["config", "get", "octal"]).stdout, "0755\n");
    assert.equal(pulumi(["config", "set", "word", "v1.2.3-rc"]).status, 0);
    assert.ok(config().includes("play:word: v1.2.3-rc\n"));
  });

  it("reads values without quotes as the real command does", () => {
    const file = join(directory, "Pulumi.dev.yaml");
    const before = config();
    writeFileSync(file, `${before}  play:umask: 022\n  play:day: 2026-11-30\n  play:none:\n  bare: 1_000\n`);
    const values = Object.entries(JSON.parse(pulumi(["config", "--json"]).stdout) as Record<string, { value: string }>);
    const read = Object.fromEntries(values.map(([key, { value }]) => [key, value]));
    assert.deepEqual(
      ["umask", "day", "none", "bare"].map((key) => read[`play:${key}`]),
      ["18", "2026-11-30 00:00:00 +0000 UTC", "", "1000"],
    );
    writeFileSync(file, `${before}  play:inf: .inf\n`);
    assert.match(pulumi(["config", "get", "octal"]).stderr, /play:inf is Infinity, which Pulumi cannot store/);
    writeFileSync(file, before);
  });

  it("sets places inside structures, and takes them out", () => {
    assert.equal(pulumi(["config", "set", "--path", "canary.weight", "10"]).status, 0);
    assert.equal(pulumi(["config", "set", "--path", "canary.list[0]", "a"]).status, 0);
    assert.equal(pulumi(["config", "get", "canary"]).stdout, '{"weight":10,"list":["a"]}\n');
    assert.equal(pulumi(["config", "get", "--path", "canary.weight"]).stdout, "10\n");
    assert.equal(pulumi(["config", "rm", "--path", "canary"]).status, 0);
    assert.equal(pulumi(["config", "get", "canary"]).status, 1);
  });

  it("keeps secrets sealed, and shows them only when told to", () => {
    assert.equal(pulumi(["config", "set", "--secret", "token", "hush"]).status, 0);
    assert.ok(!config().includes("hush"));
    assert.deepEqual((JSON.parse(pulumi(["config", "--json"]).stdout) as Record<string, unknown>)["play:token"], { secret: true });
    assert.equal(pulumi(["config", "get", "token"]).stdout, "hush\n");
    const { status, stderr } = pulumi(["config", "get", "token"], { PULUMI_CONFIG_PASSPHRASE: "wrong" });
    assert.equal(status, 1);
    assert.match(stderr, /incorrect passphrase/);
  });

  it("keeps comments in the config", () => {
    writeFileSync(join(directory, "Pulumi.dev.yaml"), `# why\n${config()}`);
    assert.equal(pulumi(["config", "set", "more", "yes"]).status, 0);
    assert.ok(config().startsWith("# why\n"));
  });

  it("ends only when all that it printed has been taken", () => {
    const file = join(directory, "Pulumi.dev.yaml");
    const value = "long ".repeat(200_000);
    const before = config();
    writeFileSync(file, `${before}  play:long: "${value}"\n`);
    assert.equal(pulumi(["config", "get", "long"]).stdout.length, value.length + 1);
    writeFileSync(file, before);
  });

  it("says which stack there is not", () => {
    const { status, stderr } = pulumi(["preview", "--stack", "nope"]);
    assert.equal(status, 6);
    assert.match(stderr, /no stack named 'nope' found/);
  });
});
