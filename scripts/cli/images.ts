import { readFileSync } from "node:fs";
import { docker, dockerCallOrNull } from "../../components/runtime/docker.js";
import { errors, messageOf } from "../../components/runtime/errors.js";
import { defaultsFor, environmentOf, isObject, overlay } from "../../components/settings/defaults.js";
import type { Run } from "./run.js";
import { configValues } from "./stack-file.js";

/**
 * Pulls the images that the stack's config names and this host lacks, before anything is touched: a release that finds
 * out in its middle that a name was mistyped has already made its backup.
 *
 * @throws ReleaseError `configRefused` naming each that cannot be had
 */
export async function ensureImages(run: Run): Promise<void> {
  const problems: string[] = [];
  for (const [key, image] of namedImages(readFileSync(run.ws.stackFile, "utf8"), run.ws.stack)) {
    if ((await dockerCallOrNull(`inspect image ${image}`, (client) => client.getImage(image).inspect())) !== null) continue;
    run.say(`pulling ${image}`);
    try {
      await pull(image);
    } catch (error) {
      problems.push(`pbjrag:${key}: ${image} is not on this host and cannot be pulled: ${messageOf(error)}`);
    }
  }
  if (problems.length > 0) throw errors.configRefused({ problems });
}

/** Images of the services, as config or the table of defaults names them. What is no text is left to the program to refuse. */
export function namedImages(stackFile: string, stack: string): [key: string, image: string][] {
  const config = configValues(stackFile);
  const environment = config["environment"];
  const known = environment === "prod" || environment === "staging" || environment === "dev" ? environment : environmentOf(stack);
  const given = Object.fromEntries(["qdrant", "proxy"].map((key) => [key, isObject(config[key]) ? config[key] : {}]));
  const settings = overlay(defaultsFor(known), given);
  return ["qdrant", "proxy"].flatMap((key): [string, string][] => {
    const part = settings[key];
    const image = isObject(part) ? part["image"] : undefined;
    return typeof image === "string" && image !== "" ? [[`${key}.image`, image]] : [];
  });
}

async function pull(image: string): Promise<void> {
  const client = docker();
  const stream = await client.pull(image);
  await new Promise<void>((resolve, reject) => {
    client.modem.followProgress(stream, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
