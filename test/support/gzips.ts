import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { Gzip } from "../../components/backup/gzip.js";

/** An `igzip` that is a shell script, alone on a PATH in a directory. */
export async function scriptedGzip(root: string, script: string): Promise<Gzip> {
  const bin = path.join(root, "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(path.join(bin, "igzip"), `#!/bin/sh\n${script}\n`);
  await chmod(path.join(bin, "igzip"), 0o755);
  return Gzip.find({ PATH: `/nowhere:${bin}` });
}

/** Each kind of gzip that a machine can have; a script needs a directory. */
export const GZIPS: readonly (readonly [what: string, find: (root: string) => Promise<Gzip>])[] = [
  ["zlib", () => Gzip.find({ PATH: "" })],
  ["a child", (root) => scriptedGzip(root, 'exec /bin/gzip "$@"')],
  ["what this machine has", () => Gzip.find()],
];
