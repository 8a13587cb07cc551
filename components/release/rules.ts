/** What keeps a release from being started, judged from facts. Pure: facts.ts collects them. */
import type { DockerEndpoint } from "../runtime/docker-endpoint.js";
import type { RecordedSettings, Settings } from "../settings/schema.js";
import { generationOf } from "../traffic/model.js";
import { findReleases, present } from "./ledger.js";
import type { Problem, ReleaseRecord, ResolvedSource } from "./model.js";

/** A tag that was released here must still name what it named then. */
export function movedTagProblems(source: Pick<ResolvedSource, "tag" | "commit" | "tagObject">, ledger: readonly ReleaseRecord[]): Problem[] {
  const record = ledger.findLast(({ tag }) => tag === source.tag);
  if (record === undefined || (record.commit === source.commit && record.tagObject === source.tagObject)) {
    return [];
  }
  const what =
    record.commit === source.commit
      ? `${source.tag} was made anew since it was released here (release ${record.seq}): another tag object on the same commit`
      : `${source.tag} has moved since it was released here (release ${record.seq}): from commit ${record.commit.slice(0, 12)} to ${source.commit.slice(0, 12)}`;
  return [{ subject: "tag", what, next: `give commit ${source.commit.slice(0, 12)} a tag of its own, or move ${source.tag} back to where it was` }];
}

/** Settings of the front door whose change would stop it and start it again. */
export function interruptions(settings: Settings, ledger: readonly ReleaseRecord[]): string[] {
  const last = present(ledger);
  if (last === null || settings.reapply) {
    return [];
  }
  // Memory is changed in place; whatever else is changed makes Docker's provider replace the container, delete first.
  const [from, to] = [last.settings.proxy, settings.proxy];
  return (["image", "bind", "port", "cpus"] as const).filter((key) => from[key] !== to[key]).map((key) => `proxy.${key}: ${from[key]} -> ${to[key]}`);
}

const INTERRUPTED = "the front door, and with it every user";

export function interruptionProblems(changes: readonly string[], { proxy }: Settings): Problem[] {
  return changes.length === 0 || proxy.allowInterruption
    ? []
    : [{
        subject: "pbjrag:proxy",
        what: `the change (${changes.join(", ")}) interrupts ${INTERRUPTED}`,
        next: "take it back, or allow it for this once: pulumi config set --path pbjrag:proxy.allowInterruption true",
      }];
}

export function interruptionNotices(changes: readonly string[]): string[] {
  return changes.length === 0 ? [] : [`INTERRUPTS ${INTERRUPTED}: ${changes.join(", ")}`];
}

/** Other volumes would be other data: what is released here would start with none. */
export function volumeChangeProblems(settings: Settings, ledger: readonly ReleaseRecord[]): Problem[] {
  const last = present(ledger);
  if (last === null || settings.reapply) {
    return [];
  }
  return (["qdrant", "uploads"] as const)
    .filter((volume) => last.settings.volumes[volume] !== settings.volumes[volume])
    .map((volume) => ({
      subject: `pbjrag:volumes.${volume}`,
      what: `names another volume than that of the data that is there (${last.settings.volumes[volume] ?? "the stack's own"})`,
      next: "take the change back: data is moved by restoring a backup, not by naming another volume",
    }));
}

export function reapplyProblems(settings: Settings, ledger: readonly ReleaseRecord[]): Problem[] {
  return settings.reapply && ledger.length === 0
    ? [{ subject: "pbjrag:reapply", what: "there is no release to apply again", next: "remove it: pulumi config rm pbjrag:reapply" }]
    : [];
}

export interface VolumeFact {
  name: string;
  /** The stack that its label names, "" for none; null: there is no such volume. */
  owner: string | null;
}

export function volumeProblems(stack: string, volumes: readonly VolumeFact[]): Problem[] {
  return volumes
    .filter(({ owner }) => owner !== null && owner !== "" && owner !== stack)
    .map(({ name, owner }) => ({
      subject: "volume",
      what: `${name} belongs to stack ${owner ?? ""}`,
      next: "give this stack volumes of its own: pulumi config set --path pbjrag:volumes.qdrant NAME (and volumes.uploads)",
    }));
}

/** `ours`: this stack's proxy listens there. */
export type PortFact = { state: "free" } | { state: "ours" } | { state: "taken"; by: string };

export function portProblems(settings: Settings, port: PortFact): Problem[] {
  const { bind, port: number } = settings.proxy;
  return port.state !== "taken"
    ? []
    : [{ subject: "pbjrag:proxy.port", what: `${bind}:${number} is taken by ${port.by}`, next: "stop it, or choose another port: pulumi config set --path pbjrag:proxy.port NUMBER" }];
}

/** What the host has of this stack, whatever Pulumi's state says. */
export interface LiveFact {
  /** The live traffic table; null: no proxy, or none yet. */
  table: { seq: number; serving: { revision: string; tag: string; generation?: string | undefined } | null } | null;
}

/**
 * A state that is lost, or older than what serves. What serves may be one release ahead: an update that was killed after
 * its route had moved, which this one goes on from.
 * @param target the revision that is to serve
 */
export function stateProblems(stack: string, live: LiveFact, ledger: readonly ReleaseRecord[], target: string): Problem[] {
  const { table } = live;
  if (table === null || table.serving === null) {
    return [];
  }
  const { seq, serving } = table;
  const last = present(ledger)?.seq ?? 0;
  if (serving.revision === target) {
    return [];
  }
  const known = findReleases(ledger, serving.revision).length > 0;
  if (known || (ledger.length > 0 && seq <= last + 1)) {
    return halfMoved(stack, serving, present(ledger));
  }
  const what =
    ledger.length === 0
      ? `${serving.tag} (${serving.revision}) serves here, and Pulumi's state of stack ${stack} knows no release`
      : `release ${seq} (${serving.tag}, ${serving.revision}) serves here, and Pulumi's state of stack ${stack} ends with release ${last}: it is an old copy`;
  const again = ledger.length === 0 ? `if its first update was killed, deploy ${serving.tag} again; else ` : "";
  return [{ subject: "state", what, next: `${again}put the state back (pulumi stack import), or log in to the backend that holds it; the backups' manifests tell what was released` }];
}

/** An update that moved to other data and was killed before it was recorded: what users wrote since would be left behind. */
function halfMoved(stack: string, serving: { tag: string; generation?: string | undefined }, last: ReleaseRecord | null): Problem[] {
  const generation = generationOf(serving);
  if (last === null || generation === last.generation) {
    return [];
  }
  const what = `${serving.tag} serves on data generation ${generation}, and the state of stack ${stack} ends with generation ${last.generation}: a move between them was stopped halfway`;
  return [{ subject: "pbjrag:data", what, next: "run that command again: it goes on from there" }];
}

/** The socket that this program's own calls use must be the one that Pulumi's provider is told. */
export function dockerHostProblems(settings: Pick<RecordedSettings, "docker">, socket: string): Problem[] {
  const { host } = settings.docker;
  const used = `unix://${socket}`;
  return host === "unix:///var/run/docker.sock" || host === used
    ? []
    : [{ subject: "pbjrag:docker.host", what: `says ${host}, and everything else here would use ${used}`, next: `set both to the same: export DOCKER_HOST=${host}` }];
}

/** With plain pulumi: the scripts say it to all that they start. */
export function dockerContextProblems({ host, by }: DockerEndpoint): Problem[] {
  return by === "" || by === "DOCKER_HOST" || host === "unix:///var/run/docker.sock"
    ? []
    : [{ subject: by, what: `is ${host}, and Pulumi's Docker provider knows no contexts`, next: `say it to both: export DOCKER_HOST=${host}` }];
}

/** @param why as {@link dataDirProblem} tells it */
export function dataDirProblems(why: string | null): Problem[] {
  return why === null ? [] : [{ subject: "pbjrag:dataDir", what: `nothing can be kept there: ${why}`, next: "make it a directory that this user can write to, or name another" }];
}
