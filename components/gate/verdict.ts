/** The gate's judgement: a pure function of what was seen, with its reason in words. */
import { loopbackFault, uploadsFault } from "./inside-verdict.js";
import type { CollectionSample, ContainerSample, ContainerState, GateSpec, HttpSample, QdrantSample, Sample, Verdict } from "./model.js";

interface Finding {
  /** The same fault in the next round has the same key. */
  key: string;
  reason: string;
  container?: string;
  /** From when on it is definite: seen in so many rounds in a row, over so many milliseconds. Null: at the deadline only. */
  definite: { rounds: number; ms: number } | null;
}

const AT_ONCE = { rounds: 1, ms: 0 };
/** A script that raises every time for so many milliseconds, with everything around it well, will not recover. */
const SCRIPT_PATIENCE_MS = 20_000;
/** A container that Docker restarted and that runs for less than this many milliseconds is in a crash loop. */
export const RECENT_MS = 60_000;

/**
 * @param samples all rounds so far, oldest first
 * @param elapsedMs since the gate began
 */
export function judge(spec: GateSpec, samples: readonly Sample[], elapsedMs: number): Verdict {
  const rounds = samples.map((sample) => findings(spec, sample, samples[0] ?? sample));
  const last = rounds.at(-1) ?? [];
  const definite = last.find((finding) => isDefinite(finding, samples, rounds));
  if (definite !== undefined) {
    return failing(definite.reason, definite.container);
  }
  const inARow = passesInARow(rounds);
  if (inARow >= spec.passes) {
    return { verdict: "pass" };
  }
  const [worst] = last;
  const others = last.length > 1 ? ` (and ${last.length - 1} more)` : "";
  const reason = worst === undefined ? `${inARow} of ${spec.passes} rounds in a row have passed` : `${worst.reason}${others}`;
  if (elapsedMs >= spec.deadlineMs) {
    return failing(`${reason}, after ${seconds(elapsedMs)}`, worst?.container);
  }
  return { verdict: "continue", reason, ...(worst?.container === undefined ? {} : { container: worst.container }) };
}

/** How many rounds at the end had nothing wrong. */
function passesInARow(rounds: readonly (readonly unknown[])[]): number {
  const lastBad = rounds.findLastIndex((round) => round.length > 0);
  return rounds.length - 1 - lastBad;
}

function failing(reason: string, container: string | undefined): Verdict {
  return { verdict: "fail", reason, ...(container === undefined ? {} : { container }) };
}

function isDefinite(finding: Finding, samples: readonly Sample[], rounds: readonly Finding[][]): boolean {
  if (finding.definite === null) {
    return false;
  }
  const without = rounds.findLastIndex((round) => !round.some((other) => other.key === finding.key && other.definite !== null));
  const since = samples[without + 1];
  const now = samples.at(-1);
  return since !== undefined && now !== undefined && rounds.length - 1 - without >= finding.definite.rounds && now.at - since.at >= finding.definite.ms;
}

/** What is wrong in one round, the weightiest first. */
function findings(spec: GateSpec, sample: Sample, first: Sample): Finding[] {
  const states = sample.containers.flatMap((container) => stateFindings(container, first.containers.find((c) => c.name === container.name)));
  const store = sample.qdrant === null ? [] : qdrantFindings(spec, sample.qdrant, first.qdrant);
  // A script may well raise while the vector store is not there yet: that alone is no proof against it.
  const answers = sample.containers
    .filter((container) => !states.some((finding) => finding.container === container.name))
    .flatMap((container) => container.http.flatMap((http) => httpFindings(spec, container, http, store.length === 0)));
  const insides = sample.containers.flatMap((container) => insideFindings(spec, container));
  return [...states, ...insides, ...store, ...answers];
}

function insideFindings(spec: GateSpec, container: ContainerSample): Finding[] {
  const about = (what: string, reason: string, definite: Finding["definite"]): Finding => ({
    key: `${what} ${container.name}`, reason: `container ${container.name} ${reason}`, container: container.name, definite,
  });
  const unheard = loopbackFault(container);
  const uploads = uploadsFault(container);
  return [
    // An app may listen on more addresses in a moment: it must stay so for some rounds.
    ...(unheard === null ? [] : [about("listens", unheard, { rounds: Math.max(3, spec.passes), ms: 3000 })]),
    ...(uploads === null ? [] : [about("uploads", uploads, AT_ONCE)]),
  ];
}

function stateFindings({ name, state }: ContainerSample, first: ContainerSample | undefined): Finding[] {
  const finding = (reason: string, definite: Finding["definite"]): Finding[] => [{ key: `state ${name}`, reason: `container ${name} ${reason}`, container: name, definite }];
  if (state === null) {
    return finding("is not there", AT_ONCE);
  }
  if (state.oomKilled) {
    return finding("ran out of memory: the kernel killed a process in it (OOMKilled)", AT_ONCE);
  }
  const down = downReason(state);
  if (down !== null) {
    return finding(down, AT_ONCE);
  }
  const restarted = restartReason(state, first?.state ?? null);
  if (restarted !== null) {
    return finding(restarted, AT_ONCE);
  }
  if (state.restartCount > 0 && state.upMs >= 0 && state.upMs < RECENT_MS) {
    return finding(`crashes again and again: Docker restarted it ${times(state.restartCount)}`, AT_ONCE);
  }
  return state.status === "running" ? [] : finding(`does not run (${state.status})`, null);
}

/** Null: it runs, or may run in a moment. */
export function downReason(state: ContainerState): string | null {
  if (["exited", "dead", "removing"].includes(state.status)) {
    return `has ended with exit code ${state.exitCode}`;
  }
  if (state.status === "restarting") {
    return `crashes again and again: its last exit code was ${state.exitCode}`;
  }
  return state.status === "created" && state.error !== "" ? `could not be started: ${state.error}` : null;
}

/** Null: it is as it was when it was looked at first. */
export function restartReason(state: ContainerState, first: ContainerState | null, when = "while the gate looked"): string | null {
  if (first === null) {
    return null;
  }
  if (state.id !== first.id) {
    return `was replaced by another one ${when}`;
  }
  const again = state.restartCount > first.restartCount || (first.status === "running" && state.startedAt !== first.startedAt);
  return again ? `was restarted ${when}` : null;
}

function qdrantFindings(spec: GateSpec, qdrant: QdrantSample, first: QdrantSample | null): Finding[] {
  const about = (key: string, reason: string, definite: Finding["definite"]): Finding => ({ key: `qdrant ${key}`, reason, definite });
  const who = `Qdrant (container ${qdrant.container})`;
  if (qdrant.state === null) {
    return [about("state", `${who} is not there`, AT_ONCE)];
  }
  const down = downReason(qdrant.state) ?? restartReason(qdrant.state, first?.state ?? null);
  if (down !== null) {
    return [about("state", `${who} ${down}`, AT_ONCE)];
  }
  if (qdrant.error !== "") {
    return [about("api", `${who} does not answer: ${qdrant.error}`, null)];
  }
  // Listed once is enough to be sure only where it stays so: the app may be about to make it anew.
  const settled = { rounds: Math.max(3, spec.passes), ms: 0 };
  const missing = Object.keys(spec.before)
    .filter((name) => !qdrant.collections.some((collection) => collection.name === name))
    .map((name) => about(`missing ${name}`, `collection ${name} is missing, it had ${points(spec.before[name] ?? 0)} before the release`, settled));
  const lacking = qdrant.collections.flatMap((collection) => {
    const fault = collectionFault(collection, spec.before[collection.name] ?? 0);
    return fault === null ? [] : [about(`collection ${collection.name}`, `collection ${collection.name} ${fault.reason}`, fault.settles ? settled : null)];
  });
  return [...missing, ...lacking];
}

/** `settles`: it does not mend by itself. */
function collectionFault(collection: CollectionSample, before: number): { reason: string; settles: boolean } | null {
  if (collection.error !== "" || collection.count === null) {
    return { reason: `cannot be counted: ${collection.error || "no count was given"}`, settles: false };
  }
  if (collection.status === "red") {
    return { reason: "has status red: Qdrant reports a failed optimisation or a damaged shard", settles: true };
  }
  // Grey is not ill: after a restart of Qdrant, optimisations wait for the first write, and reads and counts are right.
  if (!["green", "yellow", "grey"].includes(collection.status)) {
    return { reason: `has status ${collection.status || "unknown"}`, settles: false };
  }
  return collection.count === 0 && before > 0 ? { reason: `is empty, it had ${points(before)} before the release`, settles: true } : null;
}

function httpFindings(spec: GateSpec, container: ContainerSample, http: HttpSample, storeIsWell: boolean): Finding[] {
  const fault = httpFault(spec, http);
  if (fault === null) {
    return [];
  }
  const raises = http.probe === "script" && http.status !== null && http.body.trim() !== "timeout" && isUp(spec, container);
  const definite = raises && storeIsWell ? { rounds: spec.passes, ms: Math.min(SCRIPT_PATIENCE_MS, spec.deadlineMs / 4) } : null;
  return [{ key: `${http.probe} ${container.name}`, reason: `container ${container.name}: ${fault}`, container: container.name, definite }];
}

/** Its server answers: what the front door says in the stead of one that does not listen yet is not the script's word. */
function isUp(spec: GateSpec, container: ContainerSample): boolean {
  return container.http.some((http) => http.probe === "health" && httpFault(spec, http) === null);
}

/** Null: the answer is what it must be. */
export function httpFault(spec: Pick<GateSpec, "healthPath">, http: HttpSample): string | null {
  const asked = `GET ${http.path}`;
  if (http.status === null) {
    return `${asked} got no answer (${http.error})`;
  }
  // Streamlit's own paths say "ok"; where a path is unknown to it, some versions answer with the page instead.
  const mustSayOk = http.path.startsWith("/_stcore/");
  const well = http.status === 200 && (!mustSayOk || http.body.trim() === "ok");
  if (http.probe === "page") {
    const isStreamlit = spec.healthPath.startsWith("/_stcore/");
    return http.status === 200 || (!isStreamlit && http.status < 500) ? null : `${asked} answered ${http.status}`;
  }
  if (well) {
    return null;
  }
  if (http.status === 503 && /^\s*</.test(http.body)) {
    return `${asked} got no answer (the front door says 503: nothing listens there yet)`;
  }
  if (http.probe !== "script" || !mustSayOk) {
    return `${asked} answered ${http.status} ${excerpt(http.body)}`.trimEnd();
  }
  if (http.status === 200 || http.status === 404) {
    return `${asked} is not enabled in it (STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED=true)`;
  }
  // Streamlit's two words for it.
  switch (http.body.trim()) {
    case "error":
      return `its script raises an error (${asked} answered ${http.status})`;
    case "timeout":
      // After 60 s; 1.40.0 and 1.67.0 say so as well where the script calls sys.exit.
      return `its script did not end in time, or left by sys.exit (${asked} answered ${http.status})`;
    default:
      return `${asked} answered ${http.status} ${excerpt(http.body)}`.trimEnd();
  }
}

function excerpt(body: string): string {
  const text = body.trim().replace(/\s+/g, " ");
  return text === "" ? "" : JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function points(count: number): string {
  return count === 1 ? "1 point" : `${count} points`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
