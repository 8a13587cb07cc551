/**
 * Everything that is found out before the first resource: settings -> source -> facts -> plan -> problems. Touches nothing
 * but the cache of sources, so a preview may call it.
 */
import { readAdoptFacts } from "../adopt/facts.js";
import { adoptNotice, adoptProblems } from "../adopt/rules.js";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { dataDirProblem } from "../runtime/data-dir.js";
import { dockerEndpoint } from "../runtime/docker-endpoint.js";
import { assertDocker, dockerSocket } from "../runtime/docker.js";
import { errors, ReleaseError } from "../runtime/errors.js";
import { dataPaths, type DataPaths } from "../runtime/paths.js";
import { type IsSecret, loadSettings } from "../settings/load.js";
import { fromRecorded } from "../settings/recorded.js";
import type { Settings } from "../settings/schema.js";
import { contextOf } from "../source/export.js";
import { dockerfileNotices } from "../source/dockerfile.js";
import { UNREACHABLE } from "../source/git.js";
import { PRUNE_DEFAULTS, pruneExports } from "../source/prune.js";
import { exportSource, isCached, resolveSource } from "../source/source.js";
import { generationOf } from "../traffic/model.js";
import { capacityProblems, capacityTable, needOf } from "./capacity.js";
import { type BackupFact, generationProblems, volumeNames } from "./data-rules.js";
import { existingImages, readBackupFact, readDataSizes, readGenerations, readHost, readLiveFact, readPort, readVolumes } from "./facts.js";
import { parseLedger, present } from "./ledger.js";
import type { Plan, Problem, ReleaseRecord, ResolvedSource, RevisionPlan } from "./model.js";
import { stackNames } from "./names.js";
import { canaryProblems, canaryWanted } from "./canary.js";
import { declaredBy } from "./notices.js";
import { planRelease } from "./plan.js";
import { qdrantProblems } from "./qdrant-change.js";
import { versionProblems } from "./qdrant-version.js";
import { secretDigests } from "./revision.js";
import { showThrown } from "./uncaught.js";
import {
  dataDirProblems, dockerContextProblems, dockerHostProblems, interruptionNotices, interruptionProblems, interruptions, movedTagProblems, type LiveFact, portProblems, reapplyProblems, stateProblems, volumeChangeProblems, volumeProblems,
} from "./rules.js";

export interface PreflightInput {
  stack: string;
  /** Raw, decrypted: `pbjrag:app` -> JSON text. */
  config: Readonly<Record<string, string>>;
  /** The stack output `releases` as Pulumi gives it. */
  ledger: unknown;
  isSecret?: IsSecret;
  /** Default: the current directory. */
  projectDir?: string;
}

export interface Cleared {
  plan: Plan;
  /** What is in force: today's settings, but for what a release that stays keeps as it was recorded. */
  settings: Settings;
  ledger: ReleaseRecord[];
  /** Need and capacity, for the preview; "" where nothing new is started. */
  table: string;
}

export type Preflight = Cleared | { problems: Problem[]; table: string };

export async function preflight(input: PreflightInput): Promise<Preflight> {
  const loaded = loadSettings(input);
  const parsed = parseLedger(input.ledger);
  const early = [...("problems" in loaded ? loaded.problems : []), ...("problems" in parsed ? parsed.problems : [])];
  if ("problems" in loaded || "problems" in parsed) {
    return { problems: early, table: "" };
  }
  try {
    return await examine(input, loaded.settings, parsed.ledger);
  } catch (error) {
    return { problems: [problemOf(error)], table: "" };
  }
}

/** One that ends the look: without Docker or the source there is nothing more to see. */
function problemOf(error: unknown): Problem {
  return error instanceof ReleaseError
    ? { subject: error.what, what: error.why, next: error.next }
    : showThrown(error);
}

async function examine({ stack, projectDir = process.cwd() }: PreflightInput, today: Settings, ledger: ReleaseRecord[]): Promise<Preflight> {
  const beforehand = [
    ...reapplyProblems(today, ledger), ...dockerHostProblems(today, dockerSocket()), ...dockerContextProblems(dockerEndpoint()), ...volumeChangeProblems(today, ledger),
    ...dataDirProblems(dataDirProblem(pathsOf(stack, today, projectDir))),
  ];
  if (beforehand.length > 0) {
    return { problems: beforehand, table: "" };
  }
  await assertDocker();
  const tried = canaryWanted(today, present(ledger));
  const { source, notice } = await findSource(tried === null ? today : { ...today, reapply: true }, ledger, projectDir);
  const candidate = tried === null ? null : await findSource({ ...today, version: tried }, ledger, projectDir);
  const [images, taken, live] = await Promise.all([
    existingImages(ledger.map(({ imageId }) => imageId)),
    readGenerations(pathsOf(stack, today, projectDir), stack),
    // Undoing a failed update hangs on nothing that the front door says.
    today.reapply ? { table: null } : readLiveFact(stack),
  ]);
  const secrets = secretDigests(stack, today);
  const plan = planRelease({ stack, settings: today, secrets, source, candidate: candidate?.source ?? null, ledger, images, taken, live: live.table?.serving ? generationOf(live.table.serving) : null });
  if (plan.canary !== null) plan.notices.splice(1, 0, (await import("./canary-needed.js")).neededInWords(plan.canary));
  const settings = fromRecorded(plan.serving.settings, today);
  const interrupted = interruptions(settings, ledger);
  // A notice of going back stays first.
  const adopting = plan.step === "first" ? settings.adopt : undefined;
  if (adopting !== undefined) plan.notices.unshift(adoptNotice(adopting));
  plan.notices.push(...interruptionNotices(interrupted), ...notice, ...(candidate?.notice ?? []));
  plan.notices.push(...(await provideContext(plan.serving, plan, settings, projectDir)));
  if (plan.canary !== null) plan.notices.push(...(await provideContext(plan.canary.revision, plan, fromRecorded(plan.canary.revision.settings, today), projectDir)));
  // Undoing a failed update must not be refused for what the failed one left behind.
  if (plan.asRecorded && plan.canary === null) {
    return { plan, settings, ledger, table: "" };
  }
  const backup = findBackup(plan, pathsOf(stack, settings, projectDir));
  const problems = [
    ...movedTagProblems(candidate?.source ?? source, ledger), ...dataProblems(plan, secrets.qdrantKey, ledger), ...interruptionProblems(interrupted, settings),
    ...(await hostProblems(stack, settings, plan, ledger, { backup, live })),
  ];
  const capacity = await examineCapacity(stack, settings, plan, ledger, projectDir, backup);
  problems.push(...capacity.problems);
  return problems.length > 0 ? { problems, table: capacity.table } : { plan, settings, ledger, table: capacity.table };
}

/** A canary runs on what serves, whatever of that config would change. */
function dataProblems(plan: Plan, qdrantKey: string, ledger: readonly ReleaseRecord[]): Problem[] {
  return plan.canary === null ? [...qdrantProblems(plan, qdrantKey, ledger), ...versionProblems(plan, ledger)] : canaryProblems(plan, ledger, qdrantKey);
}

interface Found {
  source: ResolvedSource;
  notice: string[];
}

/** What is recorded needs no answer from the source: a release can be undone or gone back to while it is out of reach. */
async function findSource(settings: Settings, ledger: readonly ReleaseRecord[], projectDir: string): Promise<Found> {
  const { source, version, allowUntagged, reapply, asReleased } = settings;
  const fixed = reapply ? present(ledger) : ledger.findLast(({ tag, revision }) => tag === version && revision === asReleased);
  const record = fixed ?? ledger.findLast(({ tag }) => tag === version);
  const recorded = record === undefined ? null : { tag: record.tag, commit: record.commit, tagObject: record.tagObject, context: contextOf(record.commit) };
  if (fixed && recorded !== null) {
    return { source: recorded, notice: [] };
  }
  try {
    return { source: await resolveSource({ source, version, allowUntagged, projectDir }), notice: [] };
  } catch (error) {
    if (recorded === null || !(error instanceof ReleaseError) || error.code !== UNREACHABLE) {
      throw error;
    }
    return { source: recorded, notice: [`the app's repository cannot be read (${error.why}): ${version} is taken to be what was released here as such`] };
  }
}

/**
 * The build context, where an image is declared to be built from it.
 * @returns what should be known of the build, in words
 * @throws ReleaseError where the commit is neither cached nor to be had, or has no such Dockerfile
 */
async function provideContext({ image, commit, tag }: RevisionPlan, plan: Plan, settings: Settings, projectDir: string): Promise<string[]> {
  if (image.origin !== "built") {
    return [];
  }
  const place = { source: settings.source, projectDir };
  if (!(await isCached(place, commit))) {
    await resolveSource({ ...place, version: tag, allowUntagged: settings.allowUntagged });
    if (!(await isCached(place, commit))) {
      throw errors.sourceRefused({ subject: tag, why: `commit ${commit.slice(0, 12)}, which it was released from, is not to be had: the tag names another now`, next: `move ${tag} back to that commit` });
    }
  }
  await exportSource(place, commit);
  const dockerfile = path.join(projectDir, image.context, image.dockerfile);
  if (!existsSync(dockerfile)) {
    throw new ReleaseError({
      code: "dockerfileMissing", exitCode: 2, what: `${tag} cannot be released, nothing was touched`,
      why: `commit ${commit.slice(0, 12)} has no ${image.dockerfile}`, next: "name the Dockerfile: pulumi config set --path pbjrag:app.dockerfile PATH",
    });
  }
  await pruneExports(projectDir, { ...PRUNE_DEFAULTS, keep: new Set([commit, plan.serving.commit, ...declaredBy(plan.past).map((record) => record.commit)]) });
  // A build that was made once is found again, whatever its Dockerfile is like.
  return plan.step === "unchanged" ? [] : dockerfileNotices(await readFile(dockerfile, "utf8"), image.dockerfile, tag);
}

/** The one that a new generation is to be made from, where config names one. */
function findBackup({ restore, step }: Plan, paths: DataPaths): BackupFact | null {
  return restore === null || restore.from === null || restore.from === "" || step === "unchanged" ? null : readBackupFact(paths, restore.from);
}

async function hostProblems(stack: string, settings: Settings, plan: Plan, ledger: readonly ReleaseRecord[], { backup, live }: { backup: BackupFact | null; live: LiveFact }): Promise<Problem[]> {
  const names = stackNames(stack, settings.volumes);
  const [volumes, port] = await Promise.all([
    readVolumes([...volumeNames(names, plan.serving.storage), names.proxyVolume]),
    readPort(stack, settings.proxy.bind, settings.proxy.port),
  ]);
  const { adopt } = settings;
  if (adopt !== undefined && plan.step === "first") {
    const freed = port.state === "taken" && adopt.containers.some((name) => port.by === `container ${name}`);
    return [...volumeProblems(stack, volumes), ...adoptProblems(adopt, settings.qdrant.image, await readAdoptFacts(adopt)), ...(freed ? [] : portProblems(settings, port))];
  }
  return [...volumeProblems(stack, volumes), ...generationProblems(plan, ledger, { names, volumes, backup }), ...portProblems(settings, port), ...stateProblems(stack, live, ledger, plan.serving.revision)];
}

/** Where nothing new is started there is nothing to measure: that would slow every look at a stack that is as it should be. */
async function examineCapacity(stack: string, settings: Settings, plan: Plan, ledger: readonly ReleaseRecord[], projectDir: string, backup: BackupFact | null): Promise<{ problems: Problem[]; table: string }> {
  if (plan.step === "unchanged" && plan.canary === null) {
    return { problems: [], table: "" };
  }
  const names = stackNames(stack, settings.volumes);
  const { storage } = (plan.canary ?? plan).backup;
  const [host, data] = await Promise.all([
    readHost(pathsOf(stack, settings, projectDir).backups),
    readDataSizes({ qdrant: names.qdrantVolume(storage.qdrant), uploads: names.uploadsVolume(storage.uploads) }, ledger.map(({ imageId }) => imageId)),
  ]);
  const restored = backup?.unpacked ?? (plan.restore?.from === null ? data.qdrant : 0);
  const need = needOf(plan, settings, ledger, { ...data, restored });
  const { cpuOvercommit } = settings.docker;
  return { problems: capacityProblems(need, host, cpuOvercommit), table: capacityTable(need, host, cpuOvercommit) };
}

function pathsOf(stack: string, { dataDir }: Settings, projectDir: string): DataPaths {
  return dataPaths(process.env["PBJRAG_DATA_DIR"] ?? dataDir, stack, projectDir);
}
