import path from "node:path";
import type { ReleaseRecord } from "../../../components/release/model.js";
import { EXIT, messageOf } from "../../../components/runtime/errors.js";
import { countOf } from "../backups/words.js";
import type { Outcome } from "../outcome.js";
import { print, printError, printJson } from "../output.js";
import { lookAtPresent } from "../present.js";
import { pageBeside, storedReceipts } from "../receipt/store.js";
import type { Workspace } from "../workspace.js";
import { entriesOf, linesOf } from "./entries.js";

/** Newest first. Reads only, and lists the receipts also where Pulumi's state cannot be read. */
export async function history(ws: Workspace, { limit, json }: { limit: number; json: boolean }): Promise<Outcome> {
  const { ledger, problem } = await ledgerOf(ws);
  const all = entriesOf(storedReceipts(ws.paths), ledger);
  const entries = all.slice(0, limit);
  const shown = (receipt: string): string => path.relative(ws.projectDir, pageBeside(receipt));
  const lines = [
    `stack ${ws.stack}: ${all.length === 0 ? "nothing was released yet" : countOf(all.length, "run")}${entries.length < all.length ? `, the newest ${entries.length} of them` : ""}${entries.some(({ serves }) => serves) ? "; * serves" : ""}`,
    ...(entries.length === 0 ? [] : linesOf(entries, shown, Date.now())),
    ...(problem === "" ? [] : [`what serves, and what has no receipt, is not known: ${problem}`]),
  ];
  if (json) printJson(entries);
  else print(lines);
  if (json && problem !== "") printError([lines.at(-1) ?? ""]);
  return { exitCode: EXIT.done, summary: "", next: "" };
}

async function ledgerOf(ws: Workspace): Promise<{ ledger: ReleaseRecord[]; problem: string }> {
  try {
    return { ledger: (await lookAtPresent(ws)).ledger, problem: "" };
  } catch (error) {
    return { ledger: [], problem: messageOf(error) };
  }
}
