import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { mustRun } from "./processes.js";

const DOCKERFILE = `FROM python:3.11-slim
COPY qdrant entrypoint.sh /qdrant/
WORKDIR /qdrant
EXPOSE 6333
CMD ["./entrypoint.sh"]
`;
/** As in the official image, a shell is PID 1 and passes signals on. */
const ENTRYPOINT = `#!/usr/bin/env bash
trap 'kill -TERM "$server" 2>/dev/null' TERM
./qdrant "$@" &
server=$!
wait "$server"
exit $?
`;

/**
 * The images that the contract is run on: the one of this project's tests always, which is the stand-in where no registry can be reached, and
 * Qdrant itself elsewhere; a real server besides it as `PBJRAG_QDRANT_IMAGE` (names whose tags are their versions, with spaces between) or `PBJRAG_QDRANT_BIN` (a program
 * that runs on Debian 12, made into an image here).
 */
export async function contractImages(): Promise<string[]> {
  const { PBJRAG_QDRANT_IMAGE: image, PBJRAG_QDRANT_BIN: program } = process.env;
  const built = program === undefined || program === "" ? [] : [await imageOf(program)];
  return [...new Set(["qdrant/qdrant:v1.19.0", ...(image ?? "").split(" ").filter((name) => name !== ""), ...built])];
}

async function imageOf(program: string): Promise<string> {
  const { stdout } = await mustRun(program, ["--version"], { cwd: tmpdir() });
  const image = `pbjrag-test/qdrant:v${/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "0.0.0"}`;
  const directory = mkdtempSync(path.join(tmpdir(), "qdrant-image-"));
  try {
    copyFileSync(program, path.join(directory, "qdrant"));
    writeFileSync(path.join(directory, "entrypoint.sh"), ENTRYPOINT, { mode: 0o755 });
    writeFileSync(path.join(directory, "Dockerfile"), DOCKERFILE);
    await mustRun("docker", ["build", "-q", "-t", image, directory], { cwd: directory, env: { DOCKER_BUILDKIT: "0" } });
  } finally {
    rmSync(directory, { recursive: true });
  }
  return image;
}
