/** Plots as SVG, drawn without a browser. */
import type * as Plot from "@observablehq/plot" with { "resolution-mode": "import" };
import { Html, html, type Part, readable } from "./html.js";
import { loadLibraries } from "./libraries.js";

/** What is used of an element: the project knows of no browser, whose types the libraries take for granted. */
interface Drawn {
  querySelector(selector: string): { remove(): void } | null;
  setAttribute(name: string, value: string): void;
  readonly outerHTML: string;
}

/** What a plot is drawn for; both are in the page, and its width decides which is seen. */
export interface Size {
  kind: "wide" | "narrow";
  width: number;
}

const SIZES: readonly Size[] = [{ kind: "wide", width: 880 }, { kind: "narrow", width: 340 }];

export type Draw = (plot: typeof Plot, size: Size) => Plot.PlotOptions;

export interface Figure {
  /** What it shows, for those who cannot see it as well. */
  title: string;
  caption?: Part;
  legend?: readonly { name: string; colour: Colour }[];
  draw: Draw;
}

export type Colour = "new" | "old" | "other" | "failed" | "open" | "step";

/** Colours are the page's: they follow light and dark. */
export const paint = (colour: Colour | "muted" | "accent" | "card"): string => `var(--${colour})`;

export type Drawing = (figure: Figure) => Html;

/** Loads the libraries: not before there is something to draw. */
export async function loadDrawing(): Promise<Drawing> {
  const { plot, DOMParser } = await loadLibraries();
  const document: unknown = new DOMParser().parseFromString("<!doctype html><html><body></body></html>", "text/html");
  const svg = (draw: Draw, size: Size, title: string): Html => {
    const drawn = plot.plot({ ...draw(plot, size), document, width: size.width, className: "plot" }) as Drawn;
    // Its own styles are inline ones, which the page's policy forbids; the page has its own.
    drawn.querySelector("style")?.remove();
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", readable(title));
    drawn.setAttribute("class", `plot ${size.kind}`);
    return new Html(drawn.outerHTML);
  };
  return ({ title, caption, legend = [], draw }) => html`<figure>
<figcaption><strong>${title}</strong>${caption === undefined ? "" : html` <span>${caption}</span>`}${legend.length === 0 ? "" : html`<span class="legend">${legend.map(({ name, colour }) => html`<span class="key ${colour}"><bdi>${name}</bdi></span>`)}</span>`}</figcaption>
${SIZES.map((size) => svg(draw, size, title))}
</figure>`;
}
