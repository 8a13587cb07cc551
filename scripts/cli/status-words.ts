/** `status` for a person. Pure. */
import type { ContainerUse } from "../../components/metrics/resources.js";
import { type TrafficByRevision, trafficInWords } from "../../components/metrics/traffic.js";
import { FIRST_GENERATION } from "../../components/release/names.js";
import { roundSize } from "../../components/settings/units.js";
import { columns } from "./backups/words.js";
import { type Status, trafficMs } from "./status-model.js";
import { trialInWords } from "./trial.js";
import { whenWords } from "./when.js";

/** @param now milliseconds since 1970 */
export function describe(s: Status, traffic: TrafficByRevision, now: number): string[] {
  if (s.outcome === "not released") {
    return [`stack ${s.stack}: nothing is released yet`, s.lock.held ? `under way: ${s.lock.holder}` : "no release is under way"];
  }
  const sessions = Object.entries(s.sessions).map(([revision, n]) => `${n} on ${revision}`).join(", ");
  return [
    `stack ${s.stack}: ${s.version} (${s.revision}) at ${s.url}, since ${s.since === null ? "not known" : whenWords(s.since, now)}`,
    `health      ${s.outcome}${s.reason === "" ? "" : `: ${s.reason}`}`,
    `previous    ${s.previous ?? "none"}`,
    `data        generation ${s.data?.generation ?? ""}${s.data === null || s.data.restoredFrom === "" ? "" : `, restored from ${s.data.restoredFrom}`}`,
    `sessions    ${sessions === "" ? "none open" : sessions} (${s.proxyWorkers} proxy workers)`,
    `traffic     in the last minute: ${Object.entries(traffic).map(([revision, one]) => `${revision} ${trafficInWords(one, trafficMs)}`).join("; ") || "no request"}`,
    `lock        ${s.lock.held ? s.lock.holder : "free"}`,
    ...(s.canary === null ? [] : [`canary      ${trialInWords(s.canary)}`]),
    `watch       ${s.watch === null ? "none" : s.watch.words}${s.watch?.running === true ? s.watch.met.map(({ what }) => `; ${what}`).join("") : ""}`,
    ...(s.frozen === "" ? [] : [`frozen      ${s.frozen}; scripts/watch.sh --thaw permits releases again`]),
    ...s.drift.map((sentence) => `drift       ${sentence}`),
    ...s.settingsLeft.map((words) => `settings    the stack's file is not what serves: ${words}`),
    "containers",
    ...columns(s.containers.map((c) => [`  ${c.name}`, c.role, c.status, memoryWords(s.use.find(({ container }) => container === c.name))])),
    "backups, newest first",
    ...(s.backups.length === 0 ? ["  none"] : columns(s.backups.map((b) => [`  ${b.name}`, whenWords(b.created, now)]))),
    "releases, newest first",
    ...columns([...s.releases].reverse().map((r) => [
      `  #${r.seq}`, `${r.tag} (${r.revision})`, `${r.kind}${r.outcome === "abandoned" ? ", abandoned" : ""}${r.generation === FIRST_GENERATION ? "" : ` on data ${r.generation}`}`, whenWords(r.switchedAt, now),
    ])),
  ];
}

function memoryWords(use: ContainerUse | undefined): string {
  return use === undefined ? "" : `${roundSize(use.memory)} of ${roundSize(use.limit)}`;
}
