import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { dataPaths } from "../../components/runtime/paths.js";
import { readChecked } from "../../scripts/cli/checklist/kept.js";
import { assertChecklist } from "../../scripts/cli/checklist/required.js";
import { settingsOf } from "../settings/sample.js";
import { Repository } from "../source/repository.js";
import { type Ended, mustRun, run } from "../support/processes.js";
import { ROOT } from "../support/project.js";

const MAIN = path.join(ROOT, "dist", "cli.cjs");
const GITHUB_TOKEN = `ghp_${"aB3dE5gH7jK9mN1pQ3sT5vW7yZ0cD2fG4hJ6"}`;
/** What must be ticked where neither scanner nor staging is, in the order in which it is told. */
const OPEN = ["review", "try-out", "docs", "drill", "watch", "told"];

/** The command line itself, in a project of its own, whose app has a changelog, tests and a style. */
describe("scripts/checklist", function () {
  this.timeout(120_000);
  let source: Repository;
  let dir: string;
  let stackFile: string;
  const settings = (): ReturnType<typeof settingsOf> => settingsOf({ "pbjrag:version": "v1.0.0", "pbjrag:source": source.dir }, "prod");
  const ws = (): Parameters<typeof assertChecklist>[0] => ({ projectDir: dir, stack: "prod", stackFile, paths: dataPaths(".", "prod", dir), env: {} });

  beforeEach(async () => {
    source = new Repository();
    dir = source.project;
    stackFile = path.join(dir, "Pulumi.prod.yaml");
    source.write("README.md", "[changes](CHANGELOG.md)\n");
    source.write("CHANGELOG.md", "## 1.0.0\n");
    source.write("package.json", JSON.stringify({ scripts: { test: "exit 0", lint: "exit 0", typecheck: "exit 0" } }));
    writeFileSync(stackFile, `config:\n  pbjrag:source: ${source.dir}\n`);
    copyFileSync(path.join(ROOT, "RELEASE_CHECKLIST.md"), path.join(dir, "RELEASE_CHECKLIST.md"));
    await git("init", "--quiet");
  });
  afterEach(() => source.remove());

  const env = { PULUMI_CONFIG_PASSPHRASE: "for tests only", PULUMI_BACKEND_URL: undefined, npm_config_registry: "http://127.0.0.1:9/", npm_config_fetch_retries: "0" };
  const git = (...args: string[]): Promise<unknown> => mustRun("git", ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", ...args], { cwd: dir });
  const cli = (...args: string[]): Promise<Ended> => run(process.execPath, [MAIN, ...args, "--stack", "prod", "--version", "v1.0.0"], { cwd: dir, env, timeoutMs: 60_000 });
  async function refused(ended: Promise<Ended>, ...open: RegExp[]): Promise<Ended> {
    const { exitCode, all, lastLine, ...rest } = await ended;
    assert.equal(exitCode, 2, all);
    for (const one of open) assert.match(all, one);
    return { exitCode, all, lastLine, ...rest };
  }

  it("passes when all is well and ticked in a committed file, and says who ticked; then, and for this commit alone, it may be released", async () => {
    source.release("v1.0.0");
    const first = await refused(cli("checklist", "--write"), /ok +tag/, /ok +tests/, /\? +staging/, ...OPEN.map((name) => new RegExp(`\\| ${name} is not ticked`)));
    assert.match(first.all, /\? +audit +npm audit of this program could not be had/, "an audit that could not be had must be said");
    const file = path.join(dir, "checklists", "v1.0.0.md");
    const names = [...readFileSync(file, "utf8").matchAll(/\*\*([\w-]+)\*\*/g)].map(([, name]) => name);
    assert.deepEqual(names.slice(0, OPEN.length), OPEN);
    for (const name of ["audit", "image", "staging", "budget"]) assert.ok(names.includes(name), name);
    await assert.rejects(assertChecklist(ws(), settings(), "v1.0.0"), /is not ticked/);

    writeFileSync(file, readFileSync(file, "utf8").replaceAll("[ ]", "[x]"));
    await refused(cli("checklist"), /does not count: it is not committed as it is/);
    await git("add", "checklists");
    await git("commit", "--quiet", "-m", "Tick v1.0.0");
    const passed = await cli("checklist");
    assert.equal(passed.exitCode, 0, passed.all);
    assert.match(readChecked(ws().paths, "v1.0.0")?.ticks[0]?.by ?? "", /^Ann <ann@example\.org>, commit /);
    assert.match(await assertChecklist(ws(), settings(), "v1.0.0"), /was passed at/);
    await assert.rejects(assertChecklist(ws(), settings(), "v1.0.0", Date.now() + 25 * 3_600_000), /is good for 1d|is good for 24h/);

    source.write("more.txt", "x");
    source.git("add", "--all");
    source.git("commit", "--quiet", "-m", "More");
    source.git("tag", "--force", "v1.0.0");
    await assert.rejects(assertChecklist(ws(), settings(), "v1.0.0"), /the tag has moved/);
    for (let at = 0; at < 2; at++) await refused(cli("checklist"), /FAILED +tag +v1\.0\.0 was moved/, /it led to [0-9a-f]{12} when this list was gone through/);
  });

  it("finds a planted secret, without showing it", async () => {
    source.write("config/prod.env", `TOKEN=${GITHUB_TOKEN}\n`);
    source.release("v1.0.0");
    const { all } = await refused(cli("checklist"), /FAILED +secrets/, /config\/prod\.env:1: GITHUB_TOKEN/, /secrets failed/);
    assert.doesNotMatch(all, /aB3dE5gH7/);
  });

  it("finds a failing test, a broken link, and a changelog that does not know the tag; one alone when asked", async () => {
    source.write("package.json", JSON.stringify({ scripts: { test: "echo 1 of 7 failed; exit 3" } }));
    source.write("README.md", "[gone](gone.md)\n");
    source.write("CHANGELOG.md", "## 0.9.0\n");
    source.release("v1.0.0");
    await refused(cli("checklist"), /FAILED +tests +npm run --silent test ended with 3/, /\| 1 of 7 failed/, /FAILED +links/, /README\.md: gone\.md/, /FAILED +changelog +CHANGELOG\.md has no heading for 1\.0\.0/);
    const one = await refused(cli("checklist", "--only", "tests"), /not passed: tests; nothing was written down/);
    assert.doesNotMatch(one.all, /links/);
  });

  it("keeps a deploy on production from beginning, unless a reason is given", async () => {
    source.release("v1.0.0");
    const { lastLine } = await refused(cli("deploy", "--yes"));
    assert.match(lastLine, /^REFUSED, nothing touched \(exit 2\): The checklist of v1\.0\.0 is not passed: it was not gone through on this machine\. Next: run scripts\/checklist\.sh --stack prod --version v1\.0\.0, or say why not/);
    assert.equal(existsSync(ws().paths.lock), false);
    await refused(cli("deploy", "--skip-checklist", " "), /--skip-checklist needs a reason/);
    const { checklist } = settings();
    assert.equal(await assertChecklist(ws(), { ...settings(), checklist: { ...checklist, skipReason: "the site is down" } }, "v1.0.0"), "the checklist was skipped: the site is down");
    assert.equal(await assertChecklist(ws(), { ...settings(), environment: "staging" }, "v1.0.0"), "");
  });
});
