/** The page's styles. Colours are named once for light and once for dark; each pair that meets as text has a contrast of at least 4.5. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --card: #ffffff; --ink: #17212b; --muted: #55626f; --line: #dde3e9; --grid: #dde3e9; --well: #f2f5f7; --accent: #1f4fd1;
  --good: #0b6b3a; --good-back: #e4f5ea; --warn: #855000; --warn-back: #fdf1d9; --bad: #b0171f; --bad-back: #fdebea;
  --new: #2f6fde; --old: #8494a5; --other: #b7791f; --failed: #d22c33; --open: #b7791f; --step: #4d7fc4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1217; --card: #161d24; --ink: #e7ecf1; --muted: #9fadba; --line: #2b3641; --grid: #2b3641; --well: #10161c; --accent: #8fb6ff;
    --good: #74d99d; --good-back: #12301f; --warn: #f0bd66; --warn-back: #33250d; --bad: #ff938d; --bad-back: #3b1819;
    --new: #6aa3ff; --old: #7b8b9b; --other: #dba24a; --failed: #ff6b66; --open: #dba24a; --step: #5b93e0;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
main { padding-top: 2.5rem; }
p, ul, ol, dl, table, pre, figure { margin: 0 0 .9rem; }
h1 { font-size: clamp(1.45rem, 1.05rem + 1.8vw, 2.1rem); line-height: 1.22; letter-spacing: -.015em; margin: .6rem 0 .7rem; text-wrap: balance; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 1rem; letter-spacing: -.005em; }
h3 { font-size: .95rem; margin: 1.4rem 0 .4rem; }
a { color: var(--accent); }
code, pre { font: .84em/1.5 ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { color: var(--muted); }
pre { background: var(--well); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; white-space: pre-wrap; unicode-bidi: plaintext; max-height: 24rem; }
bdi { unicode-bidi: isolate; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.4rem 1.5rem .6rem; margin: 0 0 1.25rem; overflow-x: auto; }
.eyebrow { color: var(--muted); font-size: .9rem; margin: 0 0 .9rem; }
.eyebrow span::before { content: "· "; }
.badge { display: inline-block; font-weight: 650; font-size: .9rem; border-radius: 999px; padding: .15rem .8rem; margin: 0; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.badge.good { background: var(--good-back); } .badge.warn { background: var(--warn-back); } .badge.bad { background: var(--bad-back); }
.when { color: var(--muted); }
.when b { color: var(--ink); }
.lead { max-width: 46rem; }
.exit { display: inline-block; font-size: .8rem; font-weight: 600; color: var(--muted); border: 1px solid var(--line); border-radius: 6px; padding: 0 .45rem; background: var(--card); }
.next { background: var(--warn-back); border-radius: 10px; padding: .7rem 1rem; max-width: 46rem; }
.next strong { color: var(--warn); margin-right: .4rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; margin: 1.6rem 0 1.25rem; }
.tiles div { background: var(--card); padding: .9rem 1.1rem; color: var(--ink); }
.tiles dt { font-size: .82rem; color: var(--muted); }
.tiles dd { margin: 0; }
.tiles b { display: block; font-size: 1.45rem; line-height: 1.3; font-weight: 650; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.tiles .good b { color: var(--good); } .tiles .warn b { color: var(--warn); } .tiles .bad b { color: var(--bad); }
.tiles dd span { font-size: .85rem; color: var(--muted); }
figure { margin: 0 0 1.3rem; }
figcaption { font-size: .88rem; color: var(--muted); margin-bottom: .5rem; }
figcaption strong { color: var(--ink); font-weight: 650; margin-right: .3rem; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
.key::before { content: ""; display: inline-block; width: .7rem; height: .7rem; border-radius: 3px; margin-right: .4rem; background: currentColor; vertical-align: -.05rem; }
.key bdi { color: var(--muted); }
.key.new { color: var(--new); } .key.old { color: var(--old); } .key.other { color: var(--other); } .key.failed { color: var(--failed); } .key.open { color: var(--open); } .key.step { color: var(--step); }
.plot { display: block; width: 100%; height: auto; color: var(--muted); font-size: 12.5px; overflow: visible; }
.plot text { white-space: pre; font-size: 12.5px; }
.plot.narrow { display: none; }
.plot [aria-label$="grid"] { stroke: var(--grid); stroke-opacity: 1; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--muted); font-size: .85rem; padding-bottom: .3rem; }
th, td { overflow-wrap: break-word; text-align: left; padding: .38rem .9rem .38rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: .82rem; }
tfoot th, tfoot td { font-weight: 650; border-bottom: 0; }
.numbers { max-width: 36rem; }
.scroll { overflow-x: auto; }
.wide-cells { min-width: 40rem; }
.wide-cells td:not(:nth-child(3)) { white-space: nowrap; }
.numbers td, .numbers thead th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.bad { font-weight: 650; }
details { margin: 0 0 .9rem; }
summary { cursor: pointer; font-weight: 600; font-size: .95rem; margin-bottom: .5rem; }
.hint { color: var(--muted); font-size: .86rem; }
.verdict { margin-bottom: .3rem; }
.verdict code { margin-left: .3rem; }
.checks { list-style: none; padding: 0; }
.checks li { padding-left: 1.6rem; position: relative; color: var(--ink); }
.checks li::before { content: "\\2713"; position: absolute; left: .1rem; font-weight: 700; color: var(--good); }
.checks li.warn::before { content: "!"; left: .35rem; color: var(--warn); }
.times { list-style: none; padding: 0; }
.times time { flex: none; }
.times li { display: flex; gap: .9rem; padding: .15rem 0; font-variant-numeric: tabular-nums; color: var(--muted); }
.times span { color: var(--ink); }
.incident { border-top: 4px solid var(--failed); }
.incident h3:first-of-type { margin-top: 0; }
.cause { border-left: 3px solid var(--failed); padding-left: .9rem; }
.blank { border: 1px dashed var(--muted); border-radius: 8px; padding: .6rem .8rem; min-height: 4.5rem; margin-bottom: 1rem; white-space: pre-wrap; background: var(--well); }
.blank.many { min-height: 7.5rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.25rem; align-items: start; }
.pair > * { min-width: 0; }
footer { color: var(--muted); font-size: .86rem; padding-bottom: 3rem; }
footer p { margin: 0 0 .2rem; }
@media (max-width: 40rem) {
  body { font-size: 15.5px; }
  main { padding-top: 1.5rem; }
  main, footer { padding-left: .9rem; padding-right: .9rem; }
  section { padding: 1.1rem 1rem .4rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles div { padding: .7rem .8rem; }
  .tiles b { font-size: 1.2rem; }
  .plot.wide { display: none; }
  .plot.narrow { display: block; }
}
@media print {
  :root {
    --page: #ffffff; --card: #ffffff; --ink: #000000; --muted: #444444; --line: #bbbbbb; --grid: #dddddd; --well: #ffffff; --accent: #1f4fd1;
    --good: #0b6b3a; --good-back: #ffffff; --warn: #855000; --warn-back: #ffffff; --bad: #b0171f; --bad-back: #ffffff;
    --new: #2f6fde; --old: #8494a5; --other: #b7791f; --failed: #d22c33; --open: #b7791f; --step: #4d7fc4;
  }
  body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main, footer { max-width: none; padding: 0; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: .8rem 0 0; }
  .badge, .next { border: 1px solid currentColor; }
  pre { max-height: none; }
  figure, tr, .tiles, .blank, li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .plot.wide { display: block; }
  .plot.narrow { display: none; }
}
`;
