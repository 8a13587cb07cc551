import { z } from "zod";
import { removeVolume } from "../backup/scratch.js";
import { usersOf } from "../backup/volumes.js";
import { dockerCall, dockerCallOrNull } from "../runtime/docker.js";
import { LABEL, labels } from "../runtime/labels.js";
import type { VolumeState } from "./decide.js";
import type { RestoreRequest } from "./model.js";

/** The types of Docker's client leave out the time, and that a volume made without labels has null in their place. */
const inspected = z.object({ CreatedAt: z.string(), Labels: z.record(z.string(), z.string()).nullish() });

export function namesOf({ volumes }: Pick<RestoreRequest, "volumes">): string[] {
  return Object.values(volumes);
}

export function lookAt(request: RestoreRequest): Promise<VolumeState[]> {
  return Promise.all(namesOf(request).map((name) => stateOf(request, name)));
}

async function stateOf({ stack, generation }: RestoreRequest, name: string): Promise<VolumeState> {
  const found = await dockerCallOrNull(`inspect volume ${name}`, (client, abortSignal) => client.getVolume(name).inspect({ abortSignal }));
  if (found === null) return { name, created: null, ours: false, users: [] };
  const { CreatedAt: created, Labels } = inspected.parse(found);
  const users = (await usersOf(name)).map((user) => (user.Names[0] ?? user.Id).replace(/^\//, ""));
  return { name, created, ours: Labels?.[LABEL.stack] === stack && Labels[LABEL.generation] === generation, users };
}

/** With the labels that the Pulumi program declares: it takes the volumes up as its own. */
export async function makeVolumes(request: RestoreRequest): Promise<void> {
  const { stack, generation } = request;
  for (const name of namesOf(request)) {
    await dockerCall(`create volume ${name}`, (client, abortSignal) => client.createVolume({ Name: name, Labels: labels({ stack, role: "data", generation }), abortSignal }));
  }
}

/**
 * What tells each volume, by its name, from another of that name. Docker takes the time that a volume was made at from its directory, whose
 * time changes with the entries in it: so it is asked for when they are there, and holds until somebody uses the volume.
 */
export async function stampsOf(request: RestoreRequest): Promise<Record<string, string>> {
  return Object.fromEntries((await lookAt(request)).map(({ name, created }) => [name, created ?? ""]));
}

export async function removeVolumes(names: readonly string[]): Promise<void> {
  for (const name of names) await removeVolume(name);
}
