import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fail, refuse } from "../../errors.js";
import { asText, changedKeys, hasUnknown, isObject, reveal, secret, type Props, type Value } from "../../values.js";
import type { Call, Diff, Made } from "../provider.js";
import type { Daemon } from "./client.js";
import { BuildContext } from "./context.js";
import { text, textMap } from "./read.js";

const ARGUMENTS = new Set(["imageName", "skipPush", "build", "buildOnPreview"]);
const BUILD = new Set(["context", "dockerfile", "args", "platform", "builderVersion", "target"]);
const LOG_LINES = 20;

/** Fills in an image's defaults and the digest of what it is built from. */
export async function checkImage(call: Call, directory: string, news: Props): Promise<Props> {
  for (const key of Object.keys(news)) if (!ARGUMENTS.has(key)) refuse(`the argument '${key}' of docker.Image`);
  if (news.skipPush !== true) refuse("docker.Image without skipPush: true");
  if (news.buildOnPreview === true) refuse("the argument 'buildOnPreview' of docker.Image");
  const wanted = news.build ?? {};
  if (!isObject(wanted)) return { ...news, buildOnPreview: false };
  for (const key of Object.keys(wanted)) if (!BUILD.has(key)) refuse(`the argument 'build.${key}' of docker.Image`);
  const build: Props = { ...wanted };
  build.context ??= ".";
  build.dockerfile ??= join(asText(build.context), "Dockerfile");
  if (!hasUnknown(build.context) && !hasUnknown(build.dockerfile)) {
    build.contextDigest = await buildContext(directory, build).digest();
  }
  if (build.platform === undefined) {
    build.platform = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
    call.report("info", `Building your image for ${build.platform} architecture.\nTo ensure you are building for the correct platform, consider explicitly setting the \`platform\` field on ImageBuildOptions.`);
  }
  return { ...news, build, buildOnPreview: false };
}

function buildContext(directory: string, build: Props): BuildContext {
  const dockerfile = resolve(directory, asText(build.dockerfile));
  if (!existsSync(dockerfile)) fail(`could not open dockerfile at relative path "${asText(build.dockerfile)}"`);
  return new BuildContext(resolve(directory, asText(build.context)), dockerfile);
}

/** Compares an image with the arguments it was built from last. */
export function diffImage(outputs: Props, news: Props): Diff {
  const built = reveal(outputs.__inputs ?? {});
  const keys = changedKeys(isObject(built) ? built : {}, news);
  return { changed: keys.length > 0, keys, replaceKeys: [], deleteBeforeReplace: false };
}

/** Builds an image with the daemon's classic builder. */
export async function buildImage(daemon: Daemon, call: Call, directory: string, inputs: Props): Promise<Made> {
  const client = await daemon.client();
  const build = (inputs.build ?? {}) as Props;
  const name = asText(inputs.imageName);
  const context = buildContext(directory, build);
  const { stream, dockerfile } = await context.tar();
  call.report("status", "Starting Docker build");
  const target = text(build, "target");
  const log = await client.buildImage(stream, {
    t: name,
    dockerfile,
    buildargs: textMap(build, "args"),
    platform: text(build, "platform"),
    // Containers of intermediate steps are of no use afterwards.
    rm: true,
    forcerm: true,
    ...(target === undefined ? {} : { target }),
  });
  await follow(log, call);
  const { Id: id } = await client.getImage(name).inspect();
  call.report("status", `Image built successfully, local id "${id}"`);
  return { id: name, outputs: imageOutputs(inputs, context.dockerfile, id) };
}

function imageOutputs(inputs: Props, dockerfile: string, id: string): Props {
  const build = (inputs.build ?? {}) as Props;
  const outputs: Record<string, Value | undefined> = {
    __inputs: secret(inputs),
    baseImageName: inputs.imageName,
    context: build.context,
    dockerfile,
    imageName: inputs.imageName,
    platform: build.platform,
    registryServer: "",
    repoDigest: id,
  };
  return Object.fromEntries(Object.entries(outputs).filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

interface BuildMessage {
  stream?: string;
  status?: string;
  error?: string;
}

/** Reports the build's log line by line, and fails with its end when the build fails. */
async function follow(log: NodeJS.ReadableStream, call: Call): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: Readable.from(log) })) {
    if (line.trim() === "") continue;
    const message = JSON.parse(line) as BuildMessage;
    const said = (message.stream ?? message.status ?? "").trim();
    if (said !== "") {
      call.report("status", said);
      lines.push(said);
    }
    if (message.error === undefined) continue;
    fail(`error reading build output: ${message.error}\n${lines.slice(-LOG_LINES).join("\n")}`);
  }
}
