import type Docker from "dockerode";
import { listByLabels } from "../../components/runtime/docker.js";
import { LABEL } from "../../components/runtime/labels.js";
import type { Engine } from "./engine.js";
import { stateLost } from "./state-copy.js";
import type { Workspace } from "./workspace.js";

/**
 * Makes a stack that the backend does not know, unless this host has services of it: then it was known once.
 *
 * @returns whether it was made
 * @throws ReleaseError `stateLost`
 */
export async function openStack(ws: Workspace, engine: Engine): Promise<boolean> {
  if (await isKnown(ws, engine)) return false;
  await engine.initStack();
  return true;
}

/**
 * Whether the backend knows the stack.
 * @throws ReleaseError `stateLost` where it does not, and this host has services of it
 */
export async function isKnown(ws: Workspace, engine: Engine): Promise<boolean> {
  if (await engine.hasStack()) return true;
  assertNoServices(ws, await listByLabels({ stack: ws.stack }, { all: true }), "the backend knows no such stack");
  return false;
}

/** What only a state that knows it may be working on. */
const SERVICES: readonly string[] = ["app", "qdrant", "proxy"];

/** @throws ReleaseError `stateLost` when any of these containers is a service */
export function assertNoServices(ws: Workspace, containers: readonly Docker.ContainerInfo[], why: string): void {
  const services = containers.filter(({ Labels }) => SERVICES.includes(Labels[LABEL.role] ?? ""));
  if (services.length > 0) throw stateLost(ws, `${services.map(nameOf).sort().join(", ")} are here, and ${why}`);
}

export const nameOf = ({ Names, Id }: Docker.ContainerInfo): string => (Names[0] ?? Id).replace(/^\//, "");
