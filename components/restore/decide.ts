import type { RestoreOutcome, RestoreRequest } from "./model.js";
import type { RestoreRecord } from "./record.js";

/** A volume that the restore is to make. */
export interface VolumeState {
  name: string;
  /** When Docker made it, as Docker has it; null: there is none. */
  created: string | null;
  /** Its labels name this stack and generation. */
  ours: boolean;
  /** Names of containers that have it mounted, running or not. */
  users: string[];
}

/** `keep`: it was all restored before; `make`, after the named volumes, left by a restore that was killed, are removed. */
export type Decision = { what: "keep"; outcome: RestoreOutcome } | { what: "make"; remove: string[] } | { what: "refuse"; why: string; next: string };

/**
 * What to do about volumes that are there already: only what a restore of this program left unfinished is ever removed.
 * Pure.
 * @param serves users are on this generation: an update that had moved to it was stopped, and is gone on with
 */
export function decide(
  { generation, from }: Pick<RestoreRequest, "generation" | "from">, record: RestoreRecord | null, volumes: readonly VolumeState[], serves: boolean,
): Decision {
  const there = volumes.filter(({ created }) => created !== null);
  if (there.length === 0) {
    return { what: "make", remove: [] };
  }
  const done = record?.done ?? null;
  const same = (volume: VolumeState): boolean => record?.from === from && volume.created !== null && done?.created[volume.name] === volume.created;
  // Docker's time of a volume that is in use moves on.
  const inUse = ({ created, ours }: VolumeState): boolean => serves && created !== null && ours;
  if (done !== null && volumes.every((volume) => same(volume) || inUse(volume))) {
    return { what: "keep", outcome: done.outcome };
  }
  const another = "give the generation another name (pbjrag:data.generation), which makes volumes of its own; nothing is ever restored over data";
  if (record === null || done !== null || !there.every(({ ours }) => ours)) {
    const names = there.map(({ name }) => name).join(", ");
    const verb = there.length === 1 ? "is there already, and is" : "are there already, and are";
    return { what: "refuse", why: `${names} ${verb} not what this program restored from ${from === "" ? "nothing" : from} as generation ${generation}`, next: another };
  }
  const users = there.flatMap((volume) => volume.users);
  if (users.length > 0) {
    return { what: "refuse", why: `an unfinished restore is used by ${users.join(", ")}`, next: `remove the container, or ${another}` };
  }
  return { what: "make", remove: there.map(({ name }) => name) };
}
