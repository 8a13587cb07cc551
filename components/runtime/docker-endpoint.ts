/** Which Docker daemon is meant, by the rule of Docker's own command line (20.10 to 28): DOCKER_HOST, DOCKER_CONTEXT, `docker context use`, the system's. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { codeOf, errors, messageOf } from "./errors.js";

const SYSTEM = "unix:///var/run/docker.sock";

export interface DockerEndpoint {
  /** `unix:///…`, or of another machine. */
  host: string;
  /** What said so, for people: `DOCKER_HOST`, `Docker's context "rootless"`; "" for the system's. */
  by: string;
}

/** @throws ReleaseError `configRefused` for a context that is not there, or Docker's files where they cannot be read */
export function dockerEndpoint(env: NodeJS.ProcessEnv = process.env): DockerEndpoint {
  if (env.DOCKER_HOST) return { host: env.DOCKER_HOST, by: "DOCKER_HOST" };
  const directory = env.DOCKER_CONFIG || path.join(env.HOME ?? homedir(), ".docker");
  const name = env.DOCKER_CONTEXT || textAt(read(path.join(directory, "config.json")), "currentContext");
  if (name === "" || name === "default") return { host: SYSTEM, by: "" };
  const file = path.join(directory, "contexts", "meta", createHash("sha256").update(name).digest("hex"), "meta.json");
  const host = textAt(read(file), "Endpoints", "docker", "Host");
  if (host === "") {
    throw errors.configRefused({ problems: [`Docker's context ${JSON.stringify(name)} (${env.DOCKER_CONTEXT ? "DOCKER_CONTEXT" : "docker context use"}) is not there; \`docker context ls\` lists those that are`] });
  }
  return { host, by: `Docker's context ${JSON.stringify(name)}` };
}

/** Makes what a context says known to all that is started from here: Pulumi's provider knows DOCKER_HOST alone. @throws as {@link dockerEndpoint} */
export function settleDockerHost(env: NodeJS.ProcessEnv = process.env): void {
  const { host, by } = dockerEndpoint(env);
  if (by !== "" && !env.DOCKER_HOST) env.DOCKER_HOST = host;
}

/** Undefined where there is no such file. */
function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as unknown;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw errors.configRefused({ problems: [`${file}, which says what Docker is used, cannot be read: ${messageOf(error)}`] });
  }
}

function textAt(value: unknown, ...keys: string[]): string {
  const found = keys.reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? (Reflect.get(at, key) as unknown) : undefined), value);
  return typeof found === "string" ? found : "";
}
