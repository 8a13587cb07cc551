import { generationOf, type TrafficRevision, type TrafficTable } from "../../components/traffic/model.js";

/** The former release, if it is what is asked for. A plain rollback keeps the data, and the former may run on other data. Pure. */
export function warmTarget({ former, serving, rollbackTo }: TrafficTable, tag: string | undefined): TrafficRevision | null {
  if (serving === null || former === null || generationOf(former) !== generationOf(serving)) return null;
  return (tag === undefined ? rollbackTo === former.revision : former.tag === tag) ? former : null;
}
