import { existsSync } from "node:fs";
import path from "node:path";
import type { ReleaseRecord } from "../../components/release/model.js";
import { dockerCallOrNull } from "../../components/runtime/docker.js";
import type { DataPaths } from "../../components/runtime/paths.js";

/** For a person: what was released here, newest first, and what of each is still there. */
export async function describeReleases(paths: DataPaths, ledger: readonly ReleaseRecord[]): Promise<string[]> {
  return Promise.all([...ledger].reverse().map((record) => describe(paths, record)));
}

async function describe(paths: DataPaths, record: ReleaseRecord): Promise<string> {
  const image = await dockerCallOrNull(`inspect image ${record.imageId}`, (client) => client.getImage(record.imageId).inspect());
  const backup = record.backup === "" ? "none was made" : existsSync(path.join(paths.backups, record.backup)) ? record.backup : `${record.backup} is gone`;
  const abandoned = record.outcome === "abandoned" ? ", abandoned by a rollback" : "";
  return `#${record.seq} ${record.tag} (${record.revision}) of ${record.switchedAt}${abandoned}: image ${image === null ? "gone, would be rebuilt" : "there"}, settings recorded, backup before it ${backup}`;
}

/** That the present release runs as another image than an earlier one of its commit did, or "". Pure. @param ledger oldest first */
export function imageWords(ledger: readonly Pick<ReleaseRecord, "commit" | "imageId" | "settings">[]): string {
  const present = ledger.at(-1);
  const dockerfile = present?.settings.app.dockerfile;
  const before = ledger.slice(0, -1).findLast(({ commit, settings }) => commit === present?.commit && settings.app.dockerfile === dockerfile);
  if (present === undefined || before === undefined || before.imageId === present.imageId) return "";
  return `, as an image that was built again: ${before.imageId.slice(0, 19)} is gone, ${present.imageId.slice(0, 19)} runs`;
}
