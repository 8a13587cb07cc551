import type { Known, Target } from "../../../components/checklist/staging.js";
import type { Traffic } from "../../../components/metrics/traffic.js";
import { cursorAt, readTraffic } from "../../../components/metrics/traffic-log.js";
import type { ReleaseRecord } from "../../../components/release/model.js";
import { dockerCallOrNull } from "../../../components/runtime/docker.js";
import { messageOf, ReleaseError } from "../../../components/runtime/errors.js";
import { lookAtPresent } from "../present.js";
import { openWorkspace } from "../workspace.js";

/** Milliseconds of staging's traffic that are judged. */
const LOOKED_MS = 3_600_000;

/** What the stack before production tells of a tag. */
export interface Staging {
  ledger: readonly Known[] | { why: string };
  /** Commits that the tag led to when it was released there. */
  before: { commit: string; where: string }[];
  /** The image that was made there, by its name on this machine; null: none is here. */
  image: string | null;
  traffic: Traffic | { why: string };
}

/** Whatever cannot be seen from here is told as such: staging may be another machine's. */
export async function lookAtStaging(projectDir: string, stack: string, target: Target): Promise<Staging> {
  const records = await releasesOf(projectDir, stack);
  if ("why" in records) return { ledger: records, before: [], image: null, traffic: { why: `stack ${stack} cannot be looked at from here: ${records.why}` } };
  const own = records.filter(({ tag }) => tag === target.tag);
  const last = own.findLast(({ commit }) => commit === target.commit);
  return {
    ledger: records,
    before: own.slice(-1).map(({ commit }) => ({ commit, where: `when ${stack} released it` })),
    image: last === undefined ? null : await imageHere(last),
    traffic: last === undefined ? { why: `${target.tag} was not released on ${stack}` } : await trafficOf(stack, last.revision),
  };
}

async function releasesOf(projectDir: string, stack: string): Promise<readonly ReleaseRecord[] | { why: string }> {
  try {
    return (await lookAtPresent(openWorkspace(projectDir, stack))).ledger;
  } catch (error) {
    return { why: error instanceof ReleaseError ? `${error.what}: ${error.why}` : messageOf(error) };
  }
}

async function imageHere({ imageName, imageId }: Pick<ReleaseRecord, "imageName" | "imageId">): Promise<string | null> {
  for (const name of [imageName, imageId]) {
    const found = await dockerCallOrNull(`look for image ${name}`, (client) => client.getImage(name).inspect()).catch(() => null);
    if (found !== null) return name;
  }
  return null;
}

async function trafficOf(stack: string, revision: string): Promise<Traffic | { why: string }> {
  try {
    const { traffic } = await readTraffic(stack, cursorAt(Date.now() - LOOKED_MS));
    return traffic[revision] ?? { why: `staging had no request for ${revision} in the last hour` };
  } catch (error) {
    return { why: `staging's traffic cannot be read here: ${messageOf(error)}` };
  }
}
