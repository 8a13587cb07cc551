/** What only a person can tell: the items of RELEASE_CHECKLIST.md, and the ticks in a file of the same form. Pure. */
import type { CheckResult, Tick } from "./model.js";

export interface Item {
  /** One word. */
  name: string;
  text: string;
}

const LINE = /^[-*] \[([ xX])\] \*\*([A-Za-z][\w-]*)\*\*:?\s*(.*)$/;

/** `- [ ] **name**: text` */
export function itemsIn(markdown: string): Item[] {
  return lines(markdown).map(({ name, text }) => ({ name, text }));
}

/** Those that are ticked: `- [x] **name**: text`. @param by who answers for all of them */
export function ticksIn(markdown: string, by: string): Tick[] {
  return lines(markdown).flatMap(({ ticked, name }) => (ticked ? [{ name, by }] : []));
}

function lines(markdown: string): (Item & { ticked: boolean })[] {
  return markdown.split(/\r?\n/).flatMap((line) => {
    const [, mark, name, text] = LINE.exec(line.trim()) ?? [];
    return mark === undefined || name === undefined ? [] : [{ ticked: mark !== " ", name, text: text ?? "" }];
  });
}

/** All that a person must tick: the list, and what could not be looked at by a program. */
export function toTick(items: readonly Item[], results: readonly CheckResult[]): Item[] {
  return [...items, ...results.filter(({ status }) => status === "unknown").map(({ name, what }) => ({ name, text: what }))];
}

/** A file for a person to tick, commit and be answerable for. */
export function ticksFile(tag: string, items: readonly Item[]): string {
  return [`# Checklist of ${tag}`, "", "Tick what you have looked at, then commit this file.", "", ...items.map(({ name, text }) => `- [ ] **${name}**: ${text}`), ""].join("\n");
}
