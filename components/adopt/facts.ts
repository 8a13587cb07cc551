/** What there is of the install that is to be taken over. Reads only: previews call it. */
import { clientOf } from "../backup/source.js";
import { usersOf } from "../backup/volumes.js";
import { dockerCallOrNull, inspectOrNull } from "../runtime/docker.js";
import { LABEL } from "../runtime/labels.js";
import type { Adopt, AdoptFacts } from "./rules.js";
import { mounts } from "./run.js";

export async function readAdoptFacts({ containers, qdrantVolume, uploadsVolume }: Adopt): Promise<AdoptFacts> {
  const infos = await Promise.all(containers.map(async (name) => ({ name, info: await inspectOrNull(name) })));
  const qdrant = infos.find(({ info }) => info !== null && mounts(info, qdrantVolume) && info.State.Running)?.info ?? null;
  const volumes = await Promise.all([qdrantVolume, uploadsVolume].map(readVolume));
  return {
    containers: infos.map(({ name, info }) => ({
      name, there: info !== null, running: info?.State.Running === true, owner: info?.Config.Labels[LABEL.stack] ?? "",
      volumes: (info?.Mounts ?? []).flatMap(({ Name }) => (Name === undefined ? [] : [Name])),
    })),
    volumes: volumes.filter((volume) => volume !== null),
    // One that does not answer is told by the backup, which comes first.
    qdrantVersion: qdrant === null ? "" : await clientOf(qdrant).version().then(({ version }) => version, () => ""),
  };
}

async function readVolume(name: string): Promise<AdoptFacts["volumes"][number] | null> {
  const found = await dockerCallOrNull(`inspect volume ${name}`, (client) => client.getVolume(name).inspect());
  return found === null ? null : { name, users: (await usersOf(name)).map(({ Names, Id }) => (Names[0] ?? Id).replace(/^\//, "")) };
}
