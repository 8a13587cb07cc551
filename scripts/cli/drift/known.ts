import { z } from "zod";
import { LABEL } from "../../../components/runtime/labels.js";
import type { Made } from "./differences.js";

/** A container, network or volume as Pulumi's state knows it. */
export interface KnownObject {
  urn: string;
  kind: "container" | "network" | "volume";
  /** Docker's: of a volume its name. */
  id: string;
  name: string;
  /** The value of the label `pbjrag.role`; "" without one. */
  role: string;
  /** Of a container, as declared: the volumes that it mounts, and where. */
  volumes: { volume: string; path: string }[];
  /** Of a container, as declared. */
  networks: string[];
  /** Of a container, as declared. */
  made: Made;
}

const text = z.string().catch("");
const number = z.number().catch(0);
const list = <T extends z.ZodType>(item: T) => z.array(item).catch([]);

/** What is read of a docker resource's inputs; all else is left unread, and so are secrets. */
const inputs = z.object({
  name: text,
  labels: list(z.object({ label: text, value: text })),
  volumes: list(z.object({ volumeName: text, containerPath: text })),
  networksAdvanced: list(z.object({ name: text })),
  image: text,
  memory: number,
  cpuPeriod: number,
  cpuQuota: number,
});
const NOTHING = { name: "", labels: [], volumes: [], networksAdvanced: [], image: "", memory: 0, cpuPeriod: 0, cpuQuota: 0 };

const resource = z.object({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  delete: z.boolean().optional(),
  inputs: inputs.catch(NOTHING),
});

const exported = z.object({
  deployment: z.object({
    resources: z.array(resource).default([]),
    pending_operations: z.array(z.object({ type: z.string(), resource })).default([]),
  }).default({ resources: [], pending_operations: [] }),
});

const KINDS: Readonly<Record<string, KnownObject["kind"]>> = {
  "docker:index/container:Container": "container",
  "docker:index/network:Network": "network",
  "docker:index/volume:Volume": "volume",
};

/** What a state holds of Docker's objects. */
export interface KnownState {
  objects: KnownObject[];
  /** Names of objects whose making an update had begun when it was killed. */
  beingMade: Set<string>;
}

/**
 * Pure.
 * @param state as `pulumi stack export` prints it; "" for none
 */
export function readKnown(state: string): KnownState {
  if (state === "") return { objects: [], beingMade: new Set() };
  const { resources, pending_operations: pending } = exported.parse(JSON.parse(state)).deployment;
  const objects = resources.flatMap(({ urn, type, id, delete: leaving, inputs: { name, labels, volumes, networksAdvanced, image, memory, cpuPeriod, cpuQuota } }): KnownObject[] => {
    const kind = KINDS[type];
    if (kind === undefined || id === undefined || leaving === true || name === "") return [];
    return [{
      urn, kind, id, name,
      role: labels.find(({ label }) => label === LABEL.role)?.value ?? "",
      volumes: volumes.map(({ volumeName, containerPath }) => ({ volume: volumeName, path: containerPath })),
      networks: networksAdvanced.map((network) => network.name),
      made: { image, memory, cpus: cpuPeriod > 0 ? cpuQuota / cpuPeriod : 0 },
    }];
  });
  return { objects, beingMade: new Set(pending.flatMap((one) => (one.type === "creating" && one.resource.inputs.name !== "" ? [one.resource.inputs.name] : []))) };
}
