import { existsSync } from "node:fs";
import { stackNames } from "../../components/release/names.js";
import { dockerCall } from "../../components/runtime/docker.js";
import { labelFilter } from "../../components/runtime/labels.js";
import type { Workspace } from "./workspace.js";

/** What `pulumi destroy` has left of a stack on purpose, where it is, and how it is removed: for a person. */
export async function describeKept({ stack, paths }: Workspace): Promise<string[]> {
  const filters = JSON.stringify({ label: labelFilter({ stack, role: "data" }) });
  const { Volumes } = await dockerCall("list volumes", (client) => client.listVolumes({ filters }));
  const volumes = Volumes.map(({ Name }) => Name).sort();
  const images = await dockerCall("list images", (client) => client.listImages());
  const repository = `${stackNames(stack).prefix.toLowerCase()}:`;
  const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.startsWith(repository)).sort();
  return [
    ...(volumes.length === 0 ? [] : [`data volumes   ${volumes.join(" ")}`, "               the next deploy takes them up again; docker volume rm removes them"]),
    ...(tags.length === 0 ? [] : [`images         ${tags.join(" ")}`, "               docker rmi removes them"]),
    ...(existsSync(paths.backups) ? [`backups        ${paths.backups}`] : []),
  ];
}
