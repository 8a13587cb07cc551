import { differences } from "./differences.js";
import type { FoundObject } from "./found.js";
import type { KnownObject } from "./known.js";

/** What somebody did to an object of the stack behind Pulumi's back. */
export interface Drift {
  object: KnownObject;
  found: FoundObject | null;
  how: "made anew" | "gone" | "renamed" | "stopped" | "detached" | "without its volume";
  /** One sentence without its full stop. */
  what: string;
  /** What a person must do before anything is changed, as a command where one does it; null: what it is is taken over. */
  next: string | null;
}

/** Who is served by what. */
export interface Serving {
  stack: string;
  /** Names of containers that users are on: of the release that serves, and of the former one. */
  containers: ReadonlySet<string>;
  /** Names of the volumes that hold the data of the release that serves. */
  data: ReadonlySet<string>;
  /** The newest good backup, for data that is gone; null: there is none. */
  backup: string | null;
}

/**
 * Pure. An object that was made anew under its name is taken over where it can do what the one before it did; one that is gone is made by
 * the next update. What would cost users an answer, or anybody data, is a person's to decide.
 *
 * @returns in the order of the state; nothing for what is as recorded
 */
export function judgeDrift(known: readonly { object: KnownObject; found: FoundObject | null }[], serving: Serving): Drift[] {
  const networks = new Set(known.flatMap(({ object, found }) => (object.kind === "network" && found === null ? [object.name] : [])));
  return known.flatMap(({ object, found }) => {
    const drift = object.kind === "container" ? ofContainer(object, found, serving, networks) : object.kind === "network" ? ofNetwork(object, found, known, serving) : ofVolume(object, found, serving);
    return drift === null ? [] : [{ object, found, ...drift }];
  });
}

type Judged = Pick<Drift, "how" | "what" | "next"> | null;

const ROLES: Readonly<Record<string, string>> = { proxy: "the proxy", qdrant: "Qdrant", app: "the app" };

/** Users are served by it, or by nothing: the proxy, Qdrant, and what the proxy leads to. */
const matters = ({ name, role }: KnownObject, { containers }: Serving): boolean => role !== "app" || containers.has(name);

function ofContainer(object: KnownObject, found: FoundObject | null, serving: Serving, goneNetworks: ReadonlySet<string>): Judged {
  const { name, role } = object;
  const who = `container ${name} (${ROLES[role] ?? "unlabelled"})`;
  if (found === null) return { how: "gone", what: `${who} was removed by somebody else`, next: null };
  const remade = found.id !== object.id;
  const missing = object.volumes.find(({ volume, path }) => !found.volumes.some((one) => one.volume === volume && one.path === path));
  if (remade && missing !== undefined && role !== "app") {
    return {
      how: "without its volume",
      what: `${who} was made anew by somebody else without volume ${missing.volume} at ${missing.path}, so it does not have what users left there`,
      next: `docker rm -f ${name}, then run again: it is made anew on its volume, and what was written to the present one is lost`,
    };
  }
  if (found.name !== name) return { how: "renamed", what: `${who} was renamed to ${found.name} by somebody else`, next: null };
  const lacking = object.networks.find((network) => !found.networks.includes(network) && !goneNetworks.has(network));
  if (lacking !== undefined && matters(object, serving)) {
    return { how: "detached", what: `${who} is not on network ${lacking} any more, so nobody reaches it there`, next: `docker network connect ${lacking} ${name}, then run again` };
  }
  // One that was made and never started is an update's that failed: the next one makes it anew.
  if (["exited", "paused", "dead"].includes(found.status) && role === "proxy") {
    const start = found.status === "paused" ? "unpause" : "start";
    return { how: "stopped", what: `${who} is ${found.status}, so no user is served`, next: `docker ${start} ${name}, then run again` };
  }
  if (!remade) return null;
  const without = missing === undefined ? "" : `, without volume ${missing.volume}: uploads go into the container itself and are in no backup`;
  return { how: "made anew", what: `${who} was made anew by somebody else${differences(name, object.made, found.made, found.images)}${without}`, next: null };
}

function ofNetwork({ id, name }: KnownObject, found: FoundObject | null, known: readonly { object: KnownObject; found: FoundObject | null }[], { stack }: Serving): Judged {
  if (found !== null) return found.id === id ? null : { how: "made anew", what: `network ${name} was made anew by somebody else`, next: null };
  const members = known.flatMap(({ object, found: there }) => (object.networks.includes(name) && there !== null ? [there.name] : []));
  const connect = members.map((member) => `docker network connect ${name} ${member}`).join(" && ");
  return members.length === 0
    ? { how: "gone", what: `network ${name} was removed by somebody else`, next: null }
    : {
        how: "gone", what: `network ${name} was removed by somebody else, so the proxy reaches nobody`,
        next: `docker network create --label pbjrag.stack=${stack} --label pbjrag.role=data ${name} && ${connect}, then run again`,
      };
}

function ofVolume({ name, role }: KnownObject, found: FoundObject | null, { stack, data, backup }: Serving): Judged {
  if (found !== null) return null;
  if (role === "proxy") return { how: "gone", what: `volume ${name} (the proxy's config) was removed by somebody else`, next: null };
  if (!data.has(name)) return { how: "gone", what: `volume ${name}, with data that the serving release does not use, was removed by somebody else`, next: null };
  const next = backup === null
    ? "there is no backup here to bring it back from; scripts/backups.sh list --from-repository looks for one elsewhere"
    : `scripts/restore.sh ${backup} --stack ${stack} --yes --no-backup --reason "volume ${name} is gone", which brings back the newest backup`;
  return { how: "gone", what: `volume ${name} with users' data was removed by somebody else`, next };
}
