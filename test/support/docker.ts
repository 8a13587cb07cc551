import Docker from "dockerode";
import { waitFor } from "./wait.js";

/** Everything that Docker keeps for a stack, by names that `docker` would show. */
export interface Kept {
  readonly containers: string[];
  readonly volumes: string[];
  readonly networks: string[];
  readonly images: string[];
}

const label = (stack: string): string => JSON.stringify({ label: [`pbjrag.stack=${stack}`] });

/** What is there for a stack: by the stack's label, and images by the stack's repository `pbjrag-<stack>`. */
export async function keptFor(stack: string): Promise<Kept> {
  const docker = new Docker();
  const [containers, { Volumes }, networks, images] = await Promise.all([
    docker.listContainers({ all: true, filters: label(stack) }),
    docker.listVolumes({ filters: label(stack) }),
    docker.listNetworks({ filters: label(stack) }),
    docker.listImages(),
  ]);
  return {
    containers: (await Promise.all(containers.map(({ Names: [name], Id }) => (name === undefined ? unnamed(docker, Id) : Promise.resolve(name.slice(1)))))).filter((name) => name !== null).sort(),
    volumes: Volumes.map(({ Name }) => Name).sort(),
    networks: networks.map(({ Name }) => Name).sort(),
    images: images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.startsWith(`pbjrag-${stack}:`)).sort(),
  };
}

/**
 * A container without a name is about to go. One that is gone can stay in Docker's list until the daemon is started again, where its
 * state was written while it went: Docker itself no longer knows it.
 */
function unnamed(docker: Docker, id: string): Promise<string | null> {
  return docker.getContainer(id).inspect().then(
    () => id,
    (error: unknown) => {
      if ((error as { statusCode?: number }).statusCode === 404) return null;
      throw error;
    },
  );
}

/** Removes all of it, data as well. For `after` hooks: what is gone already is no error. */
export async function removeStack(stack: string): Promise<void> {
  const docker = new Docker();
  const { containers, volumes, networks, images } = await keptFor(stack);
  await Promise.all(containers.map((name) => gone(docker.getContainer(name).remove({ force: true, v: true }))));
  await Promise.all(volumes.map((name) => gone(docker.getVolume(name).remove())));
  // A container whose removal is under way holds its network for a moment.
  await Promise.all(networks.map((name) => waitFor(`network ${name} to be removed`, () => gone(docker.getNetwork(name).remove()).then(() => true))));
  // One after another: of two names of one image, or of two images over the same layers, removed at once, Docker may forget one in the middle.
  for (const name of images) await gone(docker.getImage(name).remove({ force: true }));
}

/** Names and states of a stack's containers in one role (`app`, `qdrant`, `proxy`, `scratch`, `helper`). */
export async function containersOf(stack: string, role: string): Promise<{ name: string; id: string; state: string; revision: string }[]> {
  const filters = JSON.stringify({ label: [`pbjrag.stack=${stack}`, `pbjrag.role=${role}`] });
  const found = await new Docker().listContainers({ all: true, filters });
  return found.map(({ Names, Id, State, Labels }) => ({ name: Names[0]?.slice(1) ?? "", id: Id, state: State, revision: Labels["pbjrag.revision"] ?? "" }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Whether a Docker daemon answers. */
export async function dockerAnswers(client = new Docker()): Promise<boolean> {
  return client.ping().then(() => true, () => false);
}

/** What is gone already is no error. */
export async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    // 404: gone; 409: its removal is under way.
    if (statusCode !== 404 && statusCode !== 409) throw error;
  }
}
