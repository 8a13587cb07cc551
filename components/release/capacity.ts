/** Whether the host has what the plan needs at its peak. Pure. */
import { COPIES } from "../backup/space.js";
import type { RecordedSettings, Settings } from "../settings/schema.js";
import { roundSize } from "../settings/units.js";
import type { Plan, Problem, ReleaseRecord } from "./model.js";
import { declaredBy } from "./notices.js";

export interface Disk {
  /** Bytes that are free for us. */
  free: number;
  /** Equal for two directories on one file system. */
  device: string;
}

export interface HostFacts {
  /** Bytes. */
  memory: number;
  /** Cores. */
  cpus: number;
  /** Where Docker keeps images and volumes; null: it cannot be seen from here. */
  dockerDisk: Disk | null;
  /** Where backups go; null: as above. */
  dataDisk: Disk | null;
}

/** Bytes. */
export interface DataFacts {
  /** Of Qdrant's volume. */
  qdrant: number;
  uploads: number;
  /** Of the backup that a new generation is made from, unpacked; 0 where none is made. */
  restored: number;
  /** Of the newest recorded image that is here, or null. */
  image: number | null;
}

/** What an image with Python and its packages comes to, where there is none to go by. */
export const IMAGE_ESTIMATE = 2 * 1024 ** 3;

/** One kind of container at the peak. */
export interface Row {
  name: string;
  count: number;
  /** Cores for each. */
  cpus: number;
  /** Bytes for each. */
  memory: number;
}

export interface Need {
  rows: Row[];
  cpus: number;
  memory: number;
  /** Bytes on Docker's disk. */
  dockerDisk: number;
  /** Bytes where backups go. */
  dataDisk: number;
}

/**
 * The peak of an update: everything that is there goes only at its end, so the new comes on top of it, and the scratch
 * Qdrant of the backup as well.
 */
export function needOf(plan: Plan, settings: Settings, ledger: readonly ReleaseRecord[], data: DataFacts): Need {
  const own = plan.canary ?? (plan.step === "unchanged" ? null : { revision: plan.serving, backup: plan.backup });
  const backup = own !== null && own.backup.skipReason === "";
  const rows: Row[] = [
    ...revisionRows(plan, ledger),
    ...qdrantRows(plan, settings, ledger),
    { name: "proxy", count: 1, cpus: settings.proxy.cpus, memory: settings.proxy.memory },
    ...(backup ? [{ name: "scratch Qdrant of the backup", count: 1, ...own.backup.scratch }] : []),
  ];
  const sum = (key: "cpus" | "memory"): number => rows.reduce((total, row) => total + row.count * row[key], 0);
  const image = own !== null && own.revision.image.origin === "built" ? (data.image ?? IMAGE_ESTIMATE) : 0;
  return {
    rows,
    cpus: sum("cpus"),
    memory: sum("memory"),
    dockerDisk: image + (backup ? COPIES * data.qdrant : 0) + data.restored,
    // Packed it is smaller; how much is not known before.
    dataDisk: backup ? data.qdrant + data.uploads : 0,
  };
}

function revisionRows(plan: Plan, ledger: readonly ReleaseRecord[]): Row[] {
  const rows = new Map<string, Row>();
  const add = (words: string, { revision, tag, settings }: { revision: string; tag: string; settings: RecordedSettings }): void => {
    if (!rows.has(revision)) {
      const { replicas, cpus, memory } = settings.app;
      rows.set(revision, { name: `${tag}, ${words}`, count: replicas, cpus, memory });
    }
  };
  add(plan.step === "unchanged" ? "serves" : "to serve", plan.serving);
  if (plan.canary !== null) {
    add("canary", plan.canary.revision);
  }
  if (plan.former !== null) {
    add(plan.step === "unchanged" ? "former, kept warm" : "serves now, kept warm", plan.former);
  }
  declaredBy(ledger).forEach((record) => add("removed at the end", record));
  return [...rows.values()];
}

/** One for each generation whose Qdrant is there at the peak. */
function qdrantRows(plan: Plan, settings: Settings, ledger: readonly ReleaseRecord[]): Row[] {
  const rows = new Map<string, Row>();
  const add = (words: string, generation: string, { qdrant: { cpus, memory } }: Pick<Settings, "qdrant"> | RecordedSettings): void => {
    if (!rows.has(generation)) {
      rows.set(generation, { name: words, count: 1, cpus, memory });
    }
  };
  add("Qdrant", plan.serving.storage.qdrant, settings);
  for (const { storage, settings: recorded } of [...(plan.former === null ? [] : [plan.former]), ...declaredBy(ledger)]) {
    add(`Qdrant of data generation ${storage.qdrant}`, storage.qdrant, recorded);
  }
  return [...rows.values()];
}

export function capacityProblems(need: Need, host: HostFacts, overcommit: number): Problem[] {
  const problems: Problem[] = [];
  const report = (what: string, next: string): void => void problems.push({ subject: "capacity", what, next });
  for (const row of need.rows.filter(({ cpus }) => cpus > host.cpus)) {
    report(`${row.name}: one container may use ${row.cpus} cores, and the host has ${host.cpus}`, "lower its cpus");
  }
  if (need.cpus > host.cpus * overcommit + 1e-9) {
    const times = overcommit === 1 ? "" : ` (times ${overcommit}, by docker.cpuOvercommit)`;
    report(`limits add up to ${round(need.cpus)} cores at the peak, and the host has ${host.cpus}${times}`, "lower cpus or app.replicas, set keepWarm to false, or raise docker.cpuOvercommit");
  }
  if (need.memory > host.memory) {
    report(`limits add up to ${roundSize(need.memory)} of memory at the peak, and the host has ${roundSize(host.memory)}`, "lower memory or app.replicas, or set keepWarm to false");
  }
  for (const { words, bytes, disk } of disks(need, host)) {
    if (bytes > disk.free) {
      report(`${words} need ${roundSize(bytes)}, and ${roundSize(disk.free)} is free`, "make room (docker image prune, old backups), or move dataDir to another disk");
    }
  }
  return problems;
}

/** One need for each file system. */
function disks(need: Need, host: HostFacts): { words: string; bytes: number; disk: Disk }[] {
  const { dockerDisk, dataDisk } = host;
  if (dockerDisk !== null && dataDisk !== null && dockerDisk.device === dataDisk.device) {
    return [{ words: "image, snapshot and backup", bytes: need.dockerDisk + need.dataDisk, disk: dockerDisk }];
  }
  return [
    ...(dockerDisk === null ? [] : [{ words: "image and snapshot (on Docker's disk)", bytes: need.dockerDisk, disk: dockerDisk }]),
    ...(dataDisk === null ? [] : [{ words: "the backup (in dataDir)", bytes: need.dataDisk, disk: dataDisk }]),
  ];
}

/** The need beside what the host has, for the preview. */
export function capacityTable(need: Need, host: HostFacts, overcommit: number): string {
  const lines: [string, string, string][] = [
    ["at the peak of this update", "cores", "memory"],
    ...need.rows.map((row): [string, string, string] => [
      row.count === 1 ? row.name : `${row.name}: ${row.count} replicas`, round(row.count * row.cpus), roundSize(row.count * row.memory),
    ]),
    ["together", round(need.cpus), roundSize(need.memory)],
    ["the host has", overcommit === 1 ? round(host.cpus) : `${round(host.cpus)} x ${overcommit}`, roundSize(host.memory)],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const table = lines.map(([name, cpus, memory]) => `${name.padEnd(widths[0] ?? 0)}  ${cpus.padStart(widths[1] ?? 0)}  ${memory.padStart(widths[2] ?? 0)}`);
  const space = disks(need, host).map(({ words, bytes, disk }) => `disk: ${words} need up to ${roundSize(bytes)}, ${roundSize(disk.free)} is free`);
  return [...table, ...space].join("\n");
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
