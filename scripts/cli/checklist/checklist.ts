import { cp, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import type { CheckResult, Tick, Tree } from "../../../components/checklist/model.js";
import { CHECKS, type CheckName } from "../../../components/checklist/names.js";
import { openOf } from "../../../components/checklist/passed.js";
import { itemsIn, toTick } from "../../../components/checklist/person.js";
import { treeAt } from "../../../components/checklist/tree.js";
import type { ResolvedSource } from "../../../components/release/model.js";
import { EXIT, messageOf } from "../../../components/runtime/errors.js";
import type { Settings } from "../../../components/settings/schema.js";
import { exportSource, resolveSource } from "../../../components/source/source.js";
import { assertConfig } from "../check-config.js";
import { endLines, type Outcome } from "../outcome.js";
import { print } from "../output.js";
import { tagOrNewest } from "../version.js";
import type { Workspace } from "../workspace.js";
import { askTicks, committedTicks, readItems, ticksPath, writeTicksFile } from "./by-person.js";
import { readChecked, writeChecked } from "./kept.js";
import { lookAtStaging, type Staging } from "./on-staging.js";

export interface ChecklistOptions {
  /** Git tag; the newest release tag of the source when absent. */
  version?: string;
  /** Looks at these alone, and keeps nothing. */
  only: readonly CheckName[];
  /** Makes the file of ticks, for a person to tick and commit. */
  write: boolean;
}

interface Looking {
  ws: Workspace;
  settings: Settings;
  target: ResolvedSource;
  tree: Tree;
  staging: Staging;
}

/** Goes through the checklist of a tag before it is released on a stack: what a program can look at, then what a person has to tick. */
export async function checklist(ws: Workspace, options: ChecklistOptions): Promise<Outcome> {
  const settings = assertConfig(ws, { version: options.version ?? "v0.0.0" });
  const tag = await tagOrNewest(ws, settings, options.version);
  const place = { source: settings.source, projectDir: ws.projectDir };
  const target = await resolveSource({ ...place, version: tag, allowUntagged: settings.allowUntagged });
  await exportSource(place, target.commit);
  say(`checklist of ${target.tag} (commit ${target.commit.slice(0, 12)}) for stack ${ws.stack}`);
  const root = await mkdtemp(path.join(ws.paths.run, "checklist-tree-"));
  try {
    // A copy: what tests leave in it must not get into the image.
    await cp(path.join(ws.projectDir, target.context), root, { recursive: true, verbatimSymlinks: true });
    const staging = await lookAtStaging(ws.projectDir, settings.checklist.staging, target);
    const results = await lookAtAll({ ws, settings, target, tree: treeAt(root), staging }, options.only);
    return options.only.length > 0 ? partial(results) : await conclude(ws, target, results, options.write);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function lookAtAll(looking: Looking, only: readonly CheckName[]): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const name of CHECKS.filter((one) => only.length === 0 || only.includes(one))) {
    const result = { name, ...(await lookAt(name, looking).catch((error: unknown) => ({ status: "fail" as const, what: messageOf(error), lines: [] }))) };
    results.push(result);
    say(`  ${{ pass: "ok", fail: "FAILED", unknown: "?" }[result.status].padEnd(7)} ${name.padEnd(9)} ${result.what}`);
    result.lines.forEach((line) => say(`            | ${line}`));
  }
  return results;
}

/** What each needs is loaded for it alone. */
async function lookAt(name: CheckName, { ws, settings, target, tree, staging }: Looking): Promise<Omit<CheckResult, "name">> {
  const { deadline } = settings.checklist;
  switch (name) {
    case "tag": {
      const former = readChecked(ws.paths, target.tag);
      const gone = former === null ? [] : [{ commit: former.commit, where: `when this list was gone through at ${former.at}` }];
      return (await import("../../../components/checklist/staging.js")).checkTag(target, [...staging.before, ...gone]);
    }
    case "changelog": return (await import("../../../components/checklist/changelog.js")).checkChangelog(tree, target.tag);
    case "secrets": return (await import("../../../components/checklist/secrets.js")).checkSecrets(tree, deadline);
    case "links": return (await import("../../../components/checklist/links.js")).checkLinks(tree);
    case "audit": return (await import("../../../components/checklist/audit.js")).checkAudit(ws.projectDir, tree, deadline);
    case "lint": case "types": case "tests":
      return (await import("../../../components/checklist/run-command.js")).checkByCommand(name, tree, { deadline, command: settings.checklist[name] });
    case "image": return (await import("../../../components/checklist/image.js")).checkImage(staging.image, deadline);
    case "staging": return (await import("../../../components/checklist/staging.js")).checkStaging(target, settings.checklist.staging, staging.ledger);
    case "budget": return (await import("../../../components/checklist/staging.js")).checkBudget(staging.traffic, settings.checklist);
  }
}

async function conclude(ws: Workspace, { tag, commit }: ResolvedSource, results: CheckResult[], write: boolean): Promise<Outcome> {
  const items = itemsIn(readItems(ws.projectDir));
  const wanted = toTick(items, results);
  if (write) say(writeTicksFile(ws.projectDir, tag, wanted));
  const committed = await committedTicks(ws.projectDir, tag);
  if (committed.problem !== "") say(`  ${committed.problem}`);
  const missing = wanted.filter(({ name }) => !committed.ticks.some((tick) => tick.name === name));
  const ticks: Tick[] = [...committed.ticks, ...(results.some(({ status }) => status === "fail") ? [] : await askTicks(missing))];
  const open = openOf(items, results, ticks);
  // What is kept is the commit that the tag had first: going through it once more makes nothing good of a tag that was moved.
  if (!results.some(({ name, status }) => name === "tag" && status === "fail")) writeChecked(ws.paths, { schema: 1, stack: ws.stack, tag, commit, at: new Date().toISOString(), results, ticks, open });
  const outcome: Outcome = open.length === 0
    ? { exitCode: EXIT.done, summary: `the checklist of ${tag} is passed`, next: `scripts/deploy.sh --stack ${ws.stack} --version ${tag}` }
    : { exitCode: EXIT.refused, summary: `the checklist of ${tag} is not passed`, next: `mend what failed, and tick the rest in ${ticksPath(tag)} (--write makes it) or on a terminal; then run this again`, lines: open };
  return ended(outcome);
}

function partial(results: readonly CheckResult[]): Outcome {
  const bad = results.filter(({ status }) => status !== "pass").map(({ name }) => name);
  return ended(bad.length === 0 ? { exitCode: EXIT.done, summary: "these are passed; nothing was written down", next: "" } : { exitCode: EXIT.refused, summary: `not passed: ${bad.join(", ")}; nothing was written down`, next: "see the lines above" });
}

function ended(outcome: Outcome): Outcome {
  endLines(outcome).forEach(say);
  return outcome;
}

function say(line: string): void {
  print([line]);
}
