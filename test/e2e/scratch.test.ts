import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { BackupWorld, QDRANT_IMAGE, randomPoints } from "../support/backup.js";
import { dockerAnswers } from "../support/docker.js";
import { fromSeed } from "../support/random.js";

/**
 * As the official image (1.19.0) starts Qdrant: process 1 is a bash, whose `wait` returns at the SIGTERM that it passes on; it ends then, and the
 * kernel kills the server. A server that was ended gracefully leaves a mark here.
 */
const IMAGE = (image: string): string => `FROM ${image}
RUN printf '%s\\n' '#!/bin/bash' '_term() { kill -TERM "$SERVER"; }' 'trap _term TERM' '(trap "kill -TERM \\$CHILD; wait \\$CHILD; sleep 2; touch /qdrant/storage/graceful; exit 0" TERM; python /opt/pbjrag-qdrant/server.py & CHILD=$!; wait $CHILD) &' 'SERVER=$!' 'wait "$SERVER"' >/start.sh
CMD ["bash", "/start.sh"]
`;

describe("e2e: a scratch Qdrant whose first process is a shell", function () {
  this.timeout(900_000);
  let world: BackupWorld;
  let image = "";

  before(async function () {
    if (!(await dockerAnswers())) this.skip();
    world = new BackupWorld();
    image = `pbjrag-${world.stack}:shell`;
    execFileSync("docker", ["build", "-q", "-t", image, "--label", `pbjrag.stack=${world.stack}`, "-"], { input: IMAGE(QDRANT_IMAGE), env: { ...process.env, DOCKER_BUILDKIT: "0" } });
  });
  after(() => world.dispose());

  it("is ended gracefully before it is archived", async () => {
    const qdrant = await world.startQdrant(world.qdrantVolume, world.container, image);
    await qdrant.create("a", { size: 4, distance: "Dot" });
    await qdrant.upsert("a", randomPoints(fromSeed(1), 20, 4));
    const ended = await world.run({ deadlineMs: 600_000 });
    assert.equal(ended.exitCode, 0, ended.all);
    assert.doesNotMatch(ended.all, /was killed rather than ended/);
    const names = execFileSync("tar", ["tzf", `${world.backups}/${ended.outcome?.backup}/qdrant-data.tar.gz`], { encoding: "utf8" });
    assert.match(names, /^\.\/graceful$/m);
  });
});
