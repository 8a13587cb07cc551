/** What settings must be beyond their types, each rule with the words for a person. Pure. */
import { isIPv4 } from "node:net";
import { isFloating } from "../guard/rules.js";
import type { Problem } from "../release/model.js";
import { notifyFaults } from "../notify/rules.js";
import { FIRST_GENERATION, GENERATION_NAME, stackNameProblem, stackNames } from "../release/names.js";
import { isBackup } from "../backup/names.js";
import { repositoryFaults } from "../repository/address.js";
import { canaryFaults } from "../canary/rules.js";
import { sourceProblem, tagProblem } from "../source/names.js";
import { watchFaults } from "../watch/faults.js";
import { proxyFaults } from "../traffic/faults.js";
import type { Settings } from "./schema.js";
import { formatDuration, formatSize } from "./units.js";

const MIB = 1024 * 1024;
/** Docker refuses less. */
const MEMORY_MIN = 6 * MIB;
const IMAGE = /^[a-z0-9]+(?:[._/:@-]+[A-Za-z0-9_]+)*$/;
const VOLUME = /^[A-Za-z0-9][A-Za-z0-9_.-]+$/;
/** Characters that need no quoting in a request line or in HAProxy's config. */
const URL_PATH = /^\/[A-Za-z0-9._~%/?=&+-]*$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const WORD = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$/;

/** Set by this program for every app container: see release/env.ts. */
export const RESERVED_ENV: readonly string[] = [
  "QDRANT_HOST",
  "QDRANT_PORT",
  "QDRANT_API_KEY",
  "STREAMLIT_SERVER_PORT",
  "STREAMLIT_SERVER_ADDRESS",
  "STREAMLIT_SERVER_HEADLESS",
  "STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED",
];

type Report = (path: string, what: string, next: string) => void;

export function settingsProblems(settings: Settings, stack: string): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, what, next) => problems.push({ subject: `pbjrag:${path}`, what, next });
  const named = stackNameProblem(stack);
  if (named !== null) {
    problems.push({ subject: "stack", what: `the name ${JSON.stringify(stack)} cannot be used: ${named}`, next: "choose another: pulumi stack rename" });
  }
  checkSource(settings, report);
  checkLimits(settings, report);
  checkApp(settings, report);
  checkEnv(settings, report);
  checkServices(settings, stack, report);
  checkTimes(settings, report);
  checkData(settings, report);
  checkAdopt(settings, report);
  checkChecklist(settings, report);
  checkOperator(settings, report);
  return problems;
}

function checkSource({ version, source }: Settings, report: Report): void {
  const tag = tagProblem(version);
  const day = /^(\d{4}-\d{2}-\d{2}) \d{2}:\d{2}:\d{2}.* UTC$/.exec(version)?.[1];
  if (day !== undefined) {
    report("version", `${JSON.stringify(version)} is what Pulumi makes of a day that stands there without quotes`, `quote it: pulumi config set pbjrag:version ${day}`);
  } else if (tag !== null) {
    report("version", tag, "name a git tag of the app: pulumi config set pbjrag:version v3.0.0");
  }
  const repository = sourceProblem(source);
  if (repository !== null) {
    report("source", repository.what, repository.next);
  }
}

function checkLimits(settings: Settings, report: Report): void {
  const cpus: [string, number][] = [
    ["app.cpus", settings.app.cpus],
    ["qdrant.cpus", settings.qdrant.cpus],
    ["proxy.cpus", settings.proxy.cpus],
    ["backup.scratchCpus", settings.backup.scratchCpus],
  ];
  for (const [path, value] of cpus.filter(([, value]) => value < 0.01)) {
    report(path, `${value} is too little for a container`, "give at least 0.01; 1 is one core");
  }
  const memory: [string, number][] = [
    ["app.memory", settings.app.memory],
    ["qdrant.memory", settings.qdrant.memory],
    ["proxy.memory", settings.proxy.memory],
    ["backup.scratchMemory", settings.backup.scratchMemory],
  ];
  for (const [path, value] of memory.filter(([, value]) => value < MEMORY_MIN || value % MIB !== 0)) {
    const what = value < MEMORY_MIN ? "is too little for a container" : "is no whole number of MiB, which Docker's limits are set in";
    report(path, `${formatSize(value)} ${what}`, "give at least 6MiB, in whole MiB or GiB");
  }
  whole("app.replicas", settings.app.replicas, 1, 99, report);
  if (settings.docker.cpuOvercommit < 1 || settings.docker.cpuOvercommit > 100) {
    report("docker.cpuOvercommit", `${settings.docker.cpuOvercommit} is not between 1 and 100`, "1 means that limits may add up to the host's cores, 2 to twice as many");
  }
}

function whole(path: string, value: number, min: number, max: number, report: Report): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    report(path, `${value} is not between ${min} and ${max}`, `give a whole number from ${min} to ${max}`);
  }
}

function checkApp({ app }: Settings, report: Report): void {
  whole("app.port", app.port, 1, 65535, report);
  if (!isInnerPath(app.dockerfile)) {
    report("app.dockerfile", `${JSON.stringify(app.dockerfile)} is no path within the repository`, "give it relative to the repository's root, such as docker/Dockerfile");
  }
  if (!isContainerPath(app.uploadsPath)) {
    report("app.uploadsPath", `${JSON.stringify(app.uploadsPath)} is no absolute path in the container`, "give the directory that the app writes uploads to, such as /app/uploads");
  }
  checkHardening(app, report);
  if (!URL_PATH.test(app.health.path)) {
    report("app.health.path", `${JSON.stringify(app.health.path)} is no URL path`, "give one such as /_stcore/health");
  }
  if (app.health.script !== "" && !URL_PATH.test(app.health.script)) {
    report("app.health.script", `${JSON.stringify(app.health.script)} is no URL path`, 'give one such as /_stcore/script-health-check, or "" for an app that has none');
  }
}

function checkHardening({ hardening, uploadsPath, memory }: Settings["app"], report: Report): void {
  const { readOnlyRoot, writable, writableSize } = hardening;
  for (const path of writable) {
    const key = "app.hardening.writable";
    if (!isContainerPath(path)) report(key, `${JSON.stringify(path)} is no absolute path in the container`, "give directories that the app writes to, such as /tmp");
    else if (`${uploadsPath}/`.startsWith(`${path}/`) || path.startsWith(`${uploadsPath}/`)) report(key, `${JSON.stringify(path)} would hide the uploads or the app's own files`, "give directories apart from app.uploadsPath, which can be written to anyhow");
  }
  if (new Set(writable).size < writable.length) report("app.hardening.writable", "names a path twice", "name each once");
  if (readOnlyRoot && (writableSize < MIB || writableSize % MIB !== 0 || writableSize > memory)) {
    report("app.hardening.writableSize", `${formatSize(writableSize)} is not between 1MiB and app.memory, which it is taken from, in whole MiB`, "give less, or raise app.memory");
  }
}

function isContainerPath(path: string): boolean {
  return /^(?:\/[A-Za-z0-9._-]+)+$/.test(path) && !path.split("/").some((part) => part === "." || part === "..");
}

function isInnerPath(path: string): boolean {
  return /^[A-Za-z0-9._/-]+$/.test(path) && !path.startsWith("/") && !path.startsWith("-") && path.split("/").every((part) => part !== ".." && part !== "");
}

function checkEnv({ app }: Settings, report: Report): void {
  for (const group of ["env", "secretEnv"] as const) {
    for (const [name, value] of Object.entries(app[group])) {
      const path = `app.${group}.${ENV_NAME.test(name) ? name : JSON.stringify(name)}`;
      if (!ENV_NAME.test(name)) {
        report(path, "is no name for an environment variable", "use letters, digits and underscores");
      } else if (RESERVED_ENV.includes(name)) {
        report(path, "is set by this program itself", "remove it");
      }
      if (value.includes("\0")) {
        report(path, "holds a NUL character, which no environment can", "remove the character");
      }
    }
  }
  for (const name of Object.keys(app.env).filter((key) => Object.hasOwn(app.secretEnv, key))) {
    report(`app.env.${name}`, "is in app.secretEnv too", "remove it from one of them");
  }
}

function checkServices(settings: Settings, stack: string, report: Report): void {
  for (const service of ["qdrant", "proxy"] as const) {
    const { image } = settings[service];
    if (!IMAGE.test(image)) {
      report(`${service}.image`, `${JSON.stringify(image)} is no image name`, "give one with its version, such as qdrant/qdrant:v1.19.0");
    } else if (settings.environment === "prod" && isFloating(image)) {
      report(`${service}.image`, `${image} is whatever its publisher makes of it, which production does not run`, "name a version, such as qdrant/qdrant:v1.19.0");
    }
  }
  whole("proxy.port", settings.proxy.port, 1, 65535, report);
  if (!isIPv4(settings.proxy.bind)) {
    report("proxy.bind", `${JSON.stringify(settings.proxy.bind)} is no IPv4 address`, "give 127.0.0.1 for this machine only, 0.0.0.0 for every network it is in");
  }
  for (const [key, what, next] of proxyFaults(settings.proxy)) {
    report(`proxy.${key}`, what, next);
  }
  const key = settings.qdrant.apiKey;
  if (key !== undefined && !/^[\x21-\x7e]{1,512}$/.test(key)) {
    report("qdrant.apiKey", "is empty, too long, or has characters that no HTTP header can carry", "use letters, digits and punctuation, without spaces");
  }
  const names = stackNames(stack, settings.volumes);
  for (const volume of ["qdrant", "uploads"] as const) {
    const name = settings.volumes[volume];
    if (name !== undefined && (!VOLUME.test(name) || name === names.proxyVolume)) {
      report(`volumes.${volume}`, `${JSON.stringify(name)} cannot be the name of a data volume`, "give the name of a Docker volume, such as qdrant_storage");
    }
  }
  if (names.qdrantVolume(FIRST_GENERATION) === names.uploadsVolume(FIRST_GENERATION)) {
    report("volumes", "are one and the same volume", "give Qdrant and the uploads one each");
  }
}

function checkTimes({ gate, drain, backup }: Settings, report: Report): void {
  whole("gate.passes", gate.passes, 1, 1000, report);
  const spans: [path: string, value: number, min: number][] = [
    ["gate.interval", gate.interval, 50],
    ["gate.requestTimeout", gate.requestTimeout, 100],
    ["gate.deadline", gate.deadline, 1000],
    ["drain.deadline", drain.deadline, 0],
    ["drain.onRollback", drain.onRollback, 0],
    ["backup.deadline", backup.deadline, 1000],
  ];
  const day = 24 * 3_600_000;
  for (const [path, value] of spans.filter(([, value, min]) => value < min || value > day)) {
    const min = spans.find(([name]) => name === path)?.[2] ?? 0;
    report(path, `${formatDuration(value)} is out of range`, `give from ${formatDuration(min)} to 24h`);
  }
  if (gate.passes * gate.interval > gate.deadline) {
    report("gate.deadline", `${gate.passes} passes ${formatDuration(gate.interval)} apart do not fit in ${formatDuration(gate.deadline)}`, "raise gate.deadline, or lower gate.passes or gate.interval");
  }
}

function checkData({ data }: Settings, report: Report): void {
  const { generation, restoreFrom, only } = data;
  if (generation !== undefined && !GENERATION_NAME.test(generation)) {
    report("data.generation", `${JSON.stringify(generation.slice(0, 80))} cannot be part of a volume's name`, "use at most 32 small letters, digits and dashes");
  }
  if (restoreFrom !== undefined && !isBackup(restoreFrom)) {
    report("data.restoreFrom", `${JSON.stringify(restoreFrom.slice(0, 80))} is no name of a backup`, "give a directory's name below backups/<stack>, such as pre-deploy-20260101-120000");
  }
  if (generation === undefined && (restoreFrom !== undefined || only !== undefined)) {
    report("data.generation", "is missing: what is restored gets a name of its own", "give one that no release has run on yet");
  }
  if (only !== undefined && restoreFrom === undefined) {
    report("data.only", "says what to restore, and data.restoreFrom does not say from where", "name the backup, or remove this key");
  }
}

function checkAdopt({ adopt, volumes }: Settings, report: Report): void {
  if (adopt === undefined) return;
  if (adopt.containers.length === 0 || new Set(adopt.containers).size < adopt.containers.length || !adopt.containers.every((name) => VOLUME.test(name))) {
    report("adopt.containers", "is no list of different container names", 'give those of the install, such as ["pbjrag-webui", "pbjrag-qdrant"]');
  }
  for (const [key, volume] of [["qdrantVolume", "qdrant"], ["uploadsVolume", "uploads"]] as const) {
    if (volumes[volume] !== adopt[key]) {
      report(`volumes.${volume}`, `names another volume than adopt.${key}`, "remove it: what is adopted are the stack's volumes");
    }
  }
}

function checkChecklist({ checklist }: Settings, report: Report): void {
  const { skipReason, maxAge, staging, deadline, p99, errorRate } = checklist;
  const minute = 60_000;
  if (skipReason.length > 300 || hasControl(skipReason)) {
    report("checklist.skipReason", "is no single line of at most 300 characters", "shorten it");
  }
  for (const [key, value, min, max] of [["maxAge", maxAge, minute, 31 * 24 * 60 * minute], ["deadline", deadline, 1000, 24 * 60 * minute], ["p99", p99, 1, 60 * minute]] as const) {
    if (value < min || value > max) report(`checklist.${key}`, `${formatDuration(value)} is not between ${formatDuration(min)} and ${formatDuration(max)}`, "give a time between them");
  }
  if (errorRate < 0 || errorRate > 1) report("checklist.errorRate", `${errorRate} is not between 0 and 1`, "give a share: 0.001 is 0.1 %");
  const named = stackNameProblem(staging);
  if (named !== null) report("checklist.staging", `${JSON.stringify(staging.slice(0, 80))} is no stack's name: ${named}`, "name the stack that a tag is tried on first");
}

function checkOperator({ app, docker, dataDir, backup, notify, watch, canary, attempt, finish, asReleased }: Settings, report: Report): void {
  whole("backup.keepDays", backup.keepDays, 0, 3650, report);
  // The last one is what undoes the present release.
  whole("backup.keepLast", backup.keepLast, 1, 1000, report);
  for (const [key, what, next] of repositoryFaults(backup)) {
    report(`backup.${key}`, what, next);
  }
  for (const [key, what, next] of notifyFaults(notify)) {
    report(`notify.${key}`, what, next);
  }
  for (const [key, what, next] of watchFaults(watch)) {
    report(`watch.${key}`, what, next);
  }
  for (const [key, what, next] of canaryFaults(canary)) {
    report(`canary.${key}`, what, next);
  }
  if (canary.synthetic > 0 && app.health.script === "") {
    report("canary.synthetic", "synthetic sessions run a Streamlit script, and app.health.script says that there is none", "set it to 0");
  }
  const scheme = /^([a-z+]+):\/\//i.exec(docker.host)?.[1]?.toLowerCase() ?? "";
  if (scheme === "ssh" || scheme === "tcp") {
    report("docker.host", `${scheme}:// is not supported yet: backups and the gate work on this machine's Docker only`, "run this on the Docker host itself, with unix:///var/run/docker.sock");
  } else if (!/^unix:\/\/\/[^\0]+$/.test(docker.host)) {
    report("docker.host", `${JSON.stringify(docker.host)} is no Docker socket`, "give one such as unix:///var/run/docker.sock");
  }
  if (dataDir.trim() === "" || hasControl(dataDir)) {
    report("dataDir", "is no path", 'give a directory; "." is the checkout');
  }
  if (backup.skipReason.length > 300 || hasControl(backup.skipReason)) {
    report("backup.skipReason", "is no single line of at most 300 characters", "shorten it");
  }
  for (const [path, value] of [["attempt", attempt], ["finish", finish], ["asReleased", asReleased]] as const) {
    if (value !== "" && !WORD.test(value)) {
      report(path, `${JSON.stringify(value.slice(0, 80))} is not in the form that the scripts write`, `remove it: pulumi config rm pbjrag:${path}`);
    }
  }
}

/** Control characters, line ends included. */
function hasControl(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\x7f");
}
