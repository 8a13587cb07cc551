import assert from "node:assert/strict";
import { Html, html, readable } from "../../components/receipt/page/html.js";
import { pageOf } from "../../components/receipt/page/page.js";
import { badgeOf, headlineOf, spanInWords } from "../../components/receipt/page/words.js";
import { type Receipt, receiptSchema } from "../../components/receipt/model.js";
import { canary, failed, hostile, HOSTILE, released, rolledBack, watched } from "./receipts.js";

const outcome = (receipt: Receipt, exitCode: number | null): Receipt => ({ ...receipt, outcome: { ...receipt.outcome, exitCode } });
/** Of the plots, each of which is there for wide and for narrow pages. */
const plots = (page: string): number => page.split("<svg").length - 1;

describe("receipt: HTML", () => {
  it("escapes whatever is put into it, in text and in quoted attributes, but for its own parts", () => {
    const text = `<b title="x" id='y'>&amp;</b>`;
    assert.equal(html`<p title="${text}">${text}</p>`.text, `<p title="${ESCAPED}">${ESCAPED}</p>`);
    assert.equal(html`<ul>${["<", html`<li>${1}</li>`, [">", new Html("<hr>")]]}</ul>`.text, "<ul>&lt;<li>1</li>&gt;<hr></ul>");
  });

  it("shows what a terminal would hide, and drops its colours", () => {
    assert.equal(readable("\u001b[31mred\u001b[0m\r\n\tok"), "red\n\tok");
    assert.equal(readable("v1\u202e0.2\u0000\u0008"), "v1\ufffd0.2\ufffd\ufffd");
  });
  const ESCAPED = "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/b&gt;";
});

describe("receipt: in words", () => {
  it("begins with one sentence on what came of it", () => {
    assert.equal(headlineOf(released()), "v3.0.0 replaced v2.9.0 in 16.4 s, and not one of 1,040 requests failed.");
    assert.equal(headlineOf(failed()), "v3.1.0 was not released; v3.0.0 serves, and not one of 2,080 requests failed.");
    assert.equal(headlineOf(rolledBack()), "Users are back on v2.9.0 after 0.41 s, and 2 of 1,042 requests failed.");
    assert.equal(headlineOf(watched()), "v3.0.0 was released and taken back by the watch: 5.1 % of 15000 requests failed in 5m (above 1 %).");
    const first = { ...released(), from: null, traffic: { measured: false as const, why: "nothing was released before" } };
    assert.equal(headlineOf(first), "v3.0.0 is released after 16.4 s.");
    assert.equal(headlineOf(outcome(first, 4)), "v3.0.0 failed, and what served before could not be put back.");
    assert.equal(headlineOf({ ...outcome(first, null), tag: "" }), "A deploy was killed before it was done.");
    assert.equal(headlineOf({ ...first, command: "restore", restored: { generation: "g7", from: "pre-deploy-1", files: 1, bytes: 1, collections: {} } }), "v3.0.0 runs on data restored from pre-deploy-1.");
  });

  it("tells of a canary that keeps its share", () => {
    const tried = { ...outcome(released(), 5), switched: null, canary: canary("insufficient") };
    assert.deepEqual([headlineOf(tried), badgeOf(tried).words], ["v3.0.0 is tried still, beside v2.9.0, and not one of 1,040 requests failed.", "On trial"]);
  });

  it("has a badge for each way to end", () => {
    assert.deepEqual([0, 2, 3, 4, 5, 130, null].map((code) => badgeOf(outcome(released(), code))).map(({ words, tone }) => `${words} (${tone})`), [
      "Released (good)", "Refused (warn)", "Failed, undone (bad)", "Failed, not undone (bad)", "Needs a look (warn)", "Interrupted (warn)", "Killed (bad)",
    ]);
    assert.deepEqual([badgeOf(rolledBack()).words, badgeOf(watched()).words], ["Rolled back", "Rolled back by the watch"]);
  });

  it("rounds spans to what matters", () => {
    assert.deepEqual([0, 0.041, 0.41, 9.96, 59.94, 59.96, 125, 300, 3599.6, 3720, 7200].map(spanInWords), ["0 ms", "41 ms", "0.41 s", "10.0 s", "59.9 s", "1 min", "2 min 05 s", "5 min", "1 h", "1 h 02 min", "2 h"]);
  });
});

describe("receipt: as a page", () => {
  it("has what the receipt has: steps, answers, sessions, gate, backup and its proof, what was told beforehand", async () => {
    const page = await pageOf(released(), "20261125-040958-v3.0.0.json");
    for (const text of [
      "<title>v3.0.0 on prod: Released</title>", "20 sessions kept on", "What each step cost", "restored into a scratch Qdrant", "<td>1,040</td>", "4 rounds of probes, 24 requests to the app",
      "changes settings: app.memory: 512MiB -&gt; 640MiB", `href="20261125-040958-v3.0.0.json"`, "logs/deploy-20261125-040958.log",
    ]) assert.ok(page.includes(text), text);
    assert.equal(plots(page), 4);
    for (const absent of ["Incident report", "Canary", "Watch</h2>", "Restored data"]) assert.ok(!page.includes(absent), absent);
  });

  it("is an incident report to fill in where something failed", async () => {
    const page = await pageOf(failed(), "x.json");
    for (const text of ["Incident report", "ModuleNotFoundError: No module named &#39;pbjrag_store_v4&#39;", "Impact", "Root cause", "Action items", "What to do next", "correct the app at a new tag", "did not pass"]) assert.ok(page.includes(text), text);
    assert.equal(page.split(`contenteditable="true"`).length - 1, 3);
    assert.ok(!page.includes("\u001b"));
  });

  it("shows what a watch and a canary have seen by release", async () => {
    const page = await pageOf({ ...watched(), canary: canary("insufficient") }, "x.json");
    for (const text of ["Rule errors was met", "fewErrors", "60,000 requests until its end, 780 failed", "12 rounds of health checks failed", "not enough evidence", "Slower than the other", "&lt; 0.0001", "1,800 requests would decide it", "10 % from 16.1 s", "20 looks of the judge"]) assert.ok(page.includes(text), text);
    assert.equal(plots(page), 14);
  });

  it("draws no answers where users went before there was one", async () => {
    const receipt = released();
    assert.ok(receipt.traffic.measured);
    const page = await pageOf({ ...receipt, traffic: { ...receipt.traffic, steps: receipt.traffic.steps.map((step) => ({ ...step, good: {} })) } }, "x.json");
    assert.deepEqual([plots(page), page.includes("<td>1,040</td>")], [2, true]);
  });

  it("counts in minutes what takes long", async () => {
    const receipt = released();
    const page = await pageOf({ ...receipt, seconds: 2000, timeline: receipt.timeline.map((span) => ({ ...span, start: span.start * 100, end: span.end * 100 })) }, "x.json");
    assert.match(page, /<text[^>]*>30 min<\/text>/);
  });

  it("says what is not known, where next to nothing is", async () => {
    const bare = receiptSchema.parse({
      ...released(), tag: "", revision: "", from: null, by: "", seconds: 0, switched: null, notices: [], timeline: [], costs: [], gates: [], pauses: [], backup: null, log: "",
      traffic: { measured: false, why: "there is no proxy" }, sessions: { measured: false, why: "nobody was moved to another release" },
    });
    const page = await pageOf(outcome(bare, null), "x.json");
    assert.match(page, /What users were answered was not measured: there is no proxy\./);
    assert.match(page, /it did not come to one/);
    assert.doesNotMatch(page, /NaN|undefined|Infinity/);
  });

  it("loads nothing, runs nothing, and has no style but the one that its policy knows", async () => {
    for (const receipt of [released(), failed(), rolledBack(), { ...watched(), canary: canary() }, hostile()]) {
      const page = await pageOf(receipt, "x.json");
      assert.doesNotMatch(page, /<script|<link rel="stylesheet|<iframe|<img|<object|@import|url\(/i);
      assert.doesNotMatch(page, /<[^>]*\s(?:style|on[a-z]+)\s*=/i);
      assert.doesNotMatch(page, /(?:src|href)="(?!data:,"|x\.json")/);
      assert.match(page, /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/);
    }
  });

  it("lets nothing that is named or said become a part of it", async () => {
    const page = await pageOf(hostile(), "x.json");
    assert.ok(page.includes("&lt;/title&gt;&lt;script&gt;"), "it is shown as it is");
    assert.ok(!page.includes(HOSTILE) && !page.includes("<script") && !page.includes("<img"));
  });

  it("stays small however long a watch was", async () => {
    assert.ok((await pageOf(watched(), "x.json")).length < 300_000);
  });
});
