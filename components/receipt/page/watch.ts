/** What a watch has seen, by release. Pure. */
import { msInWords, percent } from "../../metrics/traffic.js";
import { tagsOf } from "../build.js";
import type { Receipt } from "../model.js";
import type { Watched } from "../watched.js";
import type { Drawing } from "./drawing.js";
import { html, type Html, nothing } from "./html.js";
import { answeredFigure, coloursOf, hasAnswers, type Line, linesFigure } from "./plots.js";
import { clock, counted, countInWords, moment, sentence, spanInWords, type Tone } from "./words.js";

type Sample = Watched["samples"][number];

export function watchOf(receipt: Receipt, draw: Drawing): Html {
  const { watch } = receipt;
  if (watch === null) return nothing;
  const { state, startedAt, endedAt, planned, ending, triggered, met, traffic, samples } = watch;
  const took = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  const [tone, words]: [Tone, string] = triggered !== null ? ["bad", `Rule ${triggered.rule} was met`]
    : state !== "ended" ? ["warn", state === "open" ? "Ended before its time" : "Interrupted"]
    : met.length > 0 ? ["warn", counted(met.length, "warning")] : ["good", "No rule was met"];
  const moments = triggered === null ? [] : [(Date.parse(triggered.at) - Date.parse(startedAt)) / 1000];
  return html`<section>
<h2>Watch</h2>
<p class="verdict ${tone}"><b>${words}</b></p>
<p>${moment(startedAt)} to ${clock(endedAt)}, ${spanInWords(took)} of ${spanInWords(planned)}.${ending === "" ? "" : ` ${sentence(ending)}`}</p>
${met.length === 0 ? nothing : html`<table><thead><tr><th scope="col">At</th><th scope="col">Rule</th><th scope="col">Answer</th><th scope="col">What was seen</th></tr></thead>
<tbody>${met.map(({ at, rule, action, what }) => html`<tr><td>${clock(at)}</td><td>${rule}</td><td>${action}</td><td>${what}</td></tr>`)}</tbody></table>`}
${traffic.measured && hasAnswers(traffic) ? draw(answeredFigure(receipt, traffic, moments)) : nothing}
${traffic.measured ? html`<p>${counted(traffic.requests, "request")} until its end, ${traffic.failed === 0 ? "none" : countInWords(traffic.failed)} failed${traffic.gap === null ? "" : `; the longest time without a good answer was ${spanInWords(traffic.gap.seconds)}`}.</p>`
    : html`<p>What users were answered was not measured: ${traffic.why}.</p>`}
${samples.length < 2 ? nothing : [
    draw(linesFigure({ title: "Slowest answers", caption: "99th percentile, by release", lines: linesOf(receipt, samples, ({ p99 }) => p99), format: msInWords, moments })),
    draw(linesFigure({ title: "Memory", caption: "share of its limit, of the container nearest to it", lines: linesOf(receipt, samples, ({ memory }) => memory), format: percent, moments })),
    ...(samples.every(({ byRevision }) => Object.values(byRevision).every(({ open }) => open === 0)) ? [] : [draw(linesFigure({ title: "Open sessions", caption: "by release", lines: linesOf(receipt, samples, ({ open }) => open), format: String, moments }))]),
  ]}
${samples.length === 0 ? nothing : healthLine(samples)}
</section>`;
}

function healthLine(samples: readonly Sample[]): Html {
  const [failed, logErrors] = [samples.reduce((sum, one) => sum + one.failed, 0), samples.reduce((sum, one) => sum + one.logErrors, 0)];
  return html`<p>${failed === 0 ? "Every round of health checks passed" : `${counted(failed, "round")} of health checks failed`}; ${logErrors === 0 ? "no error" : counted(logErrors, "error")} in the app’s log.</p>`;
}

type Measured<S> = { from: number; to: number; byRevision: Record<string, S> };

/** A line for each release, of what is measured of it. */
function linesOf<S>(receipt: Receipt, samples: readonly Measured<S>[], value: (of: S) => number | null): Line[] {
  const [tagOf, colourOf] = [tagsOf(receipt), coloursOf(receipt)];
  const revisions = [...new Set(samples.flatMap(({ byRevision }) => Object.keys(byRevision)))];
  return revisions.map((revision) => ({
    colour: colourOf(revision), name: tagOf(revision),
    points: samples.map(({ from, to, byRevision }) => ({ x: (from + to) / 2, y: byRevision[revision] === undefined ? null : value(byRevision[revision]) })),
  })).filter(({ points }) => points.some(({ y }) => y !== null));
}
