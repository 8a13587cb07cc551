import { equal, isObject, mask, SIGNATURE, UNKNOWN, type Value } from "../values.js";

const SECRET_WORD = "\u0000secret";

/** A value on one line, as `stack output` shows it. */
export function inline(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Lines of a value, the first to be put after its name. */
export function lines(value: Value, mark = "  "): string[] {
  return shown(mask(value, SECRET_WORD), mark);
}

function scalar(value: Value): string {
  if (value === SECRET_WORD) return "[secret]";
  if (value === UNKNOWN) return "[unknown]";
  return value === null ? "<null>" : JSON.stringify(value);
}

function entries(value: Value): [string, Value][] | undefined {
  if (Array.isArray(value)) return value.map((item, index) => [`[${index}]`, item]);
  if (!isObject(value) || SIGNATURE in value) return undefined;
  return Object.entries(value)
    .filter(([key]) => !key.startsWith("__"))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const brackets = (value: Value): [string, string] => (Array.isArray(value) ? ["[", "]"] : ["{", "}"]);

function shown(value: Value, mark: string): string[] {
  const inside = entries(value);
  if (inside === undefined) return [scalar(value)];
  const [opening, closing] = brackets(value);
  if (inside.length === 0) return [opening + closing];
  const width = Math.max(...inside.map(([key]) => key.length));
  const body = inside.flatMap(([key, item]) => {
    const [first = "", ...rest] = shown(item, mark);
    return [`  ${mark}${key.padEnd(width)}: ${first}`, ...rest.map((line) => `    ${line}`)];
  });
  return [opening, ...body, closing];
}

/** Lines that show how named values differ: `~ name: "a" => "b"`, `+ name: …`, `- name: …`. */
export function diffLines(olds: Record<string, Value>, news: Record<string, Value>, options: { all: boolean }): string[] {
  const [before, after] = [olds, news].map((each) => mask(each, SECRET_WORD)) as [Record<string, Value>, Record<string, Value>];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !name.startsWith("__")).sort();
  const differing = names.filter((name) => options.all || differs(olds[name], news[name]));
  const width = Math.max(0, ...differing.map((name) => name.length));
  return differing.flatMap((name) => {
    const [old, next] = [before[name], after[name]];
    const label = name.padEnd(width);
    if (old === undefined && next !== undefined) return named("+", label, shown(next, "+ "));
    if (next === undefined && old !== undefined) return named("-", label, shown(old, "- "));
    if (old === undefined || next === undefined) return [];
    if (!differs(olds[name], news[name])) return named(" ", label, shown(next, "  "));
    return named("~", label, changed(old, next));
  });
}

const differs = (a: Value | undefined, b: Value | undefined): boolean => !equal(a, b);

const named = (mark: string, label: string, [first = "", ...rest]: string[]): string[] => [
  `${mark} ${label}: ${first}`,
  ...rest.map((line) => `  ${line}`),
];

function changed(old: Value, next: Value): string[] {
  const both = isObject(old) && isObject(next) ? [old, next] : undefined;
  const arrays = Array.isArray(old) && Array.isArray(next) ? [old, next].map(byIndex) : undefined;
  const [before, after] = both ?? arrays ?? [];
  if (before === undefined || after === undefined || SIGNATURE in before || SIGNATURE in after) {
    return [`${shown(old, "- ").join("\n  ")} => ${shown(next, "+ ").join("\n  ")}`];
  }
  const [opening, closing] = brackets(next);
  return [opening, ...diffLines(before, after, { all: false }).map((line) => `  ${line}`), closing];
}

const byIndex = (list: Value[]): Record<string, Value> =>
  Object.fromEntries(list.map((item, index) => [`[${index}]`, item]));
