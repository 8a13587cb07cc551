import type Docker from "dockerode";
import { stackNames } from "../release/names.js";
import { dockerCall } from "../runtime/docker.js";
import { labelFilter } from "../runtime/labels.js";
import type { ImageFact, VolumeFact } from "./retention.js";

/** What Docker keeps of a stack's past, as retention judges it. Reads only. */
export interface Stock {
  images: ImageFact[];
  volumes: VolumeFact[];
}

/** @param declared names, among others, of the volumes that Pulumi's state knows */
export async function stockOf(stack: string, declared: ReadonlySet<string>): Promise<Stock> {
  // Containers last: one that was made meanwhile is seen, and what is gone by then needs nothing.
  const [images, volumes] = await Promise.all([ownImages(stack), dataVolumes(stack)]);
  const containers = await dockerCall("list containers", (client, abortSignal) => client.listContainers({ all: true, abortSignal }));
  const made = new Set(containers.map(({ ImageID }) => ImageID));
  const mounted = new Set(containers.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name ?? "")));
  return {
    images: images.map((image) => ({ ...image, used: made.has(image.id) })),
    volumes: volumes.map(({ Name: name, CreatedAt }) => ({ name, created: Date.parse(CreatedAt ?? ""), used: mounted.has(name) || declared.has(name) })),
  };
}

/** By the stack's own repository: images carry no label, and others' are none of our business. */
async function ownImages(stack: string): Promise<Omit<ImageFact, "used">[]> {
  const [repository = ""] = stackNames(stack).imageName("any", "").split(":");
  const found = await dockerCall("list images", (client, abortSignal) => client.listImages({ filters: { reference: [repository] }, abortSignal }));
  return found.flatMap(({ Id: id, Created, Size: bytes, RepoTags }) => {
    // The type leaves out that an image without a name has null in their place.
    const names: string[] | null | undefined = RepoTags;
    return (names ?? []).filter((name) => name.startsWith(`${repository}:`)).map((name) => ({ name, id, created: Created * 1000, bytes }));
  });
}

/** By this stack's label: a volume that was there before it carries none, and is never removed. */
async function dataVolumes(stack: string): Promise<(Docker.VolumeInspectInfo & { CreatedAt?: string })[]> {
  const filters = { label: labelFilter({ stack, role: "data" }) };
  const { Volumes } = await dockerCall("list volumes", (client, abortSignal) => client.listVolumes({ filters, abortSignal }));
  return Volumes;
}
