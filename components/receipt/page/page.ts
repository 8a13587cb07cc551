/** A receipt as one page that needs nothing else: no script, no request. Pure but for the library that draws. */
import { createHash } from "node:crypto";
import type { Receipt } from "../model.js";
import { canaryOf } from "./canary.js";
import { type Drawing, loadDrawing } from "./drawing.js";
import { headerOf } from "./header.js";
import { html, Html, nothing } from "./html.js";
import { incidentOf } from "./incident.js";
import { backupOf, gatesOf, restoredOf } from "./proof.js";
import { answersOf, stepsOf } from "./steps.js";
import { STYLE } from "./style.js";
import { watchOf } from "./watch.js";
import { badgeOf, nameOf } from "./words.js";

/** Nothing is loaded, sent or run, whatever a text in it says; its styles are known by their hash. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; img-src data:; base-uri 'none'; form-action 'none'`;

/** @param json name of the receipt's file beside it */
export async function pageOf(receipt: Receipt, json: string): Promise<string> {
  return pageWith(await loadDrawing(), receipt, json);
}

export function pageWith(draw: Drawing, receipt: Receipt, json: string): string {
  const { run, log, notices, schema } = receipt;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${nameOf(receipt)} on ${receipt.stack}: ${badgeOf(receipt).words}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
${headerOf(receipt)}
${incidentOf(receipt)}
${stepsOf(receipt, draw)}
${answersOf(receipt, draw)}
${canaryOf(receipt, draw)}
${watchOf(receipt, draw)}
<div class="pair">
${gatesOf(receipt)}
${backupOf(receipt)}
</div>
${restoredOf(receipt)}
${notices.length === 0 ? nothing : html`<section><h2>Told beforehand</h2><ul>${notices.map((notice) => html`<li>${notice}</li>`)}</ul></section>`}
</main>
<footer>
<p>Run <code>${run}</code>${log === "" ? "" : html`, log <code>${log}</code>`}</p>
<p>The same as data: <a href="${encodeURIComponent(json)}">${json}</a> (schema ${schema}). Times are UTC.</p>
</footer>
</body>
</html>
`.text;
}
