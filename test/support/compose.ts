import Docker from "dockerode";
import { QDRANT_IMAGE } from "./backup.js";
import { freePort } from "./names.js";
import { mustRun } from "./processes.js";
import { type Dump, TestQdrant } from "./qdrant.js";
import { waitFor } from "./wait.js";

/** What docker compose puts on all that it makes. */
const labelled = (project: string, more: Record<string, string>): Record<string, string> => ({
  "com.docker.compose.project": project, "com.docker.compose.version": "2.29.7", "com.docker.compose.config-hash": "0".repeat(64), ...more,
});

/**
 * PBJRAG's own docker-compose.yml as compose makes it: two containers that Docker starts again unless they are stopped, volumes with the
 * project's name before theirs, a network, labels. Made with plain Docker.
 */
export class ComposeInstall {
  readonly docker = new Docker();
  readonly webui: string;
  readonly qdrant: string;
  readonly qdrantVolume: string;
  readonly uploadsVolume: string;
  private readonly network: string;
  private qdrantPort = 0;

  /** @param project compose's, for tests a name of their own @param port that the web page has */
  constructor(private readonly project: string, private readonly port: number) {
    this.webui = `${project}-pbjrag-webui`;
    this.qdrant = `${project}-pbjrag-qdrant`;
    this.qdrantVolume = `${project}_qdrant_storage`;
    this.uploadsVolume = `${project}_uploaded_codebases`;
    this.network = `${project}_pbjrag-network`;
  }

  /** @param image of the web page */
  async up(image: string): Promise<void> {
    this.qdrantPort = await freePort();
    await this.docker.createNetwork({ Name: this.network, Driver: "bridge", Labels: labelled(this.project, { "com.docker.compose.network": "pbjrag-network" }) });
    for (const [name, volume] of [[this.qdrantVolume, "qdrant_storage"], [this.uploadsVolume, "uploaded_codebases"]] as const) {
      await this.docker.createVolume({ Name: name, Driver: "local", Labels: labelled(this.project, { "com.docker.compose.volume": volume }) });
    }
    await this.container("qdrant", this.qdrant, QDRANT_IMAGE, ["QDRANT__SERVICE__HTTP_PORT=6333", "QDRANT__SERVICE__GRPC_PORT=6334"], `${this.qdrantVolume}:/qdrant/storage:rw`, [6333, this.qdrantPort]);
    await this.container("webui", this.webui, image, ["QDRANT_HOST=qdrant", "QDRANT_PORT=6333", "PYTHONPATH=/app", "NAME=compose", "PORT=8501"], `${this.uploadsVolume}:/app/uploads:rw`, [8501, this.port]);
    await waitFor("the install's Qdrant", () => this.client.ready());
  }

  private async container(service: string, name: string, image: string, env: string[], bind: string, [inner, outer]: [number, number]): Promise<void> {
    const container = await this.docker.createContainer({
      name, Image: image, Env: env, ExposedPorts: { [`${inner}/tcp`]: {} }, Tty: service === "webui", OpenStdin: service === "webui",
      Labels: labelled(this.project, {
        "com.docker.compose.service": service, "com.docker.compose.container-number": "1", "com.docker.compose.oneoff": "False",
        "com.docker.compose.project.config_files": "/srv/pbjrag/docker-compose.yml", "com.docker.compose.project.working_dir": "/srv/pbjrag",
      }),
      HostConfig: { Binds: [bind], NetworkMode: this.network, RestartPolicy: { Name: "unless-stopped" }, PortBindings: { [`${inner}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: String(outer) }] } },
      NetworkingConfig: { EndpointsConfig: { [this.network]: { Aliases: [service, name] } } },
    });
    await container.start();
  }

  get client(): TestQdrant {
    return new TestQdrant(`http://127.0.0.1:${this.qdrantPort}`, "");
  }

  dump(): Promise<Dump> {
    return this.client.dump();
  }

  /** Path, mode and SHA-256 of each upload, as it lies in the volume. */
  async uploads(): Promise<string> {
    const list = "cd /data; find . -printf '%p %m %U:%G\\n' | sort; find . -type f -print0 | sort -z | xargs -0r sha256sum";
    return (await mustRun("docker", ["run", "--rm", "--network", "none", "-v", `${this.uploadsVolume}:/data:ro`, "--entrypoint", "sh", QDRANT_IMAGE, "-ec", list], { cwd: "/" })).stdout;
  }

  /** Of both containers: whether they run, and what Docker does when they end. */
  async states(): Promise<{ running: boolean; restart: string | undefined }[]> {
    const infos = await Promise.all([this.webui, this.qdrant].map((name) => this.docker.getContainer(name).inspect()));
    return infos.map(({ State, HostConfig }) => ({ running: State.Running, restart: HostConfig.RestartPolicy?.Name }));
  }

  async remove(): Promise<void> {
    const filters = { label: [`com.docker.compose.project=${this.project}`] };
    const containers = await this.docker.listContainers({ all: true, filters });
    await Promise.all(containers.map(({ Id }) => this.docker.getContainer(Id).remove({ force: true, v: true })));
    const { Volumes } = await this.docker.listVolumes({ filters: JSON.stringify(filters) });
    await Promise.all(Volumes.map(({ Name }) => this.docker.getVolume(Name).remove()));
    const networks = await this.docker.listNetworks({ filters });
    await Promise.all(networks.map(({ Id }) => this.docker.getNetwork(Id).remove()));
  }
}
