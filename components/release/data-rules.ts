/** What keeps a release from the data that it is to run on, judged from facts. Pure: facts.ts collects them. */
import { knownGeneration } from "./generation.js";
import type { Plan, Problem, ReleaseRecord, Storage } from "./model.js";
import type { StackNames } from "./names.js";
import type { VolumeFact } from "./rules.js";

/** Data that was left is taken up as it was left: it must still be there. */
export function generationProblems(plan: Plan, ledger: readonly ReleaseRecord[], names: StackNames, volumes: readonly VolumeFact[]): Problem[] {
  const { serving, restore } = plan;
  if (restore !== null) {
    const known = generationsOf(ledger).join(", ");
    const next = `name one that a release here has run on (${known === "" ? "none has yet" : known})`;
    return [{ subject: "pbjrag:data.generation", what: `no release has run on the data generation ${restore.generation}`, next }];
  }
  const leaves = ledger.at(-1)?.generation ?? serving.generation;
  if (serving.generation === leaves) {
    return [];
  }
  const gone = volumeNames(names, serving.storage).filter((name) => volumes.every((volume) => volume.name !== name || volume.owner === null));
  const { backup } = knownGeneration(ledger, serving.generation) ?? { backup: "" };
  return gone.map((name) => ({
    subject: "pbjrag:data.generation",
    what: `the data of generation ${serving.generation} is gone: there is no volume ${name}`,
    next: `make a generation from a backup${backup === "" ? "" : ` (${backup} was made before it was used last)`}: scripts/restore.sh`,
  }));
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
export function dataNotices({ serving, step }: Plan, ledger: readonly ReleaseRecord[]): string[] {
  const last = ledger.at(-1);
  if (step === "unchanged" || last === undefined || last.generation === serving.generation) {
    return [];
  }
  const left = knownGeneration(ledger, serving.generation);
  return left === undefined ? [] : [`DATA as ${left.tag} left it: generation ${serving.generation} instead of ${last.generation}, which stays as it is and can be gone back to`];
}
