import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from "yaml";
import { isObject } from "./defaults.js";
import { parsePulumiYaml, pulumiYaml } from "./pulumi-yaml.js";

/** One step of indentation below a key that had nothing below it. */
const INDENT = 2;

/**
 * The text of a stack's file with one value set, or removed where it is undefined. Whatever else the file holds stays as it is to the byte:
 * comments, quotes, forms of numbers, line ends. Only forms that hardly anybody writes by hand (flow style around the place, anchors) make the
 * whole file be written anew, with the same content.
 *
 * @param path keys from the top
 */
export function withValue(text: string, path: readonly string[], value: unknown): string {
  const { contents } = parsePulumiYaml(text);
  const edited = contents === null ? appended(text, path, value) : isMap(contents) ? inMap(text, contents, path, value) : null;
  return edited !== null && isWhatWasMeant(text, edited, path, value) ? edited : rewritten(text, path, value);
}

/** @returns null where the map's form allows no splice */
function inMap(text: string, map: YAMLMap, [key = "", ...below]: readonly string[], value: unknown): string | null {
  if (map.flow === true || map.anchor !== undefined || map.tag !== undefined) return null;
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (pair === undefined) return value === undefined ? text : added(text, map, { [key]: nested(below, value) });
  const held = pair.value;
  if (below.length === 0) return value === undefined ? removed(text, map, pair) : replaced(text, pair, value);
  if (isMap(held)) return inMap(text, held, below, value);
  if (value === undefined) return text;
  return isScalar(held) && held.value === null ? insertedBelow(text, pair, nested(below, value)) : replaced(text, pair, nested(below, value));
}

/** Its line goes with it. The only one of a map is left to be written anew: nothing below a key is another value than an empty map. */
function removed(text: string, map: YAMLMap, pair: Pair): string | null {
  const end = endOf(text, pair);
  return map.items.length === 1 || end === null ? null : text.slice(0, lineStart(text, startOf(pair))) + text.slice(end);
}

function replaced(text: string, pair: Pair, value: unknown): string | null {
  const { key, value: held } = pair;
  if (!isScalar(key)) return null;
  const isBlock = isScalar(held) && (held.type === "BLOCK_LITERAL" || held.type === "BLOCK_FOLDED");
  if (isScalar(held) && !isBlock && !isObject(value) && !Array.isArray(value)) return inPlace(text, key, held, value);
  const end = endOf(text, pair);
  const lines = linesOf(text, { [String(key.value)]: value }, columnOf(text, pair)).trimStart();
  return end === null ? null : text.slice(0, startOf(pair)) + lines + text.slice(end);
}

/** What follows on its line stays. */
function inPlace(text: string, key: Scalar, held: Scalar, value: unknown): string | null {
  if (held.anchor !== undefined || held.tag !== undefined) return null;
  if (held.value === value) return text;
  const [start, end] = rangeOf(held);
  if (start < end) return text.slice(0, start) + pulumiYaml(value) + text.slice(end);
  const [, keyEnd] = rangeOf(key);
  const [, gap] = /^(\s*:)/.exec(text.slice(keyEnd)) ?? [];
  return gap === undefined ? null : `${text.slice(0, keyEnd)}${gap} ${pulumiYaml(value)}${text.slice(keyEnd + gap.length)}`;
}

function insertedBelow(text: string, pair: Pair, value: unknown): string | null {
  const end = endOf(text, pair);
  return end === null ? null : inserted(text, end, linesOf(text, value, columnOf(text, pair) + INDENT));
}

/** After the map's last pair, where its own first one begins. */
function added(text: string, map: YAMLMap, value: object): string | null {
  const [first, last] = [map.items[0], map.items.at(-1)];
  const end = last === undefined ? null : endOf(text, last);
  return first === undefined || end === null ? null : inserted(text, end, linesOf(text, value, columnOf(text, first)));
}

function appended(text: string, path: readonly string[], value: unknown): string {
  return value === undefined ? text : inserted(text, text.length, linesOf(text, nested(path, value), 0));
}

function inserted(text: string, at: number, lines: string): string {
  const before = text.slice(0, at);
  return `${before}${before === "" || before.endsWith("\n") ? "" : newlineOf(text)}${lines}${text.slice(at)}`;
}

/** A value as lines of the file, each with its end. */
function linesOf(text: string, value: unknown, column: number): string {
  const lines = pulumiYaml(value).split("\n");
  return lines.map((line) => `${" ".repeat(column)}${line}${newlineOf(text)}`).join("");
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((held, key) => ({ [key]: held }), value);
}

const rangeOf = (node: Scalar): readonly [start: number, end: number] => [node.range?.[0] ?? 0, node.range?.[1] ?? 0];
const startOf = ({ key }: Pair): number => (isScalar(key) ? rangeOf(key)[0] : 0);
const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1;
const columnOf = (text: string, pair: Pair): number => startOf(pair) - lineStart(text, startOf(pair));
const newlineOf = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n");

/** Where the line after a pair begins. Null where its last line goes on with something else than a comment. */
function endOf(text: string, { key, value }: Pair): number | null {
  const at = lastCharacter(value) ?? lastCharacter(key);
  if (at === null) return null;
  if (at > 0 && text[at - 1] === "\n") return at;
  const [rest = ""] = /^[^\n]*\n?/.exec(text.slice(at)) ?? [];
  return /^:?\s*(#.*)?\s*$/.test(rest) ? at + rest.length : null;
}

/** A block's own range goes on over the comments and empty lines after it, which belong to what follows: its last scalar's does not. */
function lastCharacter(node: unknown): number | null {
  if (isScalar(node)) return rangeOf(node)[1];
  if (isMap(node) && node.flow !== true) return lastCharacter(node.items.at(-1)?.value);
  if (isSeq(node)) return node.flow === true ? (node.range?.[1] ?? null) : lastCharacter(node.items.at(-1));
  return isMap(node) ? (node.range?.[1] ?? null) : null;
}

/** A splice counts only where the result reads as meant: every other value as before. */
function isWhatWasMeant(text: string, edited: string, path: readonly string[], value: unknown): boolean {
  const now = parsePulumiYaml(edited);
  return now.errors.length === 0 && isDeepStrictEqual(now.toJS(), changed(parsePulumiYaml(text).toJS() as unknown, path, value));
}

function changed(before: unknown, [key, ...below]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const held = isObject(before) ? before : {};
  const others = Object.entries(held).filter(([name]) => name !== key);
  if (value === undefined && (below.length === 0 || !Object.hasOwn(held, key))) return Object.fromEntries(others);
  return Object.fromEntries([...others, [key, changed(held[key], below, value)]]);
}

function rewritten(text: string, path: readonly string[], value: unknown): string {
  const doc = parsePulumiYaml(text);
  for (let depth = 1; depth < path.length; depth += 1) {
    if (!isMap(doc.getIn(path.slice(0, depth)))) doc.setIn(path.slice(0, depth), doc.createNode({}));
  }
  if (value === undefined) doc.deleteIn(path);
  else doc.setIn(path, typeof value === "object" ? doc.createNode(value, { aliasDuplicateObjects: false }) : value);
  return doc.toString({ lineWidth: 0, blockQuote: false });
}

/** The text with a new key at its top, below what comments begin the file: where Pulumi puts the salt of a stack's secrets. */
export function withFirst(text: string, key: string, value: string): string {
  const { contents } = parsePulumiYaml(text);
  const first = isMap(contents) && contents.flow !== true ? contents.items[0] : undefined;
  return first === undefined ? withValue(text, [key], value) : inserted(text, lineStart(text, startOf(first)), linesOf(text, { [key]: value }, 0));
}
