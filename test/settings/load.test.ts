import assert from "node:assert/strict";
import { DEFAULTS, ENVIRONMENTS, environmentOf } from "../../components/settings/defaults.js";
import { loadSettings } from "../../components/settings/load.js";
import type { Problem } from "../../components/release/model.js";
import { SAMPLE, settingsOf } from "./sample.js";

const GIB = 1024 ** 3;

function problemsOf(config: Record<string, string>, stack = "dev"): Problem[] {
  const loaded = loadSettings({ stack, config });
  assert.ok("problems" in loaded, "was taken");
  return loaded.problems;
}
const with_ = (config: Record<string, unknown>): Record<string, string> => ({
  ...SAMPLE,
  ...Object.fromEntries(Object.entries(config).map(([key, value]) => [`pbjrag:${key}`, typeof value === "string" ? value : JSON.stringify(value)])),
});

describe("settings/load", () => {
  it("fills in defaults, by environment", () => {
    const prod = settingsOf({}, "prod");
    assert.deepEqual([prod.environment, prod.app.replicas, prod.app.cpus, prod.app.memory], ["prod", 2, 2, 4 * GIB]);
    assert.deepEqual([prod.qdrant.cpus, prod.qdrant.memory, prod.proxy.bind, prod.proxy.port], [4, 8 * GIB, "0.0.0.0", 8501]);
    const dev = settingsOf({}, "feature-x");
    assert.deepEqual([dev.environment, dev.app.memory, dev.proxy.port, dev.docker.cpuOvercommit], ["dev", GIB / 2, 8503, 10]);
    assert.equal(settingsOf({ "pbjrag:environment": "prod" }, "feature-x").qdrant.cpus, 4);
    assert.deepEqual(["prod-eu", "production", "staging", "stage.2", "dev", "products"].map(environmentOf), ["prod", "prod", "staging", "staging", "dev", "dev"]);
  });
  it("lets a local stack go back with its data on one core: three releases and two Qdrants beside each other", () => {
    const { app, qdrant, proxy, backup, docker } = settingsOf({}, "dev");
    assert.ok(3 * app.replicas * app.cpus + 2 * qdrant.cpus + proxy.cpus + backup.scratchCpus <= docker.cpuOvercommit);
  });
  it("has defaults that pass their own rules in every environment", () => {
    for (const environment of ENVIRONMENTS) {
      settingsOf({ "pbjrag:environment": environment });
    }
    assert.equal(new Set(DEFAULTS.map(([path]) => path)).size, DEFAULTS.length);
  });
  it("reads values as Pulumi hands them over", () => {
    const settings = settingsOf({
      "pbjrag:app": '{"replicas":3,"cpus":"0.5","memory":"1GiB","env":{"DEBUG":true,"LEVEL":2,"NAME":"x"},"secretEnv":{"TOKEN":"t"}}',
      "pbjrag:keepWarm": "false",
      "pbjrag:gate": '{"interval":"250ms"}',
      "other:key": "ignored",
    });
    assert.deepEqual([settings.app.replicas, settings.app.cpus, settings.app.memory], [3, 0.5, GIB]);
    assert.deepEqual(settings.app.env, { DEBUG: "true", LEVEL: "2", NAME: "x" });
    assert.equal(settings.keepWarm, false);
    assert.deepEqual([settings.gate.interval, settings.gate.passes], [250, 3]);
  });
  it("names all problems at once, each with its path", () => {
    const problems = problemsOf({
      "pbjrag:app": '{"memory":"512MB","replica":2,"env":{"A":[]},"health":{"path":7,"extra":1}}',
      "pbjrag:gate": '{"deadline":"soon"}',
      "pbjrag:keepwarm": "true",
      "pbjrag:keepWarm": "maybe",
      "pbjrag:drain": "15m",
      "pbjrag:qdrant": '{"allowInterruption":true}',
      "pbjrag:backup": '{"quiesce":"stop"}',
    });
    assert.deepEqual(problems.map(({ subject }) => subject).sort(), [
      "pbjrag:app.env.A", "pbjrag:app.health.extra", "pbjrag:app.health.path", "pbjrag:app.memory", "pbjrag:app.replica",
      "pbjrag:backup.quiesce", "pbjrag:drain", "pbjrag:gate.deadline", "pbjrag:keepWarm", "pbjrag:keepwarm", "pbjrag:qdrant.allowInterruption", "pbjrag:source", "pbjrag:version",
    ]);
    const by = (subject: string): Problem => problems.find((problem) => problem.subject === subject) ?? assert.fail();
    assert.match(by("pbjrag:app.memory").what, /did you mean 512MiB/);
    assert.match(by("pbjrag:app.replica").next, /known here: .*replicas/);
    assert.match(by("pbjrag:backup.quiesce").what, /expected none or pause/);
    assert.match(by("pbjrag:qdrant.allowInterruption").what, /a change of Qdrant interrupts nobody/);
    assert.match(by("pbjrag:version").what, /missing/);
  });
  it("judges the rest as well when some values cannot even be read", () => {
    const problems = problemsOf({
      "pbjrag:version": "$(id)", "pbjrag:app": '{"memory":"lots","replicas":0,"helth":{"a":1}}', "pbjrag:proxy": '{"port":99999,"cpus":[]}', "pbjrag:gate": '"x"',
    });
    assert.deepEqual(problems.map(({ subject }) => subject).sort(), [
      "pbjrag:app.helth", "pbjrag:app.memory", "pbjrag:app.replicas", "pbjrag:gate", "pbjrag:proxy.cpus", "pbjrag:proxy.port", "pbjrag:source", "pbjrag:version",
    ]);
  });
  it("does not take __proto__ for anything but an unknown key", () => {
    const problems = problemsOf({ ...SAMPLE, "pbjrag:app": '{"__proto__":{"replicas":9}}', "pbjrag:__proto__": "x" });
    assert.ok(problems.every(({ subject }) => subject.includes("__proto__")));
    assert.ok(problems.length > 0);
  });
  it("never shows a secret in a problem", () => {
    const secret = "hunter2hunter2";
    for (const config of [
      with_({ app: { secretEnv: { TOKEN: [secret] } } }),
      with_({ app: { secretEnv: { "bad name": secret, QDRANT_API_KEY: secret } } }),
      with_({ app: { secretEnv: { TOKEN: `${secret}\0` } } }),
      with_({ qdrant: { apiKey: `${secret} ${secret}` } }),
      { ...SAMPLE, "pbjrag:app": `{"secretEnv":{"TOKEN":"${secret}"` },
      { ...SAMPLE, "pbjrag:app": secret },
    ]) {
      assert.ok(!JSON.stringify(problemsOf(config)).includes(secret));
    }
  });
  it("wants secrets to be stored as secrets, where it can tell", () => {
    const config = with_({ app: { secretEnv: { TOKEN: "t" } }, qdrant: { apiKey: "k" } });
    const loaded = loadSettings({ stack: "dev", config, isSecret: ([key]) => key === "pbjrag:app" });
    assert.ok("problems" in loaded);
    assert.deepEqual(loaded.problems.map(({ subject }) => subject), ["pbjrag:qdrant.apiKey"]);
    assert.ok("settings" in loadSettings({ stack: "dev", config, isSecret: () => true }));
  });
  it("refuses a Docker provider that points elsewhere", () => {
    assert.deepEqual(problemsOf({ ...SAMPLE, "docker:host": "ssh://x" }).map(({ subject }) => subject), ["docker:host"]);
  });

  const wrong: [path: string, config: Record<string, unknown>, what: RegExp][] = [
    ["version", { version: "-x" }, /dash/],
    ["version", { version: "$(id)" }, /character/],
    ["source", { source: "ext::sh" }, /runs commands/],
    ["app.replicas", { app: { replicas: 0 } }, /between 1 and 99/],
    ["app.replicas", { app: { replicas: 1.5 } }, /whole number/],
    ["app.cpus", { app: { cpus: 0 } }, /too little/],
    ["app.memory", { app: { memory: "1MiB" } }, /too little/],
    ["app.memory", { app: { memory: "10000KiB" } }, /whole number of MiB/],
    ["app.port", { app: { port: 70000 } }, /between/],
    ["app.dockerfile", { app: { dockerfile: "../Dockerfile" } }, /within the repository/],
    ["app.dockerfile", { app: { dockerfile: "/etc/passwd" } }, /within the repository/],
    ["app.uploadsPath", { app: { uploadsPath: "uploads" } }, /absolute/],
    ["app.uploadsPath", { app: { uploadsPath: "/a/../b" } }, /absolute/],
    ["app.health.path", { app: { health: { path: "/x y" } } }, /URL path/],
    ["app.health.script", { app: { health: { script: 'x"\n' } } }, /URL path/],
    ["app.env.QDRANT_HOST", { app: { env: { QDRANT_HOST: "x" } } }, /this program itself/],
    ['app.env."A=B"', { app: { env: { "A=B": "x" } } }, /no name/],
    ['app.secretEnv."$(id)"', { app: { secretEnv: { "$(id)": "x" } } }, /no name/],
    ["app.env.A", { app: { env: { A: "1" }, secretEnv: { A: "2" } } }, /secretEnv too/],
    ["qdrant.image", { qdrant: { image: "--privileged" } }, /image name/],
    ["qdrant.cpus", { qdrant: { cpus: -1 } }, /too little/],
    ["proxy.port", { proxy: { port: 0 } }, /between/],
    ["proxy.bind", { proxy: { bind: "localhost" } }, /IPv4/],
    ["gate.deadline", { gate: { passes: 100, interval: "2s" } }, /do not fit/],
    ["gate.interval", { gate: { interval: "1ms" } }, /out of range/],
    ["drain.deadline", { drain: { deadline: "100h" } }, /out of range/],
    ["backup.keepDays", { backup: { keepDays: -1 } }, /not between 0 and 3650/],
    ["backup.keepLast", { backup: { keepLast: 0 } }, /not between 1 and 1000/],
    ["backup.repository", { backup: { repository: "backups", repositoryPassword: "x" } }, /no address of a restic repository/],
    ["backup.repositoryPassword", { backup: { repository: "/srv/backups" } }, /is missing/],
    ["backup.skipReason", { backup: { skipReason: "a\nb" } }, /single line/],
    ["volumes", { volumes: { qdrant: "one", uploads: "one" } }, /one and the same/],
    ["volumes.uploads", { volumes: { uploads: "../x" } }, /cannot be the name/],
    ["volumes.uploads", { volumes: { uploads: "pbjrag-dev_proxy" } }, /cannot be the name/],
    ["docker.host", { docker: { host: "ssh://prod" } }, /ssh:\/\/ is not supported yet/],
    ["docker.host", { docker: { host: "tcp://1.2.3.4:2376" } }, /tcp:\/\/ is not supported yet/],
    ["docker.host", { docker: { host: "/var/run/docker.sock" } }, /no Docker socket/],
    ["docker.cpuOvercommit", { docker: { cpuOvercommit: 0.5 } }, /between 1 and 100/],
    ["attempt", { attempt: "a b" }, /not in the form/],
    ["data.generation", { data: { generation: "../x" } }, /part of a volume's name/],
    ["data.generation", { data: { generation: "x".repeat(33) } }, /part of a volume's name/],
    ["data.generation", { data: { restoreFrom: "pre-deploy-20260101-120000" } }, /is missing/],
    ["data.restoreFrom", { data: { generation: "r1", restoreFrom: "../pre-deploy-20260101-120000" } }, /no name of a backup/],
    ["data.only", { data: { generation: "r1", only: "uploads" } }, /from where/],
    ["dataDir", { dataDir: " " }, /no path/],
  ];
  for (const [path, config, what] of wrong) {
    it(`refuses ${path}: ${JSON.stringify(config)}`, () => {
      const problems = problemsOf(with_(config));
      assert.deepEqual(problems.map(({ subject }) => subject), [`pbjrag:${path}`]);
      assert.match(problems[0]?.what ?? "", what);
      assert.notEqual(problems[0]?.next ?? "", "");
    });
  }
  for (const stack of ["a/b", "x".repeat(40), "a b", "-a", ""]) {
    it(`refuses the stack name ${JSON.stringify(stack)}`, () => assert.deepEqual(problemsOf({ ...SAMPLE }, stack).map(({ subject }) => subject), ["stack"]));
  }
});
