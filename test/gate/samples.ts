/** Samples for the gate's tests: all is well unless it is said otherwise. */
import type { CollectionSample, ContainerSample, ContainerState, GateSpec, HttpSample, QdrantSample, Sample } from "../../components/gate/model.js";

export const SPEC: GateSpec = { passes: 3, deadlineMs: 120_000, healthPath: "/_stcore/health", before: { docs: 10 } };

export function state(change: Partial<ContainerState> = {}): ContainerState {
  return { id: "id", status: "running", exitCode: 0, oomKilled: false, restartCount: 0, startedAt: "2030-01-01T00:00:00Z", upMs: 1000, error: "", ...change };
}

export function http(probe: "health" | "script" | "page", change: Partial<HttpSample> = {}): HttpSample {
  const path = { health: "/_stcore/health", script: "/_stcore/script-health-check", page: "/" }[probe];
  return { probe, path, status: 200, body: probe === "page" ? "<html>" : "ok", ms: 5, error: "", ...change };
}

export function container(change: Partial<ContainerSample> = {}): ContainerSample {
  return { name: "app-1", state: state(), http: [http("health"), http("script"), http("page")], ...change };
}

export function collection(change: Partial<CollectionSample> = {}): CollectionSample {
  return { name: "docs", status: "green", count: 10, error: "", ...change };
}

export function qdrant(change: Partial<QdrantSample> = {}): QdrantSample {
  return { container: "q", state: state(), error: "", version: "1.19.0", collections: [collection()], ...change };
}

export function sample(change: Partial<Sample> = {}): Sample {
  return { at: 0, containers: [container()], qdrant: qdrant(), ...change };
}
