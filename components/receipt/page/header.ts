/** The top of a receipt: what came of it, and the numbers that are looked for first. Pure. */
import { roundSize } from "../../settings/units.js";
import type { Receipt } from "../model.js";
import { html, type Html, nothing, type Part } from "./html.js";
import { badgeOf, clock, counted, countInWords, headlineOf, moment, sentence, spanInWords, type Tone } from "./words.js";

export function headerOf(receipt: Receipt): Html {
  const { stack, command, by, startedAt, endedAt, rehearsal, outcome } = receipt;
  const badge = badgeOf(receipt);
  return html`<header>
<p class="eyebrow">Release receipt <span>stack <bdi>${stack}</bdi></span>${rehearsal ? html` <span>rehearsal</span>` : ""}</p>
<p class="badge ${badge.tone}">${badge.words}</p>
<h1>${unbroken(headlineOf(receipt))}</h1>
<p class="when"><b>${command}</b>${by === "" ? "" : html` by <bdi>${by}</bdi>`}, ${moment(startedAt)} to ${clock(endedAt)}</p>
<p class="lead">${outcome.exitCode === null ? "" : html`<span class="exit">exit ${outcome.exitCode}</span> `}${sentence(outcome.summary)}</p>
${outcome.next === "" ? nothing : html`<p class="next"><strong>Next</strong> ${outcome.next}</p>`}
</header>
${tilesOf(receipt)}`;
}

/** No line ends between a number and its unit. */
const unbroken = (text: string): string => text.replace(/(\d) (ms|s|min|h|%)(?![\w])/g, "$1\u00a0$2");

interface Tile {
  name: string;
  value: string;
  more: Part;
  tone: Tone;
}

function tilesOf(receipt: Receipt): Html {
  const tiles = [tookTile(receipt), failedTile(receipt), gapTile(receipt), sessionsTile(receipt), gateTile(receipt), backupTile(receipt)];
  return html`<dl class="tiles">${tiles.map(({ name, value, more, tone }) => html`<div class="${tone}"><dt>${name}</dt><dd><b>${value}</b><span>${more}</span></dd></div>
`)}</dl>`;
}

const UNKNOWN = "–";

function tookTile({ seconds, switched }: Receipt): Tile {
  return { name: "Took", value: spanInWords(seconds), tone: "plain", more: switched === null ? "no user was moved" : `users moved after ${spanInWords(switched.after)}${switched.warm ? ", it was warm" : ""}` };
}

function failedTile({ traffic, watch }: Receipt): Tile {
  const later = watch?.traffic.measured === true ? watch.traffic : null;
  if (!traffic.measured) return { name: "Failed requests", value: UNKNOWN, more: traffic.why, tone: "plain" };
  const refused = traffic.refused === 0 ? "" : `, ${countInWords(traffic.refused)} refused by a pause of writes`;
  return { name: "Failed requests", value: countInWords(traffic.failed), more: `of ${countInWords(traffic.requests)}${refused}${later === null ? "" : `, then ${countInWords(later.failed)} of ${countInWords(later.requests)} while it was watched`}`, tone: traffic.failed + (later?.failed ?? 0) > 0 ? "bad" : traffic.requests === 0 ? "plain" : "good" };
}

function gapTile({ traffic }: Receipt): Tile {
  const gap = traffic.measured ? traffic.gap : null;
  if (gap === null) return { name: "Longest gap", value: UNKNOWN, more: "between two good answers", tone: "plain" };
  return { name: "Longest gap", value: spanInWords(gap.seconds), more: html`between two good answers, at ${clock(gap.at)}`, tone: "plain" };
}

function sessionsTile({ sessions }: Receipt): Tile {
  if (!sessions.measured) return { name: "Sessions", value: UNKNOWN, more: sessions.why, tone: "plain" };
  const [kept, cut] = [sessions.kept, sessions.cut].map((all) => all.reduce((sum, { count }) => sum + count, 0));
  return { name: "Sessions", value: `${countInWords(kept ?? 0)} kept`, more: cut === 0 ? "none cut" : `${countInWords(cut ?? 0)} cut`, tone: cut === 0 ? "good" : "warn" };
}

function gateTile({ gates }: Receipt): Tile {
  const last = gates.at(-1);
  if (last === undefined) return { name: "Gate", value: UNKNOWN, more: "it did not come to one", tone: "plain" };
  const value = last.passed === null ? "Undecided" : last.passed ? "Passed" : "Not passed";
  return { name: "Gate", value, more: last.rounds === null ? `after ${spanInWords(last.seconds)}` : `${counted(last.rounds, "round")} in ${spanInWords(last.seconds)}`, tone: last.passed === null ? "warn" : last.passed ? "good" : "bad" };
}

function backupTile({ backup }: Receipt): Tile {
  if (backup === null) return { name: "Backup", value: UNKNOWN, more: "it did not come to one", tone: "plain" };
  if (backup.name === "") return { name: "Backup", value: "None", more: backup.reason, tone: "warn" };
  const proven = backup.proof !== null && Object.values(backup.proof).every(Boolean);
  const here = backup.sent?.done === false ? ", on this machine alone" : "";
  return { name: "Backup", value: proven ? "Proven" : "Made", more: `${roundSize(backup.bytes)} in ${spanInWords(backup.seconds)}${here}`, tone: proven && here === "" ? "good" : "warn" };
}
