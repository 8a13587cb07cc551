import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import Docker from "dockerode";
import { readLive } from "../../components/traffic/live.js";
import { keptFor } from "./docker.js";
import type { Project } from "./project.js";

/** Everything that a refused command must leave as it is. */
export interface Footprint {
  /** Name, ID, state and start of each container: one that was restarted is another. */
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly images: readonly string[];
  /** What the front door serves; null where there is none. */
  readonly route: { readonly digest: string | null; readonly serving: string | null; readonly former: string | null } | null;
  /** Path and SHA-256 of each backup's files. */
  readonly backups: readonly string[];
  /** SHA-256 of Pulumi's state; "" for none. */
  readonly state: string;
  /** The stack's config file. */
  readonly config: string;
}

/** Of a project whose state is in local files. */
export async function footprint(project: Project): Promise<Footprint> {
  const { volumes, networks, images, containers } = await keptFor(project.stack);
  const docker = new Docker();
  const looked = await Promise.all(containers.map((name) => docker.getContainer(name).inspect()));
  const live = await readLive(project.stack);
  const state = stateFile(project);
  return {
    containers: looked.map(({ Name, Id, State }) => `${Name} ${Id} ${State.Status} ${State.StartedAt}`), volumes, networks, images,
    route: live === null ? null : { digest: live.digest, serving: live.table.serving?.revision ?? null, former: live.table.former?.revision ?? null },
    backups: hashesBelow(project.paths.backups),
    state: existsSync(state) ? sha256(state) : "",
    config: readFileSync(path.join(project.dir, `Pulumi.${project.stack}.yaml`), "utf8"),
  };
}

/** Where Pulumi keeps the stack's state. */
export function stateFile(project: Project): string {
  return path.join(project.paths.state, ".pulumi", "stacks", "pbjrag", `${project.stack}.json`);
}

/** Path and SHA-256 of each file below a directory; none where it is not there. */
export function hashesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => statSync(path.join(directory, name)).isFile());
  return files.sort().map((name) => `${name} ${sha256(path.join(directory, name))}`);
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
