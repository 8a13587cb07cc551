/** What keeps a release from the data that it is to run on, judged from facts. Pure: facts.ts collects them. */
import { versionOfImage, versionProblem } from "../qdrant/version.js";
import { knownGeneration } from "./generation.js";
import type { Plan, Problem, ReleaseRecord, Storage } from "./model.js";
import { FIRST_GENERATION, type StackNames } from "./names.js";
import { OWN_GENERATION } from "./qdrant-change.js";
import type { VolumeFact } from "./rules.js";

/** A backup as a glance at it tells: it is verified whole before anything is made of it. */
export interface BackupFact {
  name: string;
  /** Why it is none, as a clause; "" where it is one. */
  problem: string;
  /** What to do about the problem, as a clause; absent: name another. */
  next?: string;
  /** Tag of the release whose data it holds. */
  of: string;
  /** Of the Qdrant that wrote it; "" without Qdrant data. */
  qdrantVersion: string;
  /** Bytes that it unpacks to. */
  unpacked: number;
}

export interface GenerationFacts {
  names: Pick<StackNames, "qdrantVolume" | "uploadsVolume">;
  volumes: readonly VolumeFact[];
  /** The one that a generation is to be made from; null where none is named. */
  backup: BackupFact | null;
}

/** Data that was left is taken up as it was left, and must still be there; new data must have a backup to be made from. */
export function generationProblems(plan: Plan, ledger: readonly ReleaseRecord[], facts: GenerationFacts): Problem[] {
  const { serving, restore, step } = plan;
  if (step === "unchanged") {
    return [];
  }
  if (restore !== null) {
    return newProblems(plan, ledger, facts.backup);
  }
  const leaves = ledger.at(-1)?.generation ?? FIRST_GENERATION;
  if (serving.generation === leaves) {
    return [];
  }
  const gone = volumeNames(facts.names, serving.storage).filter((name) => facts.volumes.every((volume) => volume.name !== name || volume.owner === null));
  return gone.map((name) => ({
    subject: "pbjrag:data.generation",
    what: `the data of generation ${serving.generation} is gone: there is no volume ${name}`,
    next: "make a generation from a backup: scripts/restore.sh",
  }));
}

function newProblems({ serving, restore }: Plan, ledger: readonly ReleaseRecord[], backup: BackupFact | null): Problem[] {
  if (restore === null || restore.from === null) {
    return [];
  }
  if (restore.from === "") {
    const known = generationsOf(ledger).join(", ");
    return [{
      subject: "pbjrag:data.generation",
      what: `no release has run on the data generation ${restore.generation}`,
      next: `name one that a release has run on (${known === "" ? "none has yet" : known}), or a backup to make it from: pulumi config set --path pbjrag:data.restoreFrom NAME`,
    }];
  }
  if (OWN_GENERATION.test(restore.generation)) {
    return [{ subject: "pbjrag:data.generation", what: `${restore.generation} is such a name as a change of Qdrant gives`, next: "choose another" }];
  }
  const report = (what: string, next: string): Problem[] => [{ subject: "pbjrag:data.restoreFrom", what, next }];
  if (backup === null || backup.problem !== "") {
    return report(`backup ${restore.from} cannot be used: ${backup?.problem ?? "it was not found"}`, backup?.next ?? "name another: scripts/status.sh lists the newest");
  }
  const [wrote, runs] = [backup.qdrantVersion, versionOfImage(serving.settings.qdrant.image)];
  const problem = wrote === "" || runs === null || !restore.parts.includes("qdrant") ? null : versionProblem(wrote, runs);
  return problem === null ? [] : report(`backup ${restore.from}: ${problem}`, `restore it with the release that it was made of: scripts/rollback.sh ${backup.of} --with-data=${restore.from}`);
}

/** Both parts' volumes. */
export function volumeNames(names: Pick<StackNames, "qdrantVolume" | "uploadsVolume">, { qdrant, uploads }: Storage): string[] {
  return [names.qdrantVolume(qdrant), names.uploadsVolume(uploads)];
}

/** In the order in which they were first used. */
export function generationsOf(ledger: readonly ReleaseRecord[]): string[] {
  return [...new Set(ledger.map(({ generation }) => generation))];
}

/** In words, which data a release goes to; nothing where it stays. */
export function dataNotices({ serving, step, restore }: Plan, ledger: readonly ReleaseRecord[]): string[] {
  const last = ledger.at(-1);
  if (step === "unchanged") {
    return [];
  }
  const stays = last === undefined ? "" : `; generation ${last.generation} stays as it is and can be gone back to`;
  if (restore !== null) {
    const parts = restore.parts.length === 2 ? "DATA" : restore.parts[0] === "qdrant" ? "DATA of Qdrant" : "UPLOADS";
    return [`${parts} from ${restore.from === null ? "the backup that this update takes" : `backup ${restore.from}`}, as generation ${serving.generation}${stays}`];
  }
  const left = knownGeneration(ledger, serving.generation);
  return last === undefined || left === undefined || last.generation === serving.generation ? [] : [`DATA as ${left.tag} left it: generation ${serving.generation}${stays}`];
}
