/** What ran and what it cost, and what users were answered meanwhile. Pure. */
import type { Receipt } from "../model.js";
import type { Drawing } from "./drawing.js";
import { html, type Html, nothing } from "./html.js";
import { answeredFigure, hasAnswers, timelineFigure } from "./plots.js";
import { clock, counted, countInWords, spanInWords } from "./words.js";

export function stepsOf(receipt: Receipt, draw: Drawing): Html {
  const { costs, seconds, timeline } = receipt;
  const share = (of: number): string => (seconds === 0 ? "" : `${Math.round((of / seconds) * 100)} %`);
  return html`<section>
<h2>Steps</h2>
${timeline.length === 0 ? nothing : draw(timelineFigure(receipt))}
<details open><summary>What each step cost</summary>
<p class="hint">Every moment counts once: for the step that began last of those under way.</p>
<table class="numbers"><thead><tr><th scope="col">Step</th><th scope="col">Seconds</th><th scope="col">Share</th></tr></thead>
<tbody>${costs.map(({ label, seconds: cost }) => html`<tr><th scope="row">${label}</th><td>${cost.toFixed(2)}</td><td>${share(cost)}</td></tr>
`)}</tbody>
<tfoot><tr><th scope="row">The whole run</th><td>${seconds.toFixed(2)}</td><td></td></tr></tfoot></table></details>
</section>`;
}

export function answersOf(receipt: Receipt, draw: Drawing): Html {
  const { traffic, switched, sessions, pauses } = receipt;
  return html`<section>
<h2>Users</h2>
${traffic.measured && hasAnswers(traffic) ? draw(answeredFigure(receipt, traffic, switched === null ? [] : [switched.after])) : nothing}
${traffic.measured ? answeredTable(traffic) : html`<p>What users were answered was not measured: ${traffic.why}.</p>`}
<h3>Sessions</h3>
${sessions.measured ? sessionLines(sessions) : html`<p>Not measured: ${sessions.why}.</p>`}
${pauses.length === 0 ? nothing : html`<h3>Pauses of writes</h3>
<ul>${pauses.map((pause) => html`<li>${spanInWords(pause.seconds)}: ${counted(pause.closed, "websocket")} closed, ${pause.refused === null ? "requests that were refused could not be counted" : pause.refused === 0 ? "no request refused" : `at least ${counted(pause.refused, "request")} refused`}</li>`)}</ul>`}
</section>`;
}

function answeredTable({ byRevision, requests, failed, gap, from, to }: Extract<Receipt["traffic"], { measured: true }>): Html {
  if (requests === 0) return html`<p>Nobody asked for anything between ${clock(from)} and ${clock(to)}.</p>`;
  return html`<table class="numbers"><caption>By the proxy’s log, from ${clock(from)} to ${clock(to)}; the gate’s own requests are not in it</caption>
<thead><tr><th scope="col">Release</th><th scope="col">Requests</th><th scope="col">Failed</th></tr></thead>
<tbody>${byRevision.map((one) => html`<tr><th scope="row"><bdi>${one.tag}</bdi> <code>${one.revision}</code></th><td>${countInWords(one.requests)}</td><td${one.failed === 0 ? "" : html` class="bad"`}>${countInWords(one.failed)}</td></tr>
`)}</tbody><tfoot><tr><th scope="row">All</th><td>${countInWords(requests)}</td><td>${countInWords(failed)}</td></tr></tfoot></table>
${gap === null ? nothing : html`<p>The longest time without a good answer was ${spanInWords(gap.seconds)}, from ${clock(gap.at)}. With few users that is how often they ask, not an outage.</p>`}`;
}

function sessionLines({ kept, cut }: Extract<Receipt["sessions"], { measured: true }>): Html {
  if (kept.length + cut.length === 0) return html`<p>None were open.</p>`;
  return html`<ul>${kept.map(({ tag, count }) => html`<li>${counted(count, "session")} kept on <bdi>${tag}</bdi></li>`)}${cut.map(({ tag, count, why }) => html`<li>${counted(count, "session")} on <bdi>${tag}</bdi> cut: ${why}</li>`)}</ul>`;
}
