import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../support/random.js";
import type { Attempt, ChaosWorld } from "./world.js";

/** Something that goes wrong while a command runs. */
export interface Fault {
  readonly name: string;
  strike(world: ChaosWorld, attempt: Attempt, random: Random): Promise<void>;
}

/** Bytes that are left of a disk: none, or too little. */
const LEFT = [0, 64 * 1024, 4 * 1024 * 1024];
/** Milliseconds for which the daemon stays away. */
const AWAY = [0, 500, 3000];

export const FAULTS: readonly Fault[] = [
  {
    name: "kill -9",
    strike: (_world, { running }) => {
      running.killTree();
      return Promise.resolve();
    },
  },
  { name: "the backups' disk is full", strike: ({ backupDisk }, _attempt, random) => backupDisk.fill(random.pick(LEFT)) },
  { name: "Docker's disk is full", strike: ({ own }, _attempt, random) => own.disk.fill(random.pick(LEFT)) },
  {
    name: "Qdrant is killed",
    strike: async (world, _attempt, random) => {
      const there = await world.qdrants();
      if (there.length > 0) await world.qdrant(random.pick(there)).kill().catch(gone);
    },
  },
  {
    name: "Qdrant is restarted",
    strike: async (world, _attempt, random) => {
      const there = await world.qdrants();
      if (there.length > 0) await world.qdrant(random.pick(there)).restart({ t: 1 }).catch(gone);
    },
  },
  {
    name: "the Docker daemon is killed",
    strike: async ({ own }, _attempt, random) => {
      await own.kill();
      await delay(random.pick(AWAY));
      await own.launch();
    },
  },
];

/** A scratch may have been removed meanwhile, or be about to be. */
function gone(error: unknown): void {
  const code = error instanceof Error && "statusCode" in error ? error.statusCode : null;
  if (code !== 404 && code !== 409 && !(code === 500 && /marked for removal/.test(String(error)))) throw error;
}
