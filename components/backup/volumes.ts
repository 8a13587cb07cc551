import type Docker from "dockerode";
import { dockerCall, dockerCallOrNull } from "../runtime/docker.js";
import { LABEL } from "../runtime/labels.js";
import type { Context, Leftovers } from "./context.js";
import type { BackupRequest } from "./model.js";
import { BackupProblem, problemFrom } from "./problem.js";
import { Reader, type Volume } from "./reader.js";

/** What there is to back up, and through what it is read. */
export interface Content {
  reader: Reader | null;
  qdrant: boolean;
  uploads: boolean;
}

/** Decided by the volumes alone: a record that says nothing was ever there may be the thing that was lost. */
export async function findContent(request: BackupRequest, context: Context, leftovers: Leftovers): Promise<Content> {
  const names: Record<Volume, string> = { qdrant: request.qdrantVolume, uploads: request.uploadsVolume };
  const there: Volume[] = [];
  for (const volume of ["qdrant", "uploads"] as const) if (await volumeExists(names[volume])) there.push(volume);
  if (there.length === 0) return { reader: null, qdrant: false, uploads: false };
  const image = await imageForReading(request, context, there.map((volume) => names[volume]));
  const reader = await Reader.create(request, context, image, there, leftovers);
  return {
    reader,
    qdrant: there.includes("qdrant") && (await holdsCollections(reader)),
    uploads: there.includes("uploads") && (await reader.hasEntries("uploads")) === true,
  };
}

/** Containers that mount the volume, running or not, but for a backup's own. */
export async function usersOf(volume: string): Promise<Docker.ContainerInfo[]> {
  const filters = { volume: [volume] };
  const users = await dockerCall(`list the containers of volume ${volume}`, (client, abortSignal) =>
    client.listContainers({ all: true, filters, abortSignal }),
  );
  return users.filter((user) => user.Labels[LABEL.role] !== "scratch");
}

async function volumeExists(name: string): Promise<boolean> {
  return (await inspectVolume(name)) !== null;
}

/** When Docker made it, as it tells it; "" where it does not. */
export async function volumeCreated(name: string): Promise<string> {
  return (await inspectVolume(name))?.CreatedAt ?? "";
}

// The types leave out one of Docker's fields.
function inspectVolume(name: string): Promise<(Docker.VolumeInspectInfo & { CreatedAt?: string }) | null> {
  return dockerCallOrNull(`inspect volume ${name}`, (client, abortSignal) => client.getVolume(name).inspect({ abortSignal }));
}

/** Qdrant keeps each collection in `collections/<name>/`. A volume of another form is left for Qdrant itself to tell. */
async function holdsCollections(reader: Reader): Promise<boolean> {
  return (await reader.hasEntries("qdrant", "collections")) ?? (await reader.hasEntries("qdrant")) === true;
}

/** An image that is here already, if any: what uses the volumes has one. */
async function imageForReading(request: BackupRequest, context: Context, volumes: readonly string[]): Promise<string> {
  for (const volume of volumes) {
    for (const user of await usersOf(volume)) if (await imageExists(user.ImageID)) return user.ImageID;
  }
  await ensureImage(request.qdrantImage, context);
  return request.qdrantImage;
}

/** ID of an image, pulled if it is not here. @throws BackupProblem `image` */
export async function ensureImage(image: string, context: Pick<Context, "say" | "remaining">): Promise<string> {
  const found = await imageId(image);
  if (found !== null) return found;
  context.say(`pulling ${image}`);
  try {
    await dockerCall(
      `pull ${image}`,
      async (client, abortSignal) => {
        const progress = await client.pull(image, { abortSignal });
        await new Promise<void>((resolve, reject) => {
          client.modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error)));
        });
      },
      context.remaining(),
    );
  } catch (error) {
    throw problemFrom(error, "image", `image ${image} could not be had`);
  }
  const pulled = await imageId(image);
  if (pulled === null) throw new BackupProblem("image", `image ${image} is not there after it was pulled`);
  return pulled;
}

async function imageId(image: string): Promise<string | null> {
  return (await dockerCallOrNull(`inspect image ${image}`, (client) => client.getImage(image).inspect()))?.Id ?? null;
}

async function imageExists(image: string): Promise<boolean> {
  return (await imageId(image)) !== null;
}
