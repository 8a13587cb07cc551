/** How a canary was judged. Pure. */
import { isSynthetic } from "../../judge/model.js";
import type { CanaryResult } from "../canary.js";
import type { Receipt } from "../model.js";
import type { Drawing } from "./drawing.js";
import { html, type Html, nothing } from "./html.js";
import { linesFigure } from "./plots.js";
import { counted, countInWords, sentence, spanInWords, type Tone } from "./words.js";

type Verdict = NonNullable<CanaryResult["verdict"]>;
type Finding = CanaryResult["findings"][number];

const VERDICTS: Readonly<Record<Verdict, { words: string; tone: Tone }>> = {
  pass: { words: "passed", tone: "good" }, fail: { words: "failed", tone: "bad" }, insufficient: { words: "not enough evidence", tone: "warn" },
};
const TESTS: Readonly<Record<Finding["test"], string>> = {
  errors: "Failed requests", websockets: "Websockets", scriptErrors: "Errors in the app’s log", slower: "Slower than the other", p50: "Median within its limit", p99: "p99 within its limit", restarts: "Restarts", memory: "Memory",
  syntheticErrors: "Synthetic sessions: failed runs", syntheticSlower: "Synthetic sessions: slower", syntheticP50: "Synthetic sessions: median", syntheticP99: "Synthetic sessions: p99",
};

export function canaryOf({ canary, from }: Receipt, draw: Drawing): Html {
  if (canary === null) return nothing;
  const { tag, verdict, summary, start, end, shares, looks, findings } = canary;
  const { words, tone } = verdict === null ? { words: "not judged", tone: "warn" } : VERDICTS[verdict];
  const other = from?.tag ?? "the other";
  const points = (side: "canary" | "stable"): { x: number; y: number }[] => looks.map(({ at, samples }) => ({ x: Math.max(0, at - start), y: samples[side] }));
  return html`<section>
<h2>Canary</h2>
<p class="verdict ${tone}"><b><bdi>${tag}</bdi> ${words}</b></p>
<p>${summary === "" ? "" : `${sentence(summary)} `}Tried for ${spanInWords(Math.max(0, end - start))}.</p>
${shares.length === 0 ? nothing : html`<p>Its share of new users: ${shares.map(({ at, weight }, index) => html`${index === 0 ? "" : ", "}${weight} % from ${spanInWords(at)}`)} after the run began.</p>`}
${findings.length === 0 ? nothing : html`<div class="scroll" tabindex="0"><table class="wide-cells"><thead><tr><th scope="col">Test</th><th scope="col">Verdict</th><th scope="col">What was seen</th><th scope="col">Samples</th><th scope="col">Interval</th><th scope="col">p</th></tr></thead>
<tbody>${findings.map(findingOf)}</tbody></table></div>
<p class="hint">Samples are the canary’s and ${other}’s; an interval of 90 % is of the difference in percentage points, or of the median in milliseconds; p is the chance of the same, were the canary no worse.</p>`}
${looks.length < 2 ? nothing : draw(linesFigure({ title: "Requests judged", caption: "at each look", lines: [{ colour: "new", name: tag, points: points("canary") }, { colour: "old", name: other, points: points("stable") }], format: countInWords, moments: [] }))}
${looks.length === 0 ? nothing : html`<details><summary>${counted(looks.length, "look")} of the judge</summary><ol class="times">${looks.map(({ at, words: said }) => html`<li>${spanInWords(at)} <span>${said}</span></li>`)}</ol></details>`}
</section>`;
}

function findingOf({ test, result, what, samples, p, interval, needed }: Finding): Html {
  const short = (value: number): string => String(Number(value.toPrecision(3)));
  return html`<tr><th scope="row">${TESTS[test]}</th><td><b class="${VERDICTS[result].tone}">${VERDICTS[result].words}</b></td><td>${what}${needed === null ? "" : `; ${counted(needed, isSynthetic(test) ? "run" : "request")} would decide it`}</td>
<td>${samples.canary + samples.stable === 0 ? "–" : `${countInWords(samples.canary)} / ${countInWords(samples.stable)}`}</td><td>${interval === null ? "–" : `${short(interval[0])} to ${short(interval[1])}`}</td><td>${p === null ? "–" : p < 0.0001 ? "< 0.0001" : p.toFixed(4)}</td></tr>`;
}
