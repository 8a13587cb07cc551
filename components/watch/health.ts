/** Rounds of health checks: each container through the front door, as the gate looks, and what Docker tells of it. */
import type { Live } from "../gate/probe-once.js";
import type { ContainerSample, ContainerState } from "../gate/model.js";
import { Prober } from "../gate/probe.js";
import { downReason, httpFault, restartReason } from "../gate/verdict.js";
import type { WatchTarget } from "./state.js";

/** @throws ReleaseError when Docker itself does not answer */
export async function checkHealth(target: WatchTarget, live: Live, secretEnv: readonly string[]): Promise<ContainerSample[]> {
  const { baseUrl, previewKey } = live;
  const prober = new Prober({ ...target, baseUrl, previewKey, secretEnv, qdrantContainer: "" });
  try {
    return (await prober.sample(() => 0)).containers;
  } finally {
    prober.close();
  }
}

/**
 * Why a round has failed, of all containers; "" if it has not. One event is one failure: what happened before the last round is not told
 * again, as the gate would. Pure.
 * @param before the last round; empty at first
 */
export function healthFault(healthPath: string, before: readonly ContainerSample[], now: readonly ContainerSample[]): string {
  const faults = now.flatMap((sample) => {
    const last = before.find(({ name }) => name === sample.name)?.state ?? null;
    const fault = stateFault(sample.state, last) ?? sample.http.map((http) => httpFault({ healthPath }, http)).find((one) => one !== null) ?? null;
    return fault === null ? [] : [`container ${sample.name}: ${fault}`];
  });
  return faults.length > 1 ? `${faults[0] ?? ""} (and ${faults.length - 1} more)` : (faults[0] ?? "");
}

/** Why a container is not as it should be; null: it is. Pure. @param last how it was before; null at first */
export function stateFault(state: ContainerState | null, last: ContainerState | null): string | null {
  if (state === null) return "it is not there";
  if (state.oomKilled && last?.oomKilled !== true) return "ran out of memory: the kernel killed a process in it (OOMKilled)";
  return downReason(state) ?? restartReason(state, last, "since the last look");
}
