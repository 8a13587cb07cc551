/** The proxy at a moment: its container, its file, and what it says that it serves. */
import { readFile } from "../runtime/docker-exec.js";
import { askServed, findFrontDoor, type FrontDoor } from "./front-door.js";
import { type LiveFile, parseFile } from "./live-file.js";
import { LIVE_FILE, type TrafficTable } from "./model.js";
import type { ProxyOptions } from "./options.js";

/** The front door at a moment. */
export interface Look {
  door: FrontDoor;
  file: LiveFile | null;
  /** As served; null when it does not answer. */
  digest: string | null;
  table: TrafficTable | null;
  /** The entrance that answered; the users' where none did. */
  url: string;
}

/** Null: there is no such container. */
export async function lookAt(container: string): Promise<Look | null> {
  const [door, text] = await Promise.all([findFrontDoor(container), readFile(container, LIVE_FILE)]);
  if (door === null) {
    return null;
  }
  const file = text === null ? null : parseFile(text);
  const served = file === null || !door.running ? null : await askServed(door, file.previewKey);
  return { door, file, digest: served?.digest ?? null, table: served?.table ?? null, url: served?.url ?? door.baseUrl };
}

/** What the operator sets, with what is known of the network in front of the proxy. */
export function optionsAt(door: Pick<FrontDoor, "gateways">, wanted: ProxyOptions): ProxyOptions {
  return { ...wanted, shared: [...new Set([...wanted.shared, ...door.gateways])] };
}
