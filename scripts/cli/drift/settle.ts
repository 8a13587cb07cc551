import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { dockerCall } from "../../../components/runtime/docker.js";
import { EXIT, ReleaseError } from "../../../components/runtime/errors.js";
import { readPresent, type Present } from "../present.js";
import type { Run } from "../run.js";
import { findDrift, inASentence } from "./drift.js";
import { editState } from "./edit.js";
import type { Drift } from "./judge.js";

/**
 * Before a command changes a stack: what somebody else did to it is taken over, or refused with what to do. Nothing that users are served
 * by is stopped or removed; only Pulumi's state, and the name of a container that was renamed, are changed.
 *
 * @param data as for {@link refusing}
 * @returns the state after that
 * @throws ReleaseError `drifted`
 */
export async function settleDrift(run: Run, present: Present, data: "kept" | "replaced"): Promise<Present> {
  const drifts = await findDrift(run.ws, present);
  if (drifts.length === 0) return present;
  const refused = refusing(drifts, data);
  if (refused.length > 0) throw drifted(run.ws.stack, refused);
  for (const drift of drifts) run.say(inASentence({ ...drift, next: null }));
  run.journal.write({ phase: "recover", event: "info", message: drifts.map((drift) => drift.what).join("; "), data: { drift: drifts.map(({ object, how }) => `${object.name}: ${how}`) } });
  for (const { how, object, found } of drifts) {
    if (how !== "renamed" || found === null) continue;
    run.assertHolds();
    await dockerCall(`rename container ${found.name} to ${object.name}`, (client) => client.getContainer(found.id).rename({ name: object.name }));
  }
  const edit = {
    adopted: drifts.flatMap(({ object, found }) => (found === null || found.id === object.id ? [] : [{ urn: object.urn, from: object.id, to: found.id }])),
    forgotten: drifts.flatMap(({ object, found }) => (found === null ? [object.urn] : [])),
  };
  if (edit.adopted.length + edit.forgotten.length === 0) return present;
  await importEdited(run, editState(present.exported, edit));
  return readPresent(run.engine, run.ws);
}

/**
 * Those that a person must see to before anything is changed. Pure.
 * @param data `replaced`: the command moves to other data without a backup of the present, so that data that is gone is no reason
 */
export function refusing(drifts: readonly Drift[], data: "kept" | "replaced"): Drift[] {
  return drifts.filter(({ object, next }) => next !== null && !(data === "replaced" && object.kind === "volume"));
}

async function importEdited(run: Run, state: string): Promise<void> {
  const file = path.join(run.ws.paths.run, `state-${randomBytes(4).toString("hex")}.json`);
  run.assertHolds();
  try {
    writeFileSync(file, state, { mode: 0o600 });
    await run.engine.importState(file);
  } finally {
    rmSync(file, { force: true });
  }
}

/** @param drifts at least one, each with what to do */
export function drifted(stack: string, drifts: readonly Drift[]): ReleaseError {
  const [first, ...others] = drifts;
  const what = `Stack ${stack} is not as it was left, nothing was touched`;
  if (first !== undefined && others.length === 0) return new ReleaseError({ code: "drifted", exitCode: EXIT.refused, what, why: first.what, next: first.next ?? "run again" });
  return new ReleaseError({
    code: "drifted", exitCode: EXIT.refused, what, why: `${drifts.length} things were changed by somebody else`,
    next: "do what is listed above for each, then run again", lines: drifts.map(inASentence),
  });
}
