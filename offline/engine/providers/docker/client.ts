import { readFileSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import { refuse } from "../../errors.js";
import type { Props } from "../../values.js";
import { text } from "./read.js";

const KNOWN = new Set(["host", "certPath", "version"]);

/** Makes the client of a daemon when it is first needed: an update that changes nothing needs none. */
export class Daemon {
  private opened: Promise<Docker> | undefined;

  /** @param config the provider's arguments; without a host DOCKER_HOST or the local socket is used */
  constructor(private readonly config: Props) {
    for (const key of Object.keys(config)) {
      if (!key.startsWith("__") && !KNOWN.has(key)) refuse(`the argument '${key}' of docker.Provider`);
    }
  }

  /** The client. */
  client(): Promise<Docker> {
    this.opened ??= open(text(this.config, "host") ?? process.env.DOCKER_HOST, text(this.config, "certPath"));
    return this.opened;
  }
}

async function open(host: string | undefined, certPath: string | undefined): Promise<Docker> {
  const { default: Dockerode } = await import("dockerode");
  if (host === undefined || host === "") return new Dockerode({ socketPath: "/var/run/docker.sock" });
  if (host.startsWith("unix://")) return new Dockerode({ socketPath: host.slice("unix://".length) });
  const url = new URL(host);
  if (url.protocol === "ssh:") {
    return new Dockerode({ protocol: "ssh", host: url.hostname, port: url.port || 22, username: url.username });
  }
  if (url.protocol !== "tcp:") refuse(`the Docker host '${host}'`);
  const certificates = certPath ?? (process.env.DOCKER_TLS_VERIFY ? process.env.DOCKER_CERT_PATH : undefined);
  const port = url.port || (certificates === undefined ? 2375 : 2376);
  if (certificates === undefined) return new Dockerode({ protocol: "http", host: url.hostname, port });
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((file) => readFileSync(join(certificates, file)));
  return new Dockerode({ protocol: "https", host: url.hostname, port, ca, cert, key });
}
