import { refuse } from "../../errors.js";
import { isObject, UNKNOWN, type Props, type Value } from "../../values.js";
import type { Call, Diff, Found, Made, Provider } from "../provider.js";
import { Daemon } from "./client.js";
import { createContainer, deleteContainer, readContainer, updateContainer } from "./container.js";
import { CONTAINER } from "./container-schema.js";
import { buildImage, checkImage, diffImage } from "./image.js";
import { createNetwork, deleteNetwork, NETWORK, readNetwork } from "./network.js";
import { check, compare, withoutInternals, type Schema } from "./schema.js";
import { createVolume, deleteVolume, readVolume, VOLUME } from "./volume.js";

const IMAGE_TYPE = "docker:index/image:Image";

const SCHEMAS: Record<string, Schema> = {
  "docker:index/network:Network": NETWORK,
  "docker:index/volume:Volume": VOLUME,
  "docker:index/container:Container": CONTAINER,
};

/** Networks, volumes, containers and images of one Docker daemon. */
export class DockerProvider implements Provider {
  private readonly daemon: Daemon;

  /** @param directory what relative paths of a build start from */
  constructor(
    config: Props,
    private readonly directory: string,
  ) {
    this.daemon = new Daemon(config);
  }

  async check(call: Call, olds: Props | undefined, news: Props): Promise<Props> {
    if (call.type === IMAGE_TYPE) return checkImage(call, this.directory, news);
    return check(schemaOf(call), call, olds, news);
  }

  diff(call: Call, _id: string, _oldInputs: Props, oldOutputs: Props, news: Props, ignored: string[]): Promise<Diff> {
    if (call.type === IMAGE_TYPE) return Promise.resolve(diffImage(oldOutputs, news));
    const schema = schemaOf(call);
    const diff = compare(schema, oldOutputs, news, ignored);
    // As with the real provider: what has a fixed name cannot stand beside its replacement.
    const fixedName = !(Array.isArray(news.__defaults) && news.__defaults.includes("name"));
    return Promise.resolve({ ...diff, deleteBeforeReplace: fixedName || schema === CONTAINER });
  }

  create(call: Call, news: Props): Promise<Made> {
    return explained(this.make(call, news));
  }

  private make(call: Call, news: Props): Promise<Made> {
    if (call.type === IMAGE_TYPE) return buildImage(this.daemon, call, this.directory, news);
    const inputs = withoutInternals(news) as Props;
    const schema = schemaOf(call);
    if (schema === NETWORK) return createNetwork(this.daemon, inputs);
    if (schema === VOLUME) return createVolume(this.daemon, inputs);
    return createContainer(this.daemon, inputs);
  }

  previewOutputs(call: Call, news: Props, olds: Props | undefined): Props {
    const inputs = withoutInternals(news) as Props;
    if (call.type === IMAGE_TYPE) return inputs;
    return { ...olds, ...inputs, ...(inputs.ports === undefined ? {} : { ports: unknownPorts(inputs.ports) }) };
  }

  async update(call: Call, id: string, _oldInputs: Props, oldOutputs: Props, news: Props): Promise<Props> {
    if (call.type === IMAGE_TYPE) return (await buildImage(this.daemon, call, this.directory, news)).outputs;
    if (schemaOf(call) !== CONTAINER) refuse(`an update in place of ${call.type}`);
    return explained(updateContainer(this.daemon, id, oldOutputs, withoutInternals(news) as Props));
  }

  async delete(call: Call, id: string, _oldInputs: Props, oldOutputs: Props): Promise<void> {
    // An image may be in use elsewhere, and the next build profits from it: the real provider keeps it too.
    if (call.type === IMAGE_TYPE) return;
    const schema = schemaOf(call);
    if (schema === NETWORK) return explained(deleteNetwork(this.daemon, id));
    if (schema === VOLUME) return explained(deleteVolume(this.daemon, id));
    return explained(deleteContainer(this.daemon, id, oldOutputs));
  }

  async read(call: Call, id: string, inputs: Props, outputs: Props): Promise<Found | undefined> {
    if (call.type === IMAGE_TYPE) return { id, outputs, inputs };
    const schema = schemaOf(call);
    if (schema === NETWORK) return readNetwork(this.daemon, id);
    if (schema === VOLUME) return readVolume(this.daemon, id);
    const wanted = withoutInternals({ ...inputs, ...keptOutputs(outputs) }) as Props;
    return readContainer(this.daemon, id, wanted);
  }
}

/** The daemon's errors in the words of Docker's own command. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const said = (error as { json?: { message?: string } | null }).json?.message;
    throw said === undefined ? error : new Error(`Error response from daemon: ${said}`);
  }
}

/** What a container's state keeps from its arguments is read from the outputs: the inputs may be newer. */
function keptOutputs(outputs: Props): Props {
  const keys = ["envs", "labels", "networksAdvanced", "volumes", "image"];
  return Object.fromEntries(keys.flatMap((key) => (outputs[key] === undefined ? [] : [[key, outputs[key]]])));
}

function schemaOf(call: Call): Schema {
  return SCHEMAS[call.type] ?? refuse(`resources of type ${call.type}`);
}

/** A port that Docker will choose is not known in a preview. */
function unknownPorts(ports: Value): Value {
  if (!Array.isArray(ports)) return ports;
  return ports.map((port) => (isObject(port) && port.external === undefined ? { ...port, external: UNKNOWN } : port));
}
