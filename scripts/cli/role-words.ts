import { LABEL } from "../../components/runtime/labels.js";
import type { TrafficTable } from "../../components/traffic/model.js";

/**
 * What a container of the stack is there for, in a word or two: the proxy's table decides for the app's. Pure.
 *
 * @param labels of the container
 * @param table null: the proxy has none
 */
export function roleWords(labels: Readonly<Record<string, string>>, table: Pick<TrafficTable, "serving" | "former" | "canary"> | null): string {
  const role = labels[LABEL.role] ?? "";
  if (role === "qdrant") return `Qdrant, data ${labels[LABEL.generation] ?? ""}`.trimEnd();
  if (role !== "app") return role;
  const revision = labels[LABEL.revision];
  if (table?.serving?.revision === revision) return "serves";
  if (table?.canary?.revision.revision === revision) return "canary";
  return table?.former?.revision === revision ? "kept warm" : "no users";
}
