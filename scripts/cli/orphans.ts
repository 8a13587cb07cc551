import type Docker from "dockerode";
import { dockerCall, listByLabels, removeContainer } from "../../components/runtime/docker.js";
import { messageOf, ReleaseError } from "../../components/runtime/errors.js";
import { LABEL, labelFilter } from "../../components/runtime/labels.js";
import { withoutCanary } from "../../components/traffic/canary.js";
import { readLive } from "../../components/traffic/live.js";
import { revisionsOf } from "../../components/traffic/model.js";
import { assertNoServices, nameOf } from "./open-stack.js";
import type { Present } from "./present.js";
import type { Run } from "./run.js";
import { stateLost } from "./state-copy.js";

/**
 * Removes containers and networks of this stack that no state knows: a killed run made them, unless the state is lost.
 *
 * @throws ReleaseError `stateLost`
 */
export async function removeOrphans(run: Run, present: Present): Promise<void> {
  const { stack } = run.ws;
  const unknown = (await listByLabels({ stack }, { all: true })).filter((c) => !present.ids.has(c.Id));
  if (unknown.length > 0 && !(await areIdle(run, present, unknown))) return;
  for (const container of unknown) {
    await remove(run, `${nameOf(container)} (${container.Labels[LABEL.role] ?? "unlabelled"})`, () => removeContainer(container.Id));
  }
  const filters = { label: labelFilter({ stack }) };
  const networks = await dockerCall("list networks", (client, abortSignal) => client.listNetworks({ filters, abortSignal }));
  for (const { Id: id, Name: name } of networks.filter((network) => !present.ids.has(network.Id))) {
    await remove(run, `network ${name}`, () => dockerCall(`remove network ${name}`, (client, abortSignal) => client.getNetwork(id).remove({ abortSignal })));
  }
}

/** @returns false where what serves cannot be seen: then nothing is known to be idle */
async function areIdle(run: Run, present: Present, unknown: readonly Docker.ContainerInfo[]): Promise<boolean> {
  if (present.resources === 0) assertNoServices(run.ws, unknown, "Pulumi's state of it is empty");
  try {
    const table = (await readLive(run.ws.stack))?.table;
    // A canary whose share is gone carries nothing: it is what a killed run left.
    const carrying = new Set(table === undefined ? [] : revisionsOf(table.canary?.weight === 0 ? withoutCanary(table) : table).flatMap(({ containers }) => containers));
    const serving = unknown.map(nameOf).filter((name) => carrying.has(name));
    if (serving.length === 0) return true;
    throw stateLost(run.ws, `${serving.join(", ")} carry traffic, and Pulumi's state does not know them`);
  } catch (error) {
    if (error instanceof ReleaseError && error.code === "stateLost") throw error;
    run.say(`what serves cannot be seen (${messageOf(error)}): containers that no state knows are left alone`);
    return false;
  }
}

async function remove(run: Run, what: string, removal: () => Promise<unknown>): Promise<void> {
  run.say(`removing ${what}, which a killed run left`);
  try {
    await removal();
  } catch (error) {
    run.say(`  not removed: ${messageOf(error)}`);
  }
}
