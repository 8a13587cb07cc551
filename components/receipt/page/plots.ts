/** The plots of a receipt. Pure. */
import type { Answered } from "../traffic.js";
import type { Receipt, Span } from "../model.js";
import { type Colour, type Figure, paint } from "./drawing.js";
import { readable } from "./html.js";
import { counted, spanInWords } from "./words.js";

/** Of a revision: what was released, what served before, or another. */
export function coloursOf({ revision, from }: Pick<Receipt, "revision" | "from">): (one: string) => Colour {
  return (one) => (one === revision ? "new" : one === from?.revision ? "old" : "other");
}

/** What is counted in on an axis of so many seconds. */
const unitOf = (longest: number): { size: number; name: string } => (longest > 600 ? { size: 60, name: "min" } : { size: 1, name: "s" });

/** Of times in seconds. A domain is not scaled with them. */
function axisOf(longest: number, narrow: boolean): { label: null; ticks: number; transform: (at: number) => number; tickFormat: (value: number) => string } {
  const { size, name } = unitOf(longest);
  return { label: null, ticks: narrow ? 4 : 8, transform: (at) => at / size, tickFormat: (value) => `${value} ${name}` };
}

const STATES: Readonly<Record<Span["state"], Colour>> = { done: "step", failed: "failed", open: "open" };
/** Letters that a label has room for on a narrow page. */
const NARROW_LABEL = 19;
/** Part of the whole that the shortest step is drawn as. */
const SHORTEST = 0.003;

export function timelineFigure({ timeline, seconds, switched, tag }: Receipt): Figure {
  const total = Math.max(seconds, 0.001);
  const bars = timeline.map((span) => ({ ...span, end: Math.max(span.end, span.start + total * SHORTEST), took: spanInWords(span.end - span.start) }));
  const rows = [...new Set(bars.map(({ label }) => label))];
  const states = new Set(timeline.map(({ state }) => state));
  return {
    title: "Timeline",
    caption: `what ran when, since the run began${switched === null ? "" : `; the line is the moment at which new users were sent to ${tag}`}`,
    legend: [...(states.has("failed") ? [{ name: "failed", colour: "failed" as const }] : []), ...(states.has("open") ? [{ name: "did not come to its end", colour: "open" as const }] : [])],
    draw: (plot, { kind }) => {
      const narrow = kind === "narrow";
      const labelled = (label: string): string => (narrow && label.length > NARROW_LABEL ? `${label.slice(0, NARROW_LABEL - 1)}…` : label);
      return {
        height: 46 + rows.length * 26, marginLeft: narrow ? 124 : 226, marginRight: narrow ? 16 : 24, marginTop: 8, marginBottom: 36,
        // Room for the words at the end of a bar.
        x: { ...axisOf(total, narrow), domain: [0, (total * (narrow ? 1.3 : 1.1)) / unitOf(total).size], grid: true },
        y: { domain: rows, label: null, tickSize: 0, tickFormat: labelled, padding: 0.28 },
        marks: [
          ...(switched === null ? [] : [plot.ruleX([switched.after], { stroke: paint("accent"), strokeWidth: 1.5, strokeDasharray: "4 3" })]),
          plot.barX(bars, { y: "label", x1: "start", x2: "end", fill: ({ state }: Span) => paint(STATES[state]), rx: 2, title: ({ label, took, state }: (typeof bars)[number]) => `${label}: ${took}${state === "done" ? "" : `, ${state}`}` }),
          plot.text(lastOfRow(bars), { y: "label", x: "end", text: "took", dx: 5, textAnchor: "start", fill: paint("muted"), stroke: paint("card"), strokeWidth: 4 }),
        ],
      };
    },
  };
}

function lastOfRow<T extends Pick<Span, "label">>(bars: readonly T[]): T[] {
  return bars.filter(({ label }, at) => !bars.slice(at + 1).some((later) => later.label === label));
}

/** Answers over time, by release; failed ones on top. @param moments at which something happened, in the same seconds */
export function answeredFigure(receipt: Receipt, { step, steps, byRevision }: Answered, moments: readonly number[]): Figure {
  const colourOf = coloursOf(receipt);
  const revisions = [...byRevision].sort((a, b) => rank(colourOf(a.revision)) - rank(colourOf(b.revision)));
  const failures = steps.some(({ failed }) => failed > 0);
  const boxes = steps.flatMap(({ at, failed, good }) => {
    let y = 0;
    const box = (count: number, colour: Colour, name: string): { x1: number; x2: number; y1: number; y2: number; colour: Colour; title: string } => {
      const y1 = y;
      y += count / step;
      return { x1: at, x2: at + step, y1, y2: y, colour, title: `${name}: ${count} in ${spanInWords(step)}` };
    };
    return [...revisions.map(({ revision, tag }) => box(good[revision] ?? 0, colourOf(revision), readable(tag))), box(failed, "failed", "failed")].filter(({ y1, y2 }) => y2 > y1);
  });
  const highest = Math.max(...boxes.map(({ y2 }) => y2));
  // One failure among hundreds would not be seen as a box.
  const few = steps.filter(({ failed }) => failed > 0 && failed / step < highest * TOO_SMALL);
  return {
    title: "Answers to users",
    caption: "per second, by release",
    legend: [...revisions.map(({ revision, tag }) => ({ name: tag, colour: colourOf(revision) })), ...(failures ? [{ name: "failed", colour: "failed" as const }] : [])],
    draw: (plot, { kind }) => ({
      height: 200, marginLeft: 40, marginRight: 16, marginTop: 14, marginBottom: 36,
      x: axisOf(Math.max(...steps.map(({ at }) => Math.abs(at + step))), kind === "narrow"),
      y: { label: null, grid: true, ticks: 4, zero: true },
      marks: [
        plot.rectY(boxes, { x1: "x1", x2: "x2", y1: "y1", y2: "y2", fill: ({ colour }: { colour: Colour }) => paint(colour), title: "title", insetRight: steps.length > 60 ? 0 : 0.5 }),
        plot.ruleX(moments, { stroke: paint("accent"), strokeWidth: 1.5, strokeDasharray: "4 3" }),
        plot.dot(few, { x: ({ at }: { at: number }) => at + step / 2, frameAnchor: "top", dy: -6, r: 3, fill: paint("failed"), title: ({ failed: count }: { failed: number }) => `${counted(count, "request")} failed` }),
        plot.ruleY([0], { stroke: paint("muted") }),
      ],
    }),
  };
}

/** Part of the plot's height. */
const TOO_SMALL = 0.03;

/** Users may have gone before there was any. */
export const hasAnswers = ({ steps }: Answered): boolean => steps.some(({ failed, good }) => failed > 0 || Object.values(good).some((count) => count > 0));

const rank = (colour: Colour): number => ["old", "other", "new"].indexOf(colour);

export interface Line {
  colour: Colour;
  name: string;
  points: readonly { x: number; y: number | null }[];
}

export interface Lines {
  title: string;
  caption: string;
  lines: readonly Line[];
  /** Of the vertical axis. */
  format: (value: number) => string;
  /** Seconds, as the points' x. */
  moments: readonly number[];
  height?: number;
}

/** Values over time. */
export function linesFigure({ title, caption, lines, format, moments, height = 150 }: Lines): Figure {
  const longest = Math.max(0, ...moments, ...lines.flatMap(({ points }) => points.map(({ x }) => x)));
  const all = lines.flatMap(({ colour, name, points }) => points.map((point) => ({ ...point, colour, name })));
  return {
    title, caption, legend: lines.map(({ name, colour }) => ({ name, colour })),
    draw: (plot, { kind }) => ({
      height, marginLeft: 56, marginRight: 16, marginTop: 10, marginBottom: 34,
      x: { ...axisOf(longest, kind === "narrow"), domain: [0, longest / unitOf(longest).size] },
      y: { label: null, grid: true, ticks: 4, zero: true, nice: true, tickFormat: format, ...(all.every(({ y }) => y === null || y === 0) ? { domain: [0, 1] } : {}) },
      marks: [
        plot.ruleY([0], { stroke: paint("muted") }),
        plot.ruleX(moments, { stroke: paint("failed"), strokeWidth: 1.5, strokeDasharray: "4 3" }),
        plot.line(all, { x: "x", y: "y", z: "name", stroke: ({ colour }: { colour: Colour }) => paint(colour), strokeWidth: 2 }),
        // A value between two that are missing makes no line.
        plot.dot(all.filter((point, at) => alone(all, at) && point.y !== null), { x: "x", y: "y", r: 2.5, fill: ({ colour }: { colour: Colour }) => paint(colour) }),
      ],
    }),
  };
}

function alone(points: readonly { y: number | null; name: string }[], at: number): boolean {
  const joined = (other: { y: number | null; name: string } | undefined): boolean => other !== undefined && other.y !== null && other.name === points[at]?.name;
  return !joined(points[at - 1]) && !joined(points[at + 1]);
}
