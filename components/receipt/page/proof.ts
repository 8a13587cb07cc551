/** What was proven: the gate, the backup, restored data. Pure. */
import { msInWords } from "../../metrics/traffic.js";
import { roundSize } from "../../settings/units.js";
import type { BackupResult, GateResult, Receipt } from "../model.js";
import { html, type Html, nothing } from "./html.js";
import { counted, countInWords, sentence, spanInWords } from "./words.js";

const PROBES: Readonly<Record<string, string>> = { health: "Health", script: "Script", page: "Page" };

export function gatesOf({ gates }: Receipt): Html {
  if (gates.length === 0) return nothing;
  return html`<section>
<h2>Gate</h2>
${gates.map(gateOf)}
</section>`;
}

function gateOf({ tag, revision, passed, reason, rounds, probes, seconds, latency, collections, seen }: GateResult): Html {
  const [tone, verdict] = passed === null ? ["warn", "undecided"] : passed ? ["good", "passed"] : ["bad", "did not pass"];
  return html`<p class="verdict ${tone}"><b><bdi>${tag}</bdi> ${verdict}</b> <code>${revision}</code></p>
<p>${reason === "" ? "" : `${sentence(reason)} `}${rounds === null ? "" : `${counted(rounds, "round")} of probes, `}${probes === null ? "" : `${counted(probes, "request")} to the app, `}${spanInWords(seconds)}.</p>
${Object.keys(latency).length === 0 ? nothing : html`<table class="numbers"><caption>How the app answered</caption><thead><tr><th scope="col">Probe</th><th scope="col">p50</th><th scope="col">p99</th></tr></thead>
<tbody>${Object.entries(latency).map(([probe, { p50, p99 }]) => html`<tr><th scope="row">${PROBES[probe] ?? probe}</th><td>${msInWords(p50)}</td><td>${msInWords(p99)}</td></tr>`)}</tbody></table>`}
${Object.keys(collections).length === 0 ? nothing : html`<table class="numbers"><caption>Collections as Qdrant had them</caption><thead><tr><th scope="col">Collection</th><th scope="col">Status</th><th scope="col">Points</th></tr></thead>
<tbody>${Object.entries(collections).map(([name, { status, count }]) => html`<tr><th scope="row"><bdi>${name}</bdi></th><td>${status}</td><td>${countInWords(count)}</td></tr>`)}</tbody></table>`}
${seen.length === 0 ? nothing : html`<details><summary>What it said on the way</summary><ol class="times">${seen.map(({ at, words }) => html`<li>${spanInWords(at)} <span>${words}</span></li>`)}</ol></details>`}`;
}

export function backupOf({ backup }: Receipt): Html {
  if (backup === null) return nothing;
  return html`<section>
<h2>Backup</h2>
${backup.name === "" ? html`<p class="verdict warn"><b>None was made</b></p><p>${sentence(backup.reason)}</p>` : madeOf(backup)}
</section>`;
}

const PROOFS: Readonly<Record<keyof NonNullable<BackupResult["proof"]>, string>> = {
  restored: "restored into a scratch Qdrant", counted: "every point counted there", sampled: "points and queries compared with the live Qdrant", read: "both archives read back from the disk",
};

function madeOf({ name, of, bytes, files, seconds, qdrantVersion, collections, proof, sha256, sent }: BackupResult): Html {
  return html`<p class="verdict ${proof !== null && Object.values(proof).every(Boolean) ? "good" : "warn"}"><b><bdi>${name}</bdi></b></p>
<p>${of === "" ? "" : html`The data of <bdi>${of}</bdi>: `}${roundSize(bytes)}, ${counted(files, "file")} of uploads, Qdrant ${qdrantVersion}, in ${spanInWords(seconds)}.</p>
${proof === null ? html`<p>Its manifest cannot be read, so nothing is known of its proof.</p>` : html`<ul class="checks">${Object.entries(PROOFS).map(([key, words]) => html`<li class="${proof[key as keyof typeof proof] ? "good" : "warn"}">${proof[key as keyof typeof proof] ? "" : "not "}${words}</li>`)}</ul>`}
${collections.length === 0 ? nothing : html`<table class="numbers"><thead><tr><th scope="col">Collection</th><th scope="col">Points</th><th scope="col">Compared</th><th scope="col">Queries</th></tr></thead>
<tbody>${collections.map(({ name: of, points, compared }) => html`<tr><th scope="row"><bdi>${of}</bdi></th><td>${countInWords(points)}</td><td>${compared === null ? "–" : countInWords(compared.points)}</td><td>${compared === null ? "–" : countInWords(compared.queries)}</td></tr>`)}</tbody></table>`}
${sent === null ? nothing : html`<p class="verdict ${sent.done ? "good" : "warn"}"><b>${sent.done ? "Sent off the machine" : "On this machine alone"}</b></p><p>${sentence(sent.words)}</p>`}
${sha256 === "" ? nothing : html`<p class="hint">SHA-256 of its manifest <code>${sha256}</code></p>`}`;
}

export function restoredOf({ restored }: Receipt): Html {
  if (restored === null) return nothing;
  const { generation, from, files, bytes, collections } = restored;
  return html`<section>
<h2>Restored data</h2>
<p>Generation <code>${generation}</code>, made from <bdi>${from}</bdi>: ${counted(files, "file")}, ${roundSize(bytes)}${Object.entries(collections).map(([name, count]) => html`, ${counted(count, "point")} in <bdi>${name}</bdi>`)}. What was there before stays.</p>
</section>`;
}
