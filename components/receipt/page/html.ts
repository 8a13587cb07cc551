/** HTML from templates in which every text is escaped. Pure. */
import { stripVTControlCharacters } from "node:util";

/** What may be put into a page as it is. */
export class Html {
  constructor(readonly text: string) {}
}

/** A text that is no HTML, a part of the page, or several of them. */
export type Part = string | number | Html | readonly Part[];

/** `` html`<p>${text}</p>` ``: values are escaped, also within quoted attributes; parts of the page are put in as they are. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(strings.map((text, at) => `${text}${at < values.length ? inHtml(values[at] ?? "") : ""}`).join(""));
}

function inHtml(part: Part): string {
  if (part instanceof Html) return part.text;
  return typeof part === "object" ? part.map(inHtml).join("") : escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
/** Neither line break nor tab, and what turns the direction of what follows it: `v1.0.0` could be read as another tag. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text as it is read, without what a terminal alone understands. */
export function escaped(text: string): string {
  return readable(text).replace(/[&<>"']/g, (one) => ENTITIES[one] ?? "");
}

/** Without colours of a terminal; what nobody sees is a sign that something was there. */
export function readable(text: string): string {
  return stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replace(UNSEEN, "\ufffd");
}

export const nothing = new Html("");
