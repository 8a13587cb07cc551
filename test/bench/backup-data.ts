import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { BackupWorld } from "../support/backup.js";
import { docker } from "../../components/runtime/docker.js";
import { mustRun } from "../support/processes.js";
import { waitFor } from "../support/wait.js";

const MB = 1e6;
const MIB = 1024 ** 2;
/** Of one file. */
const FILE_MIB = 32;

export type Bare = "read" | "igzip" | "gzip -1" | "zstd -3";

/** Files, every other of text that packs well, every other of bytes that do not pack at all. @returns bytes, and when the last was written */
export async function fillUploads(world: BackupWorld, gibibytes: number): Promise<{ bytes: number; writtenAt: number }> {
  const pairs = Math.max(1, Math.round((gibibytes * 1024) / FILE_MIB / 2));
  // Base64 of random bytes, each line of it four times: a program's text packs about so.
  const text = `head -c ${Math.round((FILE_MIB * MIB * 57) / 77 / 4)} /dev/urandom | base64 -w 76 | sed 'p;p;p'`;
  await world.inVolume(world.uploadsVolume, `cd /data; for i in $(seq ${pairs}); do { ${text}; } > text$i; head -c ${FILE_MIB * MIB} /dev/urandom > bytes$i; done; sync`);
  const bytes = Number((await world.inVolume(world.uploadsVolume, "find /data -type f -printf '%s\\n' | awk '{ all += $1 } END { print all }'")).trim());
  return { bytes, writtenAt: Date.now() };
}

/** A listing of files relies on times that are some seconds old. */
export async function settle(writtenAt: number): Promise<void> {
  await waitFor("what was written is some seconds old", () => Date.now() > writtenAt + 3_000);
}

/** A volume's files as this host sees them: who measures here is root, or Docker's files are its own. */
export class Volume {
  private constructor(private readonly directory: string, private readonly bytes: number) {}

  static async of(name: string, bytes: number): Promise<Volume> {
    const { Mountpoint } = await docker().getVolume(name).inspect();
    statSync(Mountpoint);
    return new Volume(Mountpoint, bytes);
  }

  /** Those that are here. */
  compressors(): Exclude<Bare, "read">[] {
    return (["igzip", "gzip -1", "zstd -3"] as const).filter((one) => spawnSync(one.split(" ")[0] ?? one, ["--version"]).error === undefined);
  }

  /** Reads all of it, or packs it into a file that is on the disk afterwards. @returns MB of it for each second */
  async run(what: Bare): Promise<number> {
    const scratch = await mkdtemp(join(tmpdir(), "bench-bare-"));
    const tar = `tar -C ${this.directory} --blocking-factor=512 -cf - .`;
    // At the weight that a backup gives itself, else a busy machine measures its politeness.
    const packed: Record<Bare, string> = {
      read: `find ${this.directory} -type f -print0 | xargs -0 cat >/dev/null`,
      igzip: `${tar} | igzip -1 -c > out`,
      "gzip -1": `${tar} | gzip -1 > out`,
      "zstd -3": `${tar} | zstd -q -3 -T1 > out`,
    };
    try {
      const { tookMs } = await mustRun("nice", ["-n", String(constants.priority.PRIORITY_BELOW_NORMAL), "sh", "-ec", what === "read" ? packed.read : `${packed[what]}; sync out`], { cwd: scratch, timeoutMs: 3_600_000 });
      return this.bytes / MB / (tookMs / 1000);
    } finally {
      await rm(scratch, { recursive: true });
    }
  }
}
