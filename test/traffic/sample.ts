import type { TrafficRevision, TrafficTable } from "../../components/traffic/model.js";

export const KEY = "0123456789abcdef".repeat(4);

export function revision(stack: string, name: string, replicas = 2): TrafficRevision {
  return {
    revision: name,
    tag: name.slice(0, 6),
    containers: Array.from({ length: replicas }, (_, at) => `pbjrag-${stack}-app-${name}-${at + 1}`),
    port: 8501,
    healthPath: "/_stcore/health",
  };
}

export function table(parts: Partial<TrafficTable> = {}): TrafficTable {
  return {
    schema: 1,
    stack: "dev",
    seq: 2,
    serving: revision("dev", "v3.0.0-aaaaaaaa"),
    former: revision("dev", "v2.9.0-bbbbbbbb"),
    abandoned: false,
    rollbackTo: "v2.9.0-bbbbbbbb",
    ...parts,
  };
}
