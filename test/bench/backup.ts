import { BackupWorld, QDRANT_IMAGE, randomPoints } from "../support/backup.js";
import { mustRun } from "../support/processes.js";
import { fromSeed } from "../support/random.js";
import { ratio, row, type Measured } from "./stats.js";

const ROUNDS = 3;
const BATCH = 1000;
const BATCHES = 20;
const VECTOR = 512;
/** Uploads: half of it text that packs well, half of it what does not. */
const UPLOADS = "cd /data; mkdir -p text bin; for i in 1 2 3 4 5 6 7 8; do head -c 9000000 /dev/urandom | base64 -w 76 > text/$i; head -c 12000000 /dev/urandom > bin/$i; done";
const READ = "find /data /more -type f -print0 | xargs -0 cat >/dev/null";
const TAR = "tar cf - -C / data more | gzip | cat >/dev/null";
const MB = 1e6;

/**
 * A backup (snapshot, restore into a scratch Qdrant, count, archive, sums) against `tar | gzip` of the same two volumes, which proves nothing,
 * and against only reading them: MB of data in the volumes for each second. The page cache is warm for all three.
 */
export async function measureBackup(say: (text: string) => void): Promise<Measured[]> {
  const world = new BackupWorld();
  try {
    say("filling a Qdrant and an uploads volume");
    await fill(world);
    const bytes = Number(await inBoth(world, `find /data /more -type f -printf '%s\\n' | awk '{ all += $1 } END { print all }'`));
    const timed = async (script: string): Promise<number> => Number(await inBoth(world, `s=$(date +%s%N); ${script}; e=$(date +%s%N); echo $(( (e - s) / 1000000 ))`));
    const speed = (ms: number): number => bytes / MB / (ms / 1000);
    const samples = { backup: [] as number[], tar: [] as number[], read: [] as number[] };
    await timed(READ);
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`round ${round} of ${ROUNDS}`);
      samples.read.push(speed(await timed(READ)));
      samples.tar.push(speed(await timed(TAR)));
      const ended = await world.run();
      if (ended.outcome === null) throw new Error(ended.all);
      samples.backup.push(speed(ended.outcome.tookMs));
    }
    const rows = [row("backup, proven", "MB/s", samples.backup), row("tar | gzip", "MB/s", samples.tar), row("raw read", "MB/s", samples.read)] as const;
    const [backup, tar, raw] = rows;
    return [{
      title: `a backup of ${Math.round(bytes / MB)} MB: ${BATCH * BATCHES} points and uploads, half of which packs well`,
      rows, ratios: [ratio("backup to tar | gzip", backup, tar), ratio("backup to raw read", backup, raw)],
    }];
  } finally {
    await world.dispose();
  }
}

async function fill(world: BackupWorld): Promise<void> {
  const random = fromSeed(20240304);
  const qdrant = await world.startQdrant();
  await qdrant.create("chunks", { size: VECTOR, distance: "Cosine" });
  for (let batch = 0; batch < BATCHES; batch += 1) await qdrant.upsert("chunks", randomPoints(random, BATCH, VECTOR, batch * BATCH));
  await world.inVolume(world.uploadsVolume, UPLOADS);
}

/** Runs a shell in a container that has both volumes; gives what it prints. Times are by its own clock, without the container's start. */
async function inBoth(world: BackupWorld, script: string): Promise<string> {
  const mounts = ["-v", `${world.qdrantVolume}:/data:ro`, "-v", `${world.uploadsVolume}:/more:ro`];
  const { stdout } = await mustRun("docker", ["run", "--rm", "--network", "none", ...mounts, "--entrypoint", "sh", QDRANT_IMAGE, "-ec", script], { cwd: world.dataDir });
  return stdout.trim();
}
