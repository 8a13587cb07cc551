import type Docker from "dockerode";
import { stackNames } from "../../components/release/names.js";
import { dockerCall, listByLabels, removeContainer } from "../../components/runtime/docker.js";
import { messageOf } from "../../components/runtime/errors.js";
import { LABEL, labelFilter } from "../../components/runtime/labels.js";
import { withoutCanary } from "../../components/traffic/canary.js";
import { readLive } from "../../components/traffic/live.js";
import { revisionsOf, type TrafficTable } from "../../components/traffic/model.js";
import { readKnown } from "./drift/known.js";
import { assertNoServices, nameOf } from "./open-stack.js";
import { fateOf, type Fate, type Traffic } from "./orphan-rules.js";
import type { Present } from "./present.js";
import type { Run } from "./run.js";
import { stateLost } from "./state-copy.js";

/**
 * Before anything is changed: whatever users are served by is in the state, by its ID or at least by its name.
 * @throws ReleaseError `stateLost`
 */
export async function assertServingKnown(run: Run, present: Present): Promise<void> {
  const names = new Set(readKnown(present.exported).objects.map(({ name }) => name));
  const unknown = (await listByLabels({ stack: run.ws.stack }, { all: true })).filter((c) => !present.ids.has(c.Id) && !names.has(nameOf(c)));
  if (unknown.length === 0) return;
  if (present.resources === 0) assertNoServices(run.ws, unknown, "Pulumi's state of it is empty");
  const traffic = await trafficOf(run, present);
  const serving = unknown.map(nameOf).filter((name) => traffic?.apps.has(name) === true);
  if (serving.length > 0) throw stateLost(run.ws, `${serving.join(", ")} carry traffic, and Pulumi's state does not know them`);
}

/**
 * Removes containers and networks of this stack that a killed run made: no state knows them, and users are served by none of them. What
 * may be anybody else's is told and left alone.
 *
 * @param beingMade names of what killed updates had begun to make
 */
export async function removeOrphans(run: Run, present: Present, beingMade: ReadonlySet<string>): Promise<void> {
  const { stack } = run.ws;
  const unknown = (await listByLabels({ stack }, { all: true })).filter((c) => !present.ids.has(c.Id));
  if (unknown.length > 0) {
    const traffic = await trafficOf(run, present);
    const judged = unknown.map((container) => ({ container, fate: fateOf({ name: nameOf(container), role: container.Labels[LABEL.role] ?? "", runs: container.State === "running" }, traffic, beingMade) }));
    for (const { container, fate } of judged) await deal(run, container, fate);
  }
  const filters = { label: labelFilter({ stack }) };
  const networks = await dockerCall("list networks", (client, abortSignal) => client.listNetworks({ filters, abortSignal }));
  for (const { Id: id, Name: name } of networks.filter((network) => !present.ids.has(network.Id))) {
    if (beingMade.has(name)) await remove(run, `network ${name}`, () => dockerCall(`remove network ${name}`, (client, abortSignal) => client.getNetwork(id).remove({ abortSignal })));
    else run.say(`network ${name} is in no state and is left alone; if nobody uses it: docker network rm ${name}`);
  }
}

/** Null where what serves cannot be seen: then nothing is known to be idle. */
async function trafficOf(run: Run, { ledger }: Present): Promise<Traffic | null> {
  try {
    const table = (await readLive(run.ws.stack))?.table ?? null;
    if (table === null && ledger.length > 0) throw new Error("the front door is not there or has no config");
    const record = ledger.at(-1);
    const qdrants = record === undefined ? [] : [stackNames(run.ws.stack).qdrantContainer(record.storage.qdrant)];
    return { apps: carrying(table), stores: new Set(qdrants), isServing: table?.serving != null };
  } catch (error) {
    run.say(`what serves cannot be seen (${messageOf(error)}): containers that no state knows are left alone`);
    return null;
  }
}

/** A canary whose share is gone carries nothing: it is what a killed run left. */
function carrying(table: TrafficTable | null): Set<string> {
  return new Set(table === null ? [] : revisionsOf(table.canary?.weight === 0 ? withoutCanary(table) : table).flatMap(({ containers }) => containers));
}

async function deal(run: Run, container: Docker.ContainerInfo, fate: Fate): Promise<void> {
  const who = `${nameOf(container)} (${container.Labels[LABEL.role] ?? "unlabelled"})`;
  if (fate === "idle") return remove(run, who, () => removeContainer(container.Id));
  run.say(`${who} is in no state and is left alone, as users may be served by it; if they are not: docker rm -f ${nameOf(container)}`);
}

async function remove(run: Run, what: string, removal: () => Promise<unknown>): Promise<void> {
  run.say(`removing ${what}, which a killed run left`);
  try {
    await removal();
  } catch (error) {
    run.say(`  not removed: ${messageOf(error)}`);
  }
}
