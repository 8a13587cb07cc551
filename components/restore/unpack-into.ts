import { rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import type { Leftovers } from "../backup/context.js";
import { makePipe, PIPES } from "../backup/pipe.js";
import { untarInto } from "../backup/volume-untar.js";
import type { Context } from "../runtime/task.js";
import { Helper } from "./helper.js";
import type { RestoreRequest } from "./model.js";

/**
 * Unpacks a tar into the volume of a part, with holes where it has zeros: by a tar beside the volume, which needs no more room than that. Where that is not
 * to be had (an image without GNU tar, a Docker that does not see this host's files), Docker unpacks it with all zeros, which become holes afterwards.
 * @param helper has the volume mounted
 */
export async function unpackInto(
  request: RestoreRequest, context: Context, helper: Helper, part: "qdrant" | "uploads", tar: Readable, signal: AbortSignal, leftovers: Leftovers,
): Promise<void> {
  const volumes = { [part]: request.volumes[part] };
  const directory = path.join(context.paths.run, `${PIPES}${context.token}-${part}`);
  leftovers.add(directory, () => rm(directory, { recursive: true, force: true }));
  const pipe = await makePipe(directory);
  const unpacker = pipe === null ? null : await Helper.create(request, context, "unpack", volumes, leftovers, pipe).catch(() => null);
  if (pipe !== null && unpacker !== null && (await untarInto(pipe, unpacker.runner, tar, signal))) return;
  await helper.unpack(part, tar, signal);
  const digger = await Helper.create(request, context, "dig", volumes, leftovers);
  await digger.run(context.remaining());
  await digger.runner.remove();
}
