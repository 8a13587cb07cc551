/** A report to be filled in, begun with what is known. Pure. */
import type { Receipt } from "../model.js";
import { html, type Html, nothing } from "./html.js";
import { clock } from "./words.js";

const BLANKS: readonly { name: string; hint: string; rows: "few" | "many" }[] = [
  { name: "Impact", hint: "Who noticed what, for how long? What was lost or is still wrong?", rows: "few" },
  { name: "Root cause", hint: "What made this possible, and why was it not found before?", rows: "few" },
  { name: "Action items", hint: "What is done about it, by whom, until when?", rows: "many" },
];

export function incidentOf({ incident, outcome, log }: Receipt): Html {
  if (incident === null) return nothing;
  const { cause, times, evidence, log: tail } = incident;
  return html`<section class="incident" id="incident">
<h2>Incident report</h2>
<h3>What happened</h3>
<ol class="times">${times.map(({ at, words }) => html`<li>${clock(at)} <span>${words}</span></li>
`)}</ol>
<h3>Why</h3>
<p class="cause">${cause === "" ? "A person went back: why, only they know." : cause}</p>
${evidence.length === 0 ? nothing : html`<h3>Last words of what failed</h3>
<pre tabindex="0">${evidence.join("\n")}</pre>
`}${tail.length === 0 ? nothing : html`<details><summary>The end of the run’s log${log === "" ? "" : html`, <code>${log}</code>`}</summary>
<pre tabindex="0">${tail.join("\n")}</pre></details>
`}<h3>What to do next</h3>
<p>${outcome.next === "" ? "Nothing is left to be put right by hand." : outcome.next}</p>
${BLANKS.map(({ name, hint, rows }) => html`<h3 id="blank-${name.toLowerCase().replace(" ", "-")}">${name}</h3>
<p class="hint">${hint}</p>
<div class="blank ${rows}" contenteditable="true" role="textbox" aria-multiline="true" aria-labelledby="blank-${name.toLowerCase().replace(" ", "-")}"></div>
`)}<p class="hint">What is typed here stays when the page is printed or saved by the browser.</p>
</section>`;
}
