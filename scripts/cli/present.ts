import { parseLedger } from "../../components/release/ledger.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { Engine, NO_STATE, type StackState } from "./engine.js";
import { stateLost } from "./state-copy.js";
import type { Workspace } from "./workspace.js";

/** The stack's state with its ledger understood. */
export interface Present extends StackState {
  ledger: ReleaseRecord[];
}

/**
 * Reads state and ledger in one go.
 *
 * @throws ReleaseError `stateLost` when the ledger in the state is not of a form we know
 */
export async function readPresent(engine: Engine, ws: Workspace): Promise<Present> {
  const state = await engine.state();
  const parsed = parseLedger(state.outputs["releases"]);
  if ("problems" in parsed) {
    throw stateLost(ws, parsed.problems.map((p) => p.what).join("; "));
  }
  return { ...state, ledger: parsed.ledger };
}

/** The same for who only looks: that makes no stack. @throws ReleaseError `stateLost` */
export async function lookAtPresent(ws: Workspace): Promise<Present> {
  const engine = new Engine(ws, {}, null);
  return (await engine.hasStack()) ? readPresent(engine, ws) : { ...NO_STATE, ledger: [] };
}
