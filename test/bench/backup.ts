import { BackupWorld, randomPoints } from "../support/backup.js";
import { fromSeed } from "../support/random.js";
import { type Bare, fillUploads, settle, Volume } from "./backup-data.js";
import { measureMemory } from "./memory.js";
import { median, ratio, row, type Measured, type Row } from "./stats.js";
import { Writes } from "./writes.js";

const ROUNDS = 3;
const BATCH = 1000;
const BATCHES = 20;
const VECTOR = 512;
const MB = 1e6;
/** A backup and all its rounds. */
const LONG_MS = 3_600_000;

type Say = (text: string) => void;

/**
 * Backups of uploads of each size (GiB), against the same compressor run bare on the same files, a raw read of them, and the next
 * backup with nothing changed; then one of a Qdrant that is written to. Half of the files packs well. The page cache is warm for all.
 */
export async function measureBackup(say: Say, gibibytes: readonly number[]): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const size of gibibytes) results.push(await ofUploads(say, size));
  return [...results, ...(await ofQdrant(say))];
}

async function ofUploads(say: Say, gibibytes: number): Promise<Measured> {
  const world = new BackupWorld();
  try {
    say(`making ${gibibytes} GiB of uploads`);
    const { bytes, writtenAt } = await fillUploads(world, gibibytes);
    const volume = await Volume.of(world.uploadsVolume, bytes);
    const samples: Record<Bare | "backup" | "second", number[]> & { memory: number[] } = { read: [], igzip: [], "gzip -1": [], "zstd -3": [], backup: [], second: [], memory: [] };
    const bare = volume.compressors();
    await volume.run("read");
    await settle(writtenAt);
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`round ${round} of ${ROUNDS}`);
      for (const what of ["read", ...bare] as const) samples[what].push(await volume.run(what));
      // Something that no earlier backup has: all is read again.
      await world.inVolume(world.uploadsVolume, `echo ${round} > /data/round`);
      await settle(Date.now());
      const first = await backUp(world);
      samples.backup.push(bytes / MB / (first.tookMs / 1000));
      samples.memory.push(first.memory);
      samples.second.push((await backUp(world)).tookMs);
    }
    const backup = row("backup, proven", "MB/s", samples.backup);
    const rows = ["read" as const, ...bare].map((what) => row(what === "read" ? "raw read" : `${what} bare`, "MB/s", samples[what]));
    const fastest = rows.slice(1).reduce<Row | undefined>((best, one) => (best === undefined || one.median > best.median ? one : best), undefined);
    const first = row("backup", "ms", samples.backup.map((speed) => (bytes / MB / speed) * 1000));
    const second = row("a second one, nothing changed", "ms", samples.second);
    return {
      title: `a backup of ${Math.round(bytes / MB)} MB of uploads, half of which packs well`,
      rows: [backup, ...rows, first, second, row("its peak memory", "MiB", samples.memory)],
      ratios: [...(fastest === undefined ? [] : [ratio(`backup to ${fastest.what}`, backup, fastest)]), ...rows.slice(0, 1).map((raw) => ratio("backup to raw read", backup, raw)), ratio("second to first", second, first)],
    };
  } finally {
    await world.dispose();
  }
}

/** @returns milliseconds as it tells them, and the most memory that it and its children had, in MiB */
async function backUp(world: BackupWorld): Promise<{ tookMs: number; memory: number }> {
  const running = world.start({ deadlineMs: LONG_MS }, { timeoutMs: LONG_MS });
  const memory = measureMemory(running.pid, running.finished);
  const ended = await running.finished;
  if (ended.outcome === null) throw new Error(ended.all);
  return { tookMs: ended.outcome.tookMs, memory: await memory };
}

/** With its proof: snapshot, restore into the scratch, counts and comparisons, index, archive; and what users' writes wait for it. */
async function ofQdrant(say: Say): Promise<Measured[]> {
  const world = new BackupWorld();
  try {
    say(`filling a Qdrant with ${BATCH * BATCHES} points of ${VECTOR} numbers`);
    const random = fromSeed(20240304);
    const qdrant = await world.startQdrant();
    await qdrant.create("chunks", { size: VECTOR, distance: "Cosine" });
    for (let batch = 0; batch < BATCHES; batch += 1) await qdrant.upsert("chunks", randomPoints(random, BATCH, VECTOR, batch * BATCH));
    const bytes = Number((await world.inVolume(world.qdrantVolume, "du -sB1 /data | cut -f 1")).trim());
    const samples = { backup: [] as number[], memory: [] as number[], calm: [] as number[], during: [] as number[], worst: [] as number[] };
    const points = randomPoints(random, 20, VECTOR, BATCH * BATCHES);
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`round ${round} of ${ROUNDS}`);
      const quiet = await backUp(world);
      samples.backup.push(bytes / MB / (quiet.tookMs / 1000));
      samples.memory.push(quiet.memory);
      const writes = new Writes(qdrant, "chunks", points);
      samples.calm.push(median(await writes.some(100)));
      const took = await writes.during(backUp(world));
      samples.during.push(median(took));
      samples.worst.push(Math.max(...took));
    }
    const during = row("a write of 20 points during a backup", "ms", samples.during);
    const calm = row("without", "ms", samples.calm);
    return [
      { title: `a backup of a Qdrant with ${Math.round(bytes / MB)} MB on its disk, ${BATCH * BATCHES} points`, rows: [row("backup, proven", "MB/s", samples.backup), row("its peak memory", "MiB", samples.memory)], ratios: [] },
      { title: "writes to Qdrant (medians; the longest of each round)", rows: [during, calm, row("the longest during a backup", "ms", samples.worst)], ratios: [ratio("during to without", during, calm)] },
    ];
  } finally {
    await world.dispose();
  }
}
