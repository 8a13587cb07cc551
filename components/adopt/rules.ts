/** What keeps a stack from taking over an install that is there, judged from facts. Pure: facts.ts collects them. */
import semver from "semver";
import { versionOfImage } from "../qdrant/version.js";
import type { Problem } from "../release/model.js";
import type { Settings } from "../settings/schema.js";

export type Adopt = NonNullable<Settings["adopt"]>;

export interface AdoptFacts {
  containers: { name: string; there: boolean; running: boolean; /** Stack of this program that it belongs to, "" for none. */ owner: string; volumes: string[] }[];
  /** Those of the two volumes that are there, each with the names of all containers that have it mounted. */
  volumes: { name: string; users: string[] }[];
  /** Of the Qdrant that runs; "" where it does not tell. */
  qdrantVersion: string;
}

export function adoptProblems(adopt: Adopt, image: string, facts: AdoptFacts): Problem[] {
  const problems: Problem[] = [];
  const report = (key: keyof Adopt, what: string, next: string): void => void problems.push({ subject: `pbjrag:adopt.${key}`, what, next });
  for (const { name, there, owner } of facts.containers) {
    if (!there) report("containers", `there is no container ${name}`, "name those that docker ps shows of the install");
    else if (owner !== "") report("containers", `${name} belongs to stack ${owner}`, "name containers that this program did not make");
  }
  for (const key of ["qdrantVolume", "uploadsVolume"] as const) {
    const volume = facts.volumes.find(({ name }) => name === adopt[key]);
    if (volume === undefined) report(key, `there is no volume ${adopt[key]}`, "docker volume ls names it, often with the directory's name before it");
    const others = volume?.users.filter((user) => !adopt.containers.includes(user)) ?? [];
    if (others.length > 0) report("containers", `${others.join(", ")} use${others.length === 1 ? "s" : ""} ${adopt[key]} and would go on writing to it`, "name it too, or stop and remove it");
  }
  const qdrant = facts.containers.find(({ there, volumes }) => there && volumes.includes(adopt.qdrantVolume));
  if (qdrant === undefined) report("containers", `none of them has ${adopt.qdrantVolume} mounted`, "name Qdrant's container too");
  else if (!qdrant.running) report("containers", `${qdrant.name} does not run, so its data cannot be backed up first`, `docker start ${qdrant.name}, then run again`);
  return [...problems, ...versionProblems(image, facts.qdrantVersion)];
}

/** The same minor version: then what a failed release has opened, the old Qdrant still reads. */
function versionProblems(image: string, runs: string): Problem[] {
  const [from, to] = [semver.coerce(runs), semver.coerce(versionOfImage(image) ?? "")];
  if (from === null || to === null || (from.major === to.major && from.minor === to.minor)) return [];
  return [{
    subject: "pbjrag:qdrant.image",
    what: `is Qdrant ${to.version}, and the data is taken over from ${runs}: should the release fail, that one must still read it`,
    next: `take it over with the same minor version (pulumi config set --path pbjrag:qdrant.image qdrant/qdrant:v${from.version}), and change it afterwards`,
  }];
}

export function adoptNotice({ containers }: Adopt): string {
  return `ADOPTS ${containers.join(", ")}: backed up first, then stopped and kept. DOWNTIME from there until the release has passed its gate: some seconds; if it fails, they are started again`;
}
